#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/model/zoo/steps.hpp>

namespace pellucid {

/// The shape of a VGG; the defaults are VGG-16.
struct VGGOptions {
  /// The channels of each 3×3 convolution in turn; 0 is a 2×2 max-pooling.
  std::vector<std::int64_t> plan{64, 64,  0,   128, 128, 0,   256, 256, 256,
                                 0,  512, 512, 512, 0,   512, 512, 512, 0};
  bool batch_norm = false;
  std::int64_t classes = 1000;
  std::int64_t hidden = 4096;  ///< of the two hidden linear layers; 0: one linear layer gives the scores
  std::int64_t pool = 7;       ///< side of the map that the linear layers see
};

/// VGG: images N×3×H×W to scores N×K.
///
/// Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015.
/// Parameters and layers have torchvision's names, in its order.
/// Throws Error on a plan without a convolution.
class VGGImpl : public torch::nn::Module {
 public:
  explicit VGGImpl(const VGGOptions& options = {})
      : features_("features"), pool_(options.pool), classifier_("classifier") {
    std::int64_t width = 3;
    for (const std::int64_t channels : options.plan) {
      if (channels == 0) {
        features_->push_back(torch::nn::MaxPool2d(2));
        continue;
      }
      features_->push_back(torch::nn::Conv2d(torch::nn::Conv2dOptions(width, channels, 3).padding(1)));
      if (options.batch_norm) features_->push_back(torch::nn::BatchNorm2d(channels));
      features_->push_back(torch::nn::ReLU());
      width = channels;
    }
    if (width == 3) throw Error("a VGG needs a plan with at least one convolution, such as {64, 0, 128, 0}");

    const std::int64_t values = width * options.pool * options.pool, hidden = options.hidden;
    const auto hide = [&](std::int64_t inputs) {
      classifier_->push_back(torch::nn::Linear(inputs, hidden));
      classifier_->push_back(torch::nn::ReLU());
      classifier_->push_back(torch::nn::Dropout());
    };
    if (hidden > 0) hide(values), hide(hidden);
    classifier_->push_back(torch::nn::Linear(hidden > 0 ? hidden : values, options.classes));
    register_module("features", features_);
    register_module("classifier", classifier_);
    start();
  }

  Tensor forward(Tensor x) {
    x = mark("features", features_->forward(x));
    x = mark("avgpool", torch::adaptive_avg_pool2d(x, {pool_, pool_}));
    return mark("classifier", classifier_->forward(x.flatten(1)));
  }

 private:
  /// He et al. 2015 for convolutions, N(0, 0.01²) for linear layers, biases 0.
  void start() {
    const torch::NoGradGuard no_grad;
    for (auto& parameter : named_parameters()) {
      const bool bias = parameter.key().ends_with("bias");
      if (bias) parameter->zero_();
      if (parameter->dim() == 4)
        torch::nn::init::kaiming_normal_(*parameter, 0, torch::kFanOut, torch::kReLU);
      if (parameter->dim() == 2) parameter->normal_(0, 0.01);
    }
  }

  Steps features_;
  std::int64_t pool_;
  Steps classifier_;
};

class VGG : public torch::nn::ModuleHolder<VGGImpl> {
 public:
  using torch::nn::ModuleHolder<VGGImpl>::ModuleHolder;
};

}  // namespace pellucid
