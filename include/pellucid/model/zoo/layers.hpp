#pragma once
/// What the networks are made of.
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/model/modules.hpp>

namespace pellucid {

namespace detail {

/// While one lives, the networks of the zoo that this thread makes get no initial values.
class WithoutValues {
 public:
  WithoutValues() : outer_(std::exchange(on(), true)) {}
  ~WithoutValues() { on() = outer_; }
  WithoutValues(const WithoutValues&) = delete;
  WithoutValues& operator=(const WithoutValues&) = delete;

  static bool& on() {
    thread_local bool on = false;
    return on;
  }

 private:
  bool outer_;
};

/// A part of a network. Those with weights compute and name what LibTorch's modules of the same name do;
/// these take a fifth of <torch/torch.h> to compile, and draw weights even where a checkpoint has them. Here
/// the network draws them, by `draw_values`.
class Part : public torch::nn::Module {
 public:
  using torch::nn::Module::Module;
  virtual Tensor forward(const Tensor& x) = 0;
};

/// Multiplies the weights of each output, the first dimension, by a factor of its own.
inline void scale_outputs(Tensor& weight, const Tensor& scale) {
  const Tensor by_output = weight.to(torch::kDouble).flatten(1) * scale.unsqueeze(1);
  weight.set_data(by_output.view(weight.sizes()).to(weight));
}

struct Conv2dOptions {
  std::int64_t stride = 1, padding = 0, groups = 1;
  bool bias = true;
};

/// N×inputs×H×W to N×outputs×H'×W', by a kernel of side×side.
class Conv2d final : public Part {
 public:
  Conv2d(std::int64_t inputs, std::int64_t outputs, std::int64_t side, const Conv2dOptions& options)
      : options_(options) {
    weight_ = register_parameter("weight", torch::empty({outputs, inputs / options.groups, side, side}));
    if (options.bias) bias_ = register_parameter("bias", torch::empty({outputs}));
  }
  Tensor forward(const Tensor& x) override {
    return torch::conv2d(x, weight_, bias_, options_.stride, options_.padding, /*dilation=*/1,
                         options_.groups);
  }

  /// Does from now on what `y → y · scale + shift` behind it would do; one of each for each output.
  void take_over(const Tensor& scale, const Tensor& shift) {
    const torch::NoGradGuard no_grad;
    const Tensor bias = bias_.defined() ? bias_.to(torch::kDouble) * scale + shift : shift;
    if (!bias_.defined()) bias_ = register_parameter("bias", torch::empty({0}), /*requires_grad=*/false);
    bias_.set_data(bias.to(weight_.scalar_type()));
    scale_outputs(weight_, scale);
  }

 private:
  Conv2dOptions options_;
  Tensor weight_{}, bias_{};
};

inline std::shared_ptr<Part> conv2d(std::int64_t inputs, std::int64_t outputs, std::int64_t side,
                                    const Conv2dOptions& options = {}) {
  return std::make_shared<Conv2d>(inputs, outputs, side, options);
}

/// A convolution before a batch norm, which has a bias of its own; the size stays but for the stride.
inline std::shared_ptr<Part> convolution_without_bias(std::int64_t inputs, std::int64_t outputs,
                                                      std::int64_t side, std::int64_t stride = 1,
                                                      std::int64_t groups = 1) {
  return conv2d(inputs, outputs, side,
                {.stride = stride, .padding = side / 2, .groups = groups, .bias = false});
}

/// N×…×inputs to N×…×outputs.
class Linear final : public Part {
 public:
  Linear(std::int64_t inputs, std::int64_t outputs)
      : weight_(register_parameter("weight", torch::empty({outputs, inputs}))),
        bias_(register_parameter("bias", torch::empty({outputs}))) {}
  Tensor forward(const Tensor& x) override { return torch::linear(x, weight_, bias_); }

  /// Does from now on what `y → y · scale` behind it would do; one of it for each output.
  void take_over(const Tensor& scale) {
    const torch::NoGradGuard no_grad;
    bias_.set_data((bias_.to(torch::kDouble) * scale).to(bias_));
    scale_outputs(weight_, scale);
  }

