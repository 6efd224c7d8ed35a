#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <pellucid/model/zoo/layers.hpp>
#include <pellucid/model/zoo/shape_reader.hpp>
#include <pellucid/model/zoo/steps.hpp>

namespace pellucid {

/// The two SqueezeNets. 1.1 pools earlier and has a smaller stem: the same accuracy for less than half of the
/// work.
enum class SqueezeNetVersion { v1_0, v1_1 };

/// The shape of a SqueezeNet; the defaults are version 1.0.
struct SqueezeNetOptions {
  SqueezeNetVersion version = SqueezeNetVersion::v1_0;  ///< 1.0 or 1.1
  std::int64_t classes = 1000;                          ///< K, scores of an image

  static SqueezeNetOptions squeezenet1_0() { return {.version = SqueezeNetVersion::v1_0}; }
  static SqueezeNetOptions squeezenet1_1() { return {.version = SqueezeNetVersion::v1_1}; }

  static constexpr const char* family = "squeezenet";
  static Variants<SqueezeNetOptions> variants() {
    return {{"squeezenet1_0", squeezenet1_0()}, {"squeezenet1_1", squeezenet1_1()}};
  }

  /// The options that a checkpoint's shapes tell. Throws Error for what is not a SqueezeNet; `what` begins
  /// the message.
  static SqueezeNetOptions of(const Checkpoint& checkpoint, const std::string& what) {
    const ShapeReader shapes(checkpoint, what, "SqueezeNet");
    shapes.shape("features.3.squeeze.weight", {16, -1, 1, 1});
    const bool first = shapes.shape("features.0.weight", {-1, 3, -1, -1})[0] == 96;
    return {.version = first ? SqueezeNetVersion::v1_0 : SqueezeNetVersion::v1_1,
            .classes = shapes.shape("classifier.1.weight", {-1, 512, 1, 1})[0]};
  }

  bool operator==(const SqueezeNetOptions&) const = default;
};

namespace detail {

/// A 1×1 convolution to few channels, then a 1×1 and a 3×3 convolution side by side, each with its ReLU:
/// N×C×H×W to N×2·expand×H×W.
class Fire final : public Part {
 public:
  Fire(std::string path, std::int64_t inputs, std::int64_t squeeze, std::int64_t expand)
      : path_(std::move(path)) {
    squeeze_ = register_module("squeeze", conv2d(inputs, squeeze, 1));
    expand1x1_ = register_module("expand1x1", conv2d(squeeze, expand, 1));
    expand3x3_ = register_module("expand3x3", conv2d(squeeze, expand, 3, {.padding = 1}));
  }

  Tensor forward(const Tensor& x) override {
    const Tensor few = activated("squeeze", *squeeze_, x);
    const Tensor places = activated("expand1x1", *expand1x1_, few);
    return torch::cat({places, activated("expand3x3", *expand3x3_, few)}, 1);
  }

 private:
  Tensor activated(const std::string& name, Part& convolution, const Tensor& x) const {
    Tensor y = mark(path_ + "." + name, convolution.forward(x));
    return mark(path_ + "." + name + "_activation", torch::relu_(y));
  }

  std::string path_;
  std::shared_ptr<Part> squeeze_{}, expand1x1_{}, expand3x3_{};
};

}  // namespace detail

/// SqueezeNet: images N×3×H×W to scores N×K.
///
/// Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size",
/// 2016; 1.1 as its authors published it afterwards. Parameters and layers have torchvision's names, in its
/// order.
///
///   SqueezeNet network(SqueezeNetOptions::squeezenet1_1());
class SqueezeNetImpl : public torch::nn::Module {
 public:
  explicit SqueezeNetImpl(const SqueezeNetOptions& options = {})
      : features_(std::make_shared<detail::Steps>("features")),
        classifier_(std::make_shared<detail::Steps>("classifier")) {
    const bool first = options.version == SqueezeNetVersion::v1_0;
    std::int64_t width = first ? 96 : 64;
    features_->push_back(detail::conv2d(3, width, first ? 7 : 3, {.stride = 2}));
    features_->push_back(detail::relu());
    const auto pool = [&] { features_->push_back(detail::max_pool(3, 2, 0, /*ceil=*/true)); };
    const auto fire = [&](std::int64_t squeeze, std::int64_t expand) {
      features_->push_back(std::make_shared<detail::Fire>(features_->next(), width, squeeze, expand));
      width = 2 * expand;
    };
    pool();
    fire(16, 64), fire(16, 64);
    if (!first) pool();
    fire(32, 128);
    if (first) pool();
    fire(32, 128);
    if (!first) pool();
    fire(48, 192), fire(48, 192), fire(64, 256);
    if (first) pool();
    fire(64, 256);
    classifier_->push_back(detail::dropout());
    classifier_->push_back(detail::conv2d(width, options.classes, 1));
    classifier_->push_back(detail::relu());
    classifier_->push_back(detail::average_pool());
    register_module("features", features_);
    register_module("classifier", classifier_);
    start();
  }

  Tensor forward(Tensor x) {
    x = mark("features", features_->forward(x));
    return mark("classifier", classifier_->forward(x)).flatten(1);
  }

 private:
  /// As all; the convolution that gives the scores starts small, N(0, 0.01²), as in the authors' files.
  void start() {
    if (detail::WithoutValues::on()) return;
    detail::draw_values(*this);
    const torch::NoGradGuard no_grad;
    named_parameters()["classifier.1.weight"].normal_(0, 0.01);
  }

  std::shared_ptr<detail::Steps> features_, classifier_;
};

/// Holds a SqueezeNetImpl as LibTorch holds its own modules. `load<SqueezeNet>(file)` makes a model of one
/// and a file of weights.
class SqueezeNet : public torch::nn::ModuleHolder<SqueezeNetImpl> {
 public:
  using Options = SqueezeNetOptions;
  using torch::nn::ModuleHolder<SqueezeNetImpl>::ModuleHolder;
};

}  // namespace pellucid
