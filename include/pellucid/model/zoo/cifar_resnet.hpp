#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include <pellucid/core/error.hpp>
#include <pellucid/model/zoo/layers.hpp>
#include <pellucid/model/zoo/shape_reader.hpp>
#include <pellucid/model/zoo/steps.hpp>

namespace pellucid {

/// The shape of a small ResNet for images of 32×32; the defaults are ResNet-20.
struct CifarResNetOptions {
  std::int64_t blocks = 3;    ///< in each of the three stages; the network has 6 · blocks + 2 layers
  std::int64_t classes = 10;  ///< K, scores of an image

  static CifarResNetOptions resnet20() { return {.blocks = 3}; }
  static CifarResNetOptions resnet32() { return {.blocks = 5}; }
  static CifarResNetOptions resnet44() { return {.blocks = 7}; }
  static CifarResNetOptions resnet56() { return {.blocks = 9}; }

  static constexpr const char* family = "cifar_resnet";
  static Variants<CifarResNetOptions> variants() {
    return {{"resnet20", resnet20()},
            {"resnet32", resnet32()},
            {"resnet44", resnet44()},
            {"resnet56", resnet56()}};
  }

  /// The options that a checkpoint's shapes tell. Throws Error for what is not such a ResNet; `what` begins
  /// the message.
  static CifarResNetOptions of(const Checkpoint& checkpoint, const std::string& what) {
    const ShapeReader shapes(checkpoint, what, "ResNet for CIFAR");
    shapes.shape("conv1.weight", {16, 3, 3, 3});
    shapes.shape("layer3.0.conv1.weight", {64, 32, 3, 3});
    return {.blocks = shapes.count("layer1.", ".conv1.weight"),
            .classes = shapes.shape("linear.weight", {-1, 64})[0]};
  }

  bool operator==(const CifarResNetOptions&) const = default;
};

namespace detail {

/// relu(F(x) + x), N×C×H×W to N×outputs×H/stride×W/stride; F is two 3×3 convolutions. Where the shape changes
/// (option A), x gives every second pixel, and channels of zeros, half of them before its own and half
/// behind.
class CifarBlock final : public Steps {
 public:
  CifarBlock(const std::string& path, std::int64_t inputs, std::int64_t outputs)
      : Steps(path), more_(outputs - inputs) {
    push_back("conv1", convolution_without_bias(inputs, outputs, 3, more_ > 0 ? 2 : 1));
    push_back("bn1", batch_norm(outputs));
    push_back("relu", relu());
    push_back("conv2", convolution_without_bias(outputs, outputs, 3));
    push_back("bn2", batch_norm(outputs));
  }

  Tensor forward(const Tensor& x) override {
    Tensor y = Steps::forward(x);
    Tensor same = x;
    if (more_ > 0) {
      const auto every_second = torch::indexing::Slice(torch::indexing::None, torch::indexing::None, 2);
      same = torch::constant_pad_nd(x.index({torch::indexing::Ellipsis, every_second, every_second}),
                                    {0, 0, 0, 0, more_ / 2, more_ - more_ / 2});
    }
    return mark(full_name("relu"), y.add_(mark(full_name("shortcut"), same)).relu_());
  }

 private:
  std::int64_t more_;  // channels behind than before
};

}  // namespace detail

/// The ResNets for CIFAR-10: images N×3×32×32 to scores N×K.
///
/// He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, section 4.2. Parameters have the
/// names of the published checkpoints (Y. Idelbayev's).
///
///   CifarResNet network(CifarResNetOptions::resnet56());
///
/// Throws Error without a block.
class CifarResNetImpl : public detail::Steps {
 public:
  explicit CifarResNetImpl(const CifarResNetOptions& options = {}) {
    if (options.blocks < 1)
      throw Error("a ResNet for CIFAR of " + std::to_string(options.blocks) +
                  " blocks in a stage was asked for; give 1 or more");
    push_back("conv1", detail::convolution_without_bias(3, 16, 3));
    push_back("bn1", detail::batch_norm(16));
    push_back("relu", detail::relu());
    std::int64_t inputs = 16;
    for (const std::int64_t stage : {1, 2, 3}) {
      const std::int64_t width = std::int64_t(8) << stage;
      const std::string name = "layer" + std::to_string(stage);
      auto blocks = std::make_shared<detail::Steps>(name);
      for (std::int64_t i = 0; i < options.blocks; ++i, inputs = width)
        blocks->push_back(std::make_shared<detail::CifarBlock>(blocks->next(), inputs, width));
      push_back(name, blocks);
    }
    linear_ = register_module("linear", detail::linear(inputs, options.classes));
    detail::draw_values(*this);
  }

  Tensor forward(const Tensor& x) override {
    return mark("linear", linear_->forward(Steps::forward(x).mean({2, 3})));
  }

 private:
  std::shared_ptr<detail::Part> linear_{};
};

/// Holds a CifarResNetImpl as LibTorch holds its own modules. `load<CifarResNet>(file)` makes a model of one
/// and a file of weights.
class CifarResNet : public torch::nn::ModuleHolder<CifarResNetImpl> {
 public:
  using Options = CifarResNetOptions;
  using torch::nn::ModuleHolder<CifarResNetImpl>::ModuleHolder;
};

}  // namespace pellucid