 private:
  Tensor weight_, bias_;
};

inline std::shared_ptr<Part> linear(std::int64_t inputs, std::int64_t outputs) {
  return std::make_shared<Linear>(inputs, outputs);
}

/// (x − mean) / √(variance + 10⁻⁵) · weight + bias for each channel of N×C×H×W: mean and variance are those
/// of the batch in training, which the running ones follow by a tenth, and the running ones afterwards.
class BatchNorm2d final : public Part {
 public:
  explicit BatchNorm2d(std::int64_t channels)
      : weight_(register_parameter("weight", torch::ones({channels}))),
        bias_(register_parameter("bias", torch::zeros({channels}))),
        mean_(register_buffer("running_mean", torch::zeros({channels}))),
        variance_(register_buffer("running_var", torch::ones({channels}))),
        batches_(register_buffer("num_batches_tracked", torch::zeros({}, torch::kLong))) {}
  Tensor forward(const Tensor& x) override {
    if (folded_) return x;
    if (is_training()) batches_ += 1;
    return torch::batch_norm(x, weight_, bias_, mean_, variance_, is_training(), /*momentum=*/0.1, epsilon,
                             at::globalContext().userEnabledCuDNN());
  }

  /// Leaves its work in evaluation mode to the convolution before it.
  void fold_into(Conv2d& convolution) {
    const torch::NoGradGuard no_grad;
    const auto exact = [](const Tensor& values) { return values.to(torch::kDouble); };
    const Tensor scale = exact(weight_) / (exact(variance_) + epsilon).sqrt();
    convolution.take_over(scale, exact(bias_) - exact(mean_) * scale);
    folded_ = true;
  }

 private:
  static constexpr double epsilon = 1e-5;
  Tensor weight_, bias_, mean_, variance_, batches_;
  bool folded_ = false;
};

inline std::shared_ptr<Part> batch_norm(std::int64_t channels) {
  return std::make_shared<BatchNorm2d>(channels);
}

/// Each value is dropped in training with this probability.
class Dropout final : public Part {
 public:
  explicit Dropout(double probability) : probability_(probability) {}
  Tensor forward(const Tensor& x) override { return torch::dropout(x, probability_, is_training()); }

 private:
  double probability_;
};

inline std::shared_ptr<Part> dropout(double probability = 0.5) {
  return std::make_shared<Dropout>(probability);
}

/// A function without weights; `kind` is what people call it.
class Function final : public Part {
 public:
  Function(std::string kind, std::function<Tensor(const Tensor&)> function)
      : Part(std::move(kind)), function_(std::move(function)) {}
  Tensor forward(const Tensor& x) override { return function_(x); }

 private:
  std::function<Tensor(const Tensor&)> function_;
};

/// Writes over its input, which must be its alone: what a convolution, a norm, a linear layer or a sum gives,
/// none of which needs it to be differentiated. (What is kept of a mark before it is a copy.)
inline std::shared_ptr<Part> relu() {
  return std::make_shared<Function>("ReLU", [](Tensor x) { return torch::relu_(x); });
}

inline std::shared_ptr<Part> max_pool(std::int64_t side, std::int64_t stride, std::int64_t padding = 0,
                                      bool ceil = false) {
  return std::make_shared<Function>("MaxPool2d", [=](const Tensor& x) {
    return torch::max_pool2d(x, side, stride, padding, /*dilation=*/1, ceil);
  });
}

/// The mean of each channel: N×C×H×W to N×C×1×1.
inline std::shared_ptr<Part> average_pool() {
  return std::make_shared<Function>("AdaptiveAvgPool2d", [](const Tensor& x) {
    return torch::adaptive_avg_pool2d(x, {1, 1});
  });
}

/// He et al. 2015 for convolutions (N(0, 2 / (outputs · area))), N(0, 0.01²) for linear layers, biases 0.
/// Nothing without values.
inline void draw_values(torch::nn::Module& network) {
  if (WithoutValues::on()) return;
  const torch::NoGradGuard no_grad;
  for (auto& parameter : network.named_parameters()) {
    if (parameter.key().ends_with("bias")) parameter->zero_();
    if (parameter->dim() == 4)
      parameter->normal_(0, std::sqrt(2.0 * double(parameter->size(1)) / double(parameter->numel())));
    if (parameter->dim() == 2) parameter->normal_(0, 0.01);
  }
}

}  // namespace detail

/// A network of the zoo without initial values, for those that a checkpoint has: `load_into` sets them.
///
///   VGG network = uninitialized<VGG>(VGGOptions::vgg19());
///
/// Takes milliseconds, and no memory before the values come; drawing the 144 million of VGG-19 takes seconds.
template <class Network, class Options>
Network uninitialized(const Options& options) {
  const detail::WithoutValues guard;
  return Network(options);
}

}  // namespace pellucid
