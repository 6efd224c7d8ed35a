#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/model/zoo/layers.hpp>
#include <pellucid/model/zoo/shape_reader.hpp>
#include <pellucid/model/zoo/steps.hpp>

namespace pellucid {

/// The shape of a ConvNeXt; the defaults are ConvNeXt-T.
struct ConvNeXtOptions {
  std::vector<std::int64_t> depths{3, 3, 9, 3};         ///< blocks in each stage
  std::vector<std::int64_t> widths{96, 192, 384, 768};  ///< channels of each stage
  std::int64_t classes = 1000;                          ///< K, scores of an image
  std::int64_t patch = 4;                               ///< side and stride of the stem's convolution
  double layer_scale = 1e-6;  ///< what every block's output is multiplied by before training

  static ConvNeXtOptions convnext_tiny() { return {}; }
  static ConvNeXtOptions convnext_small() { return {.depths = {3, 3, 27, 3}}; }
  static ConvNeXtOptions convnext_base() {
    return {.depths = {3, 3, 27, 3}, .widths = {128, 256, 512, 1024}};
  }
  static ConvNeXtOptions convnext_large() {
    return {.depths = {3, 3, 27, 3}, .widths = {192, 384, 768, 1536}};
  }

  static constexpr const char* family = "convnext";
  static Variants<ConvNeXtOptions> variants() {
    return {{"convnext_tiny", convnext_tiny()},
            {"convnext_small", convnext_small()},
            {"convnext_base", convnext_base()},
            {"convnext_large", convnext_large()}};
  }

  /// The options that a checkpoint's shapes tell; `layer_scale`, a value of its weights, stays the default.
  /// Throws Error for what is not a ConvNeXt; `what` begins the message.
  static ConvNeXtOptions of(const Checkpoint& checkpoint, const std::string& what) {
    const ShapeReader shapes(checkpoint, what, "ConvNeXt");
    ConvNeXtOptions options{.depths = {}, .widths = {}};
    const auto stem = shapes.shape("features.0.0.weight", {-1, 3, -1, -1});
    options.patch = shapes.shape("features.0.0.weight", {-1, 3, -1, stem[2]})[3];
    const auto stage = [](std::size_t number) { return "features." + std::to_string(2 * number + 1) + "."; };
    std::size_t stages = 0;
    do {
      options.widths.push_back(shapes.shape(stage(stages) + "0.layer_scale", {-1, 1, 1})[0]);
      options.depths.push_back(shapes.count(stage(stages), ".layer_scale"));
    } while (shapes.has(stage(++stages) + "0.layer_scale"));
    options.classes = shapes.shape("classifier.2.weight", {-1, options.widths.back()})[0];
    return options;
  }

  bool operator==(const ConvNeXtOptions&) const = default;
};

namespace detail {

/// Dimensions in another order.
inline std::shared_ptr<Part> permute(std::vector<std::int64_t> order) {
  return std::make_shared<Function>("Permute",
                                    [order = std::move(order)](const Tensor& x) { return x.permute(order); });
}

/// (x − mean) / √(variance + 10⁻⁶) · weight + bias over the last dimension, of size width.
class LayerNorm : public Part {
 public:
  explicit LayerNorm(std::int64_t width)
      : weight_(register_parameter("weight", torch::ones({width}))),
        bias_(register_parameter("bias", torch::zeros({width}))) {}
  Tensor forward(const Tensor& x) override {
    return torch::layer_norm(x, weight_.sizes(), weight_, bias_, /*eps=*/1e-6);
  }

 private:
  Tensor weight_, bias_;
};

/// LayerNorm over the channels of N×C×H×W, at each place for itself.
class LayerNorm2d final : public LayerNorm {
 public:
  using LayerNorm::LayerNorm;
  Tensor forward(const Tensor& x) override {
    return LayerNorm::forward(x.permute({0, 2, 3, 1})).permute({0, 3, 1, 2});
  }
};

/// x + layer_scale · Linear(GELU(Linear(LayerNorm(depthwise 7×7 (x))))), N×C×H×W to the same.
class ConvNeXtBlock final : public Part, public Foldable {
 public:
  ConvNeXtBlock(std::int64_t width, double scale, std::string path)
      : path_(std::move(path)),
        block_(std::make_shared<Steps>(path_ + ".block")),
        last_(std::make_shared<Linear>(4 * width, width)) {
    layer_scale_ = register_parameter("layer_scale", torch::full({width, 1, 1}, scale));
    block_->push_back(conv2d(width, width, 7, {.padding = 3, .groups = width}));
    block_->push_back(permute({0, 2, 3, 1}));
    block_->push_back(std::make_shared<LayerNorm>(width));
    block_->push_back(linear(width, 4 * width));
    block_->push_back(std::make_shared<Function>("GELU", [](const Tensor& x) { return torch::gelu(x); }));
    block_->push_back(last_);
    block_->push_back(permute({0, 3, 1, 2}));
    register_module("block", block_);
  }

