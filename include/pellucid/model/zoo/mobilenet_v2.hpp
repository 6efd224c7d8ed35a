#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <pellucid/model/zoo/layers.hpp>
#include <pellucid/model/zoo/shape_reader.hpp>
#include <pellucid/model/zoo/steps.hpp>

namespace pellucid {

/// The shape of a MobileNetV2 of the full width.
struct MobileNetV2Options {
  std::int64_t classes = 1000;  ///< K, scores of an image

  static MobileNetV2Options mobilenet_v2() { return {}; }

  static constexpr const char* family = "mobilenet";
  static Variants<MobileNetV2Options> variants() { return {{"mobilenet_v2", mobilenet_v2()}}; }

  /// The options that a checkpoint's shapes tell. Throws Error for what is not a MobileNetV2 of the full
  /// width; `what` begins the message.
  static MobileNetV2Options of(const Checkpoint& checkpoint, const std::string& what) {
    const ShapeReader shapes(checkpoint, what, "MobileNetV2");
    shapes.shape("features.0.0.weight", {32, 3, 3, 3});
    shapes.shape("features.1.conv.0.0.weight", {32, 1, 3, 3});
    return {.classes = shapes.shape("classifier.1.weight", {-1, 1280})[0]};
  }

  bool operator==(const MobileNetV2Options&) const = default;
};

namespace detail {

/// Convolution, batch norm and ReLU6, the layers `path`.0 to `path`.2.
inline std::shared_ptr<Part> convolution_to_relu6(const std::string& path, std::int64_t inputs,
                                                  std::int64_t outputs, std::int64_t side,
                                                  std::int64_t stride = 1, std::int64_t groups = 1) {
  auto steps = std::make_shared<Steps>(path);
  steps->push_back(convolution_without_bias(inputs, outputs, side, stride, groups));
  steps->push_back(batch_norm(outputs));
  steps->push_back(
      std::make_shared<Function>("ReLU6", [](const Tensor& x) { return torch::hardtanh(x, 0, 6); }));
  return steps;
}

/// A 1×1 convolution to `expansion` times the channels, a depthwise 3×3 one, and a 1×1 one back to `outputs`:
/// N×C×H×W to N×outputs×H/stride×W/stride. Added to x where the shape stays.
class InvertedResidual final : public Part {
 public:
  InvertedResidual(std::string path, std::int64_t inputs, std::int64_t outputs, std::int64_t expansion,
                   std::int64_t stride)
      : path_(std::move(path)),
        conv_(std::make_shared<Steps>(path_ + ".conv")),
        residual_(stride == 1 && inputs == outputs) {
    const std::int64_t width = expansion * inputs;
    if (expansion > 1) conv_->push_back(convolution_to_relu6(conv_->next(), inputs, width, 1));
    conv_->push_back(convolution_to_relu6(conv_->next(), width, width, 3, stride, width));
    conv_->push_back(convolution_without_bias(width, outputs, 1));
    conv_->push_back(batch_norm(outputs));
    register_module("conv", conv_);
  }

  Tensor forward(const Tensor& x) override {
    const Tensor y = mark(path_ + ".conv", conv_->forward(x));
    return residual_ ? y.add_(x) : y;
  }

 private:
  std::string path_;
  std::shared_ptr<Steps> conv_;
  bool residual_;
};

}  // namespace detail

/// MobileNetV2: images N×3×H×W to scores N×K.
///
/// Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018. Parameters and layers
/// have torchvision's names, in its order.
///
///   MobileNetV2 network(MobileNetV2Options::mobilenet_v2());
class MobileNetV2Impl : public torch::nn::Module {
 public:
  explicit MobileNetV2Impl(const MobileNetV2Options& options = {})
      : features_(std::make_shared<detail::Steps>("features")),
        classifier_(std::make_shared<detail::Steps>("classifier")) {
    struct Stage {
      std::int64_t expansion, width, blocks, stride;
    };
    constexpr Stage stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                                {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    std::int64_t inputs = 32;
    features_->push_back(detail::convolution_to_relu6(features_->next(), 3, inputs, 3, 2));
    for (const auto& [expansion, width, blocks, stride] : stages) {
      for (std::int64_t i = 0; i < blocks; ++i, inputs = width)
        features_->push_back(std::make_shared<detail::InvertedResidual>(features_->next(), inputs, width,
                                                                        expansion, i == 0 ? stride : 1));
    }
    features_->push_back(detail::convolution_to_relu6(features_->next(), inputs, 1280, 1));
    classifier_->push_back(detail::dropout(0.2));
    classifier_->push_back(detail::linear(1280, options.classes));
    register_module("features", features_);
    register_module("classifier", classifier_);
    detail::draw_values(*this);
  }

  Tensor forward(Tensor x) {
    x = mark("features", features_->forward(x));
    return mark("classifier", classifier_->forward(x.mean({2, 3})));
  }

 private:
  std::shared_ptr<detail::Steps> features_, classifier_;
};

/// Holds a MobileNetV2Impl as LibTorch holds its own modules. `load<MobileNetV2>(file)` makes a model of one
/// and a file of weights.
class MobileNetV2 : public torch::nn::ModuleHolder<MobileNetV2Impl> {
 public:
  using Options = MobileNetV2Options;
  using torch::nn::ModuleHolder<MobileNetV2Impl>::ModuleHolder;
};

}  // namespace pellucid
