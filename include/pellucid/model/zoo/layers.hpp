#pragma once
/// What the networks are made of: LibTorch's layers, with or without initial values.
#include <cstdint>
#include <utility>

#include <pellucid/model/zoo/modules.hpp>

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

/// A convolution. LibTorch's constructor draws the weights; without values it draws those of a layer of size
/// 1, which then gets its size.
inline torch::nn::Conv2d conv2d(const torch::nn::Conv2dOptions& options) {
  if (!WithoutValues::on()) return torch::nn::Conv2d(options);
  const auto kernel = *options.kernel_size();
  torch::nn::Conv2d layer(
      torch::nn::Conv2dOptions(options).in_channels(1).out_channels(1).groups(1).kernel_size(1));
  layer->options.in_channels(options.in_channels()).out_channels(options.out_channels());
  layer->options.groups(options.groups()).kernel_size(options.kernel_size());
  layer->weight.set_data(
      torch::empty({options.out_channels(), options.in_channels() / options.groups(), kernel[0], kernel[1]}));
  if (options.bias()) layer->bias.set_data(torch::empty({options.out_channels()}));
  return layer;
}

/// A convolution before a batch norm, which has a bias of its own; the size stays but for the stride.
inline torch::nn::Conv2d convolution_without_bias(std::int64_t inputs, std::int64_t outputs,
                                                  std::int64_t side, std::int64_t stride = 1,
                                                  std::int64_t groups = 1) {
  return conv2d(torch::nn::Conv2dOptions(inputs, outputs, side)
                    .stride(stride)
                    .padding(side / 2)
                    .groups(groups)
                    .bias(false));
}

/// A linear layer, with or without values.
inline torch::nn::Linear linear(std::int64_t inputs, std::int64_t outputs) {
  if (!WithoutValues::on()) return torch::nn::Linear(inputs, outputs);
  torch::nn::Linear layer(1, 1);
  layer->options.in_features(inputs).out_features(outputs);
  layer->weight.set_data(torch::empty({outputs, inputs}));
  layer->bias.set_data(torch::empty({outputs}));
  return layer;
}

/// He et al. 2015 for convolutions (N(0, 2 / (outputs · area))), N(0, 0.01²) for linear layers, biases 0.
/// Nothing without values.
inline void draw_values(torch::nn::Module& network) {
  if (WithoutValues::on()) return;
  const torch::NoGradGuard no_grad;
  for (auto& parameter : network.named_parameters()) {
    if (parameter.key().ends_with("bias")) parameter->zero_();
    if (parameter->dim() == 4) torch::nn::init::kaiming_normal_(*parameter, 0, torch::kFanOut, torch::kReLU);
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