  Tensor forward(const Tensor& x) override {
    Tensor y = block_->forward(x);
    if (!folded_) y = layer_scale_ * mark(path_ + ".block", std::move(y));
    y = mark(path_ + ".layer_scale", std::move(y));
    return x + mark(path_ + ".stochastic_depth", std::move(y));
  }

  /// Folds layer_scale into the linear layer before it.
  std::vector<std::string> fold() override {
    last_->take_over(layer_scale_.flatten());
    folded_ = true;
    std::vector<std::string> hidden = block_->hide_last(2);  // that layer, and the permutation behind it
    hidden.push_back(path_ + ".block");
    return hidden;
  }

 private:
  std::string path_;
  Tensor layer_scale_{};
  std::shared_ptr<Steps> block_;
  std::shared_ptr<Linear> last_;
  bool folded_ = false;
};

}  // namespace detail

/// ConvNeXt: images N×3×H×W to scores N×K.
///
/// Liu et al., "A ConvNet for the 2020s", CVPR 2022. Parameters and layers have torchvision's names, in its
/// order; a block's product with `layer_scale` is a layer, too. Stochastic depth, which drops blocks during
/// training, is left out: the layer of that name is what it gets.
///
///   ConvNeXt network(ConvNeXtOptions::convnext_base());
///
/// Throws Error unless there are as many widths as depths.
class ConvNeXtImpl : public torch::nn::Module {
 public:
  explicit ConvNeXtImpl(const ConvNeXtOptions& options = {})
      : features_(std::make_shared<detail::Steps>("features")),
        classifier_(std::make_shared<detail::Steps>("classifier")) {
    const auto& [depths, widths, classes, patch, layer_scale] = options;
    if (depths.empty() || depths.size() != widths.size())
      throw Error("a ConvNeXt of " + std::to_string(depths.size()) + " depths and " +
                  std::to_string(widths.size()) + " widths was asked for; each stage needs one of both");
    auto stem = std::make_shared<detail::Steps>(features_->next());
    stem->push_back(detail::conv2d(3, widths[0], patch, {.stride = patch}));
    stem->push_back(std::make_shared<detail::LayerNorm2d>(widths[0]));
    features_->push_back(stem);
    for (std::size_t stage = 0; stage < depths.size(); ++stage) {
      if (stage > 0) {
        auto downsample = std::make_shared<detail::Steps>(features_->next());
        downsample->push_back(std::make_shared<detail::LayerNorm2d>(widths[stage - 1]));
        downsample->push_back(detail::conv2d(widths[stage - 1], widths[stage], 2, {.stride = 2}));
        features_->push_back(downsample);
      }
      auto blocks = std::make_shared<detail::Steps>(features_->next());
      for (std::int64_t i = 0; i < depths[stage]; ++i)
        blocks->push_back(
            std::make_shared<detail::ConvNeXtBlock>(widths[stage], layer_scale, blocks->next()));
      features_->push_back(blocks);
    }
    classifier_->push_back(std::make_shared<detail::LayerNorm2d>(widths.back()));
    classifier_->push_back(
        std::make_shared<detail::Function>("Flatten", [](const Tensor& x) { return x.flatten(1); }));
    classifier_->push_back(detail::linear(widths.back(), classes));
    register_module("features", features_);
    register_module("classifier", classifier_);
    start();
  }

  Tensor forward(Tensor x) {
    x = mark("features", features_->forward(x));
    x = mark("avgpool", x.mean({2, 3}, /*keepdim=*/true));
    return mark("classifier", classifier_->forward(x));
  }

 private:
  /// The paper's start: weights N(0, 0.02²) (its truncation at ±2 never bites), biases 0.
  void start() {
    if (detail::WithoutValues::on()) return;
    const torch::NoGradGuard no_grad;
    for (auto& parameter : named_parameters()) {
      const bool bias = parameter.key().ends_with("bias");
      if (bias) parameter->zero_();
      if (parameter.key().ends_with("weight") && parameter->dim() > 1) parameter->normal_(0, 0.02);
    }
  }

  std::shared_ptr<detail::Steps> features_, classifier_;
};

/// Holds a ConvNeXtImpl as LibTorch holds its own modules. `load<ConvNeXt>(file)` makes a model of one and a
/// file of weights.
class ConvNeXt : public torch::nn::ModuleHolder<ConvNeXtImpl> {
 public:
  using Options = ConvNeXtOptions;
  using torch::nn::ModuleHolder<ConvNeXtImpl>::ModuleHolder;
};

}  // namespace pellucid
