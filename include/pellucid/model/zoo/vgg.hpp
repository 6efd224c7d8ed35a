#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/model/zoo/layers.hpp>
#include <pellucid/model/zoo/shape_reader.hpp>
#include <pellucid/model/zoo/steps.hpp>

namespace pellucid {

/// The shape of a VGG; the defaults are VGG-16.
struct VGGOptions {
  /// The channels of each 3×3 convolution in turn; 0 is a 2×2 max-pooling.
  std::vector<std::int64_t> plan{64, 64,  0,   128, 128, 0,   256, 256, 256,
                                 0,  512, 512, 512, 0,   512, 512, 512, 0};
  bool batch_norm = false;      ///< one behind each convolution
  std::int64_t classes = 1000;  ///< K, scores of an image
  std::int64_t hidden = 4096;   ///< of the two hidden linear layers; 0: one linear layer gives the scores
  std::int64_t pool = 7;        ///< side of the map that the linear layers see

  static VGGOptions vgg11() { return of_blocks({1, 1, 2, 2, 2}, false); }
  static VGGOptions vgg13() { return of_blocks({2, 2, 2, 2, 2}, false); }
  static VGGOptions vgg16() { return of_blocks({2, 2, 3, 3, 3}, false); }
  static VGGOptions vgg19() { return of_blocks({2, 2, 4, 4, 4}, false); }
  static VGGOptions vgg11_bn() { return of_blocks({1, 1, 2, 2, 2}, true); }
  static VGGOptions vgg13_bn() { return of_blocks({2, 2, 2, 2, 2}, true); }
  static VGGOptions vgg16_bn() { return of_blocks({2, 2, 3, 3, 3}, true); }
  static VGGOptions vgg19_bn() { return of_blocks({2, 2, 4, 4, 4}, true); }

  static constexpr const char* family = "vgg";
  static Variants<VGGOptions> variants() {
    return {{"vgg11", vgg11()}, {"vgg11_bn", vgg11_bn()}, {"vgg13", vgg13()}, {"vgg13_bn", vgg13_bn()},
            {"vgg16", vgg16()}, {"vgg16_bn", vgg16_bn()}, {"vgg19", vgg19()}, {"vgg19_bn", vgg19_bn()}};
  }

  /// The options that a checkpoint's shapes tell. A max-pooling after the last convolution leaves no trace
  /// there: as in the paper, there is one. Throws Error for what is not a VGG; `what` begins the message.
  static VGGOptions of(const Checkpoint& checkpoint, const std::string& what) {
    const ShapeReader shapes(checkpoint, what, "VGG");
    VGGOptions options{.plan = {}, .batch_norm = shapes.has("features.1.running_mean"), .hidden = 0};
    const auto convolution = [](std::int64_t i) { return "features." + std::to_string(i) + ".weight"; };
    std::int64_t width = 3;
    for (std::int64_t i = 0; i == 0 || shapes.has(convolution(i));) {
      width = shapes.shape(convolution(i), {-1, width, 3, 3})[0];
      options.plan.push_back(width);
      i += options.batch_norm ? 3 : 2;
      if (shapes.has(convolution(i))) continue;
      options.plan.push_back(0);
      ++i;
    }
    const auto first = shapes.shape("classifier.0.weight", {-1, -1});
    options.pool = std::llround(std::sqrt(double(first[1]) / double(width)));
    if (options.pool * options.pool * width != first[1])
      shapes.refuse("its tensor 'classifier.0.weight' takes " + std::to_string(first[1]) +
                    " values, which are no square map of the " + std::to_string(width) +
                    " channels of the last convolution");
    options.classes = first[0];
    if (shapes.has("classifier.3.weight")) {
      options.hidden = shapes.shape("classifier.3.weight", {first[0], first[0]})[0];
      options.classes = shapes.shape("classifier.6.weight", {-1, options.hidden})[0];
    }
    return options;
  }

  bool operator==(const VGGOptions&) const = default;

 private:
  /// Blocks of so many convolutions, each block followed by a max-pooling.
  static VGGOptions of_blocks(const std::vector<std::int64_t>& convolutions, bool batch_norm) {
    VGGOptions options{.plan = {}, .batch_norm = batch_norm};
    std::int64_t width = 64;
    for (const std::int64_t count : convolutions) {
      options.plan.insert(options.plan.end(), std::size_t(count), width);
      options.plan.push_back(0);
      width = std::min<std::int64_t>(2 * width, 512);
    }
    return options;
  }
};

/// VGG: images N×3×H×W to scores N×K.
///
/// Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015.
/// Parameters and layers have torchvision's names, in its order.
///
///   VGG network(VGGOptions::vgg16_bn());
///
/// Throws Error on a plan without a convolution.
class VGGImpl : public torch::nn::Module {
 public:
  explicit VGGImpl(const VGGOptions& options = {})
      : features_(std::make_shared<detail::Steps>("features")),
        pool_(options.pool),
        classifier_(std::make_shared<detail::Steps>("classifier")) {
    std::int64_t width = 3;
    for (const std::int64_t channels : options.plan) {
      if (channels == 0) {
        features_->push_back(detail::max_pool(2, 2));
        continue;
      }
      features_->push_back(detail::conv2d(width, channels, 3, {.padding = 1}));
      if (options.batch_norm) features_->push_back(detail::batch_norm(channels));
      features_->push_back(detail::relu());
      width = channels;
    }
    if (width == 3) throw Error("a VGG needs a plan with at least one convolution, such as {64, 0, 128, 0}");

    const std::int64_t values = width * options.pool * options.pool, hidden = options.hidden;
    const auto hide = [&](std::int64_t inputs) {
      classifier_->push_back(detail::linear(inputs, hidden));
      classifier_->push_back(detail::relu());
      classifier_->push_back(detail::dropout());
    };
    if (hidden > 0) hide(values), hide(hidden);
    classifier_->push_back(detail::linear(hidden > 0 ? hidden : values, options.classes));
    register_module("features", features_);
    register_module("classifier", classifier_);
    detail::draw_values(*this);
  }

  Tensor forward(Tensor x) {
    x = mark("features", features_->forward(x));
    x = mark("avgpool", torch::adaptive_avg_pool2d(x, {pool_, pool_}));
    return mark("classifier", classifier_->forward(x.flatten(1)));
  }

 private:
  std::shared_ptr<detail::Steps> features_;
  std::int64_t pool_;
  std::shared_ptr<detail::Steps> classifier_;
};

/// Holds a VGGImpl as LibTorch holds its own modules. `load<VGG>(file)` makes a model of one and a file of
/// weights.
class VGG : public torch::nn::ModuleHolder<VGGImpl> {
 public:
  using Options = VGGOptions;
  using torch::nn::ModuleHolder<VGGImpl>::ModuleHolder;
};

}  // namespace pellucid
