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

/// The shape of a ResNet; the defaults are ResNet-50.
struct ResNetOptions {
  std::vector<std::int64_t> depths{3, 4, 6, 3};  ///< blocks in each stage: 64, 128, 256, … wide
  bool bottleneck = true;  ///< blocks of three convolutions, the middle one 3×3 on a quarter of the channels
  std::int64_t classes = 1000;  ///< K, scores of an image

  static ResNetOptions resnet18() { return {.depths = {2, 2, 2, 2}, .bottleneck = false}; }
  static ResNetOptions resnet34() { return {.depths = {3, 4, 6, 3}, .bottleneck = false}; }
  static ResNetOptions resnet50() { return {}; }
  static ResNetOptions resnet101() { return {.depths = {3, 4, 23, 3}}; }
  static ResNetOptions resnet152() { return {.depths = {3, 8, 36, 3}}; }

  static constexpr const char* family = "resnet";
  static Variants<ResNetOptions> variants() {
    return {{"resnet18", resnet18()},
            {"resnet34", resnet34()},
            {"resnet50", resnet50()},
            {"resnet101", resnet101()},
            {"resnet152", resnet152()}};
  }

  /// The options that a checkpoint's shapes tell. Throws Error for what is not a ResNet (a ResNeXt, a wide
  /// one and the small ones for CIFAR are not); `what` begins the message.
  static ResNetOptions of(const Checkpoint& checkpoint, const std::string& what) {
    const ShapeReader shapes(checkpoint, what, "ResNet");
    shapes.shape("conv1.weight", {64, 3, 7, 7});
    ResNetOptions options{.depths = {}, .bottleneck = shapes.has("layer1.0.conv3.weight")};
    std::int64_t width = 64;
    for (std::int64_t number = 1; number == 1 || shapes.has(stage(number) + ".0.conv1.weight"); ++number) {
      const std::int64_t side = options.bottleneck ? 1 : 3;
      shapes.shape(stage(number) + ".0.conv1.weight", {width, -1, side, side});
      shapes.shape(stage(number) + ".0.conv2.weight", {width, width, 3, 3});
      options.depths.push_back(shapes.count(stage(number) + ".", ".conv1.weight"));
      width *= 2;
    }
    options.classes = shapes.shape("fc.weight", {-1, width / 2 * (options.bottleneck ? 4 : 1)})[0];
    return options;
  }

  /// The name of a stage, from 1: `layer1`.
  static std::string stage(std::int64_t number) { return "layer" + std::to_string(number); }

  bool operator==(const ResNetOptions&) const = default;
};

namespace detail {

/// relu(F(x) + x), N×C×H×W to N×outputs×H/stride×W/stride. F is two 3×3 convolutions, or (bottleneck) 1×1,
/// 3×3, 1×1. Where the shape changes, x goes through a 1×1 convolution, `downsample`.
class ResNetBlock final : public Steps {
 public:
  ResNetBlock(const std::string& path, std::int64_t inputs, std::int64_t width, std::int64_t stride,
              bool bottleneck)
      : Steps(path) {
    const std::int64_t outputs = bottleneck ? 4 * width : width;
    const std::shared_ptr<Part> relu = detail::relu();
    const auto convolve = [&](const std::string& number, std::int64_t from, std::int64_t to,
                              std::int64_t side, std::int64_t step = 1) {
      push_back("conv" + number, convolution_without_bias(from, to, side, step));
      push_back("bn" + number, batch_norm(to));
    };
    if (bottleneck) {
      convolve("1", inputs, width, 1);
      push_back("relu", relu);
      convolve("2", width, width, 3, stride);
      push_back("relu", relu);
      convolve("3", width, outputs, 1);
    } else {
      convolve("1", inputs, width, 3, stride);
      push_back("relu", relu);
      convolve("2", width, width, 3);
    }
    if (stride == 1 && inputs == outputs) return;
    downsample_ = std::make_shared<Steps>(full_name("downsample"));
    downsample_->push_back(convolution_without_bias(inputs, outputs, 1, stride));
    downsample_->push_back(batch_norm(outputs));
    register_module("downsample", downsample_);
  }

  Tensor forward(const Tensor& x) override {
    Tensor y = Steps::forward(x);
    const Tensor same = downsample_ == nullptr ? x : mark(full_name("downsample"), downsample_->forward(x));
    return mark(full_name("relu"), y.add_(same).relu_());
  }

 private:
  std::shared_ptr<Steps> downsample_{};
};

}  // namespace detail

/// ResNet: images N×3×H×W to scores N×K.
///
/// He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, with the stride of a bottleneck at
/// its 3×3 convolution ("v1.5"), where the published weights have it. Parameters and layers have
/// torchvision's names, in its order; a block's ReLU runs two or three times: `layer1.0.relu#1`, `#2`.
///
///   ResNet network(ResNetOptions::resnet18());
///
/// Throws Error without a stage.
class ResNetImpl : public detail::Steps {
 public:
  explicit ResNetImpl(const ResNetOptions& options = {}) {
    if (options.depths.empty())
      throw Error("a ResNet of no stage was asked for; give depths such as {2, 2, 2, 2}");
    push_back("conv1", detail::convolution_without_bias(3, 64, 7, 2));
    push_back("bn1", detail::batch_norm(64));
    push_back("relu", detail::relu());
    push_back("maxpool", detail::max_pool(3, 2, 1));
    std::int64_t inputs = 64, width = 64;
    for (std::size_t stage = 0; stage < options.depths.size(); ++stage, width *= 2) {
      const std::string name = ResNetOptions::stage(std::int64_t(stage) + 1);
      auto blocks = std::make_shared<detail::Steps>(name);
      for (std::int64_t i = 0; i < options.depths[stage]; ++i) {
        const std::int64_t stride = stage > 0 && i == 0 ? 2 : 1;
        blocks->push_back(
            std::make_shared<detail::ResNetBlock>(blocks->next(), inputs, width, stride, options.bottleneck));
        inputs = options.bottleneck ? 4 * width : width;
      }
      push_back(name, blocks);
    }
    push_back("avgpool", detail::average_pool());
    fc_ = register_module("fc", detail::linear(inputs, options.classes));
    detail::draw_values(*this);
  }

  Tensor forward(const Tensor& x) override { return mark("fc", fc_->forward(Steps::forward(x).flatten(1))); }

 private:
  std::shared_ptr<detail::Part> fc_{};
};

/// Holds a ResNetImpl as LibTorch holds its own modules. `load<ResNet>(file)` makes a model of one and a file
/// of weights.
class ResNet : public torch::nn::ModuleHolder<ResNetImpl> {
 public:
  using Options = ResNetOptions;
  using torch::nn::ModuleHolder<ResNetImpl>::ModuleHolder;
};

}  // namespace pellucid
