#pragma once
/// A network of one convolution, ReLU and linear layer whose maps and gradients fit on a line.
#include <memory>

#include <pellucid/core/torch.hpp>
#include <pellucid/model/adapt.hpp>

#include <torch/nn.h>

namespace pellucid::test {

// 1×1×4×4 images of four even quarters (1, 2; 3, 4); a convolution 2×2 with stride 2 that takes their means m
// to two channels m and 3 − m; ReLU; and one score:
//   a₀ = (1, 2; 3, 4), a₁ = (2, 1; 0, −1)
//   S = relu(a₀)·(1, 0; 0, 1) + relu(a₁)·(−3, 1; 2, 4) = 5 − 5 = 0
//   ∂S/∂a₀ = (1, 0; 0, 1), ∂S/∂a₁ = (−3, 1; 0, 0)
struct Quarters : torch::nn::Module {
  explicit Quarters(double scale = 1) {
    conv = register_module("conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 2, 2).stride(2)));
    fc = register_module("fc", torch::nn::Linear(torch::nn::LinearOptions(8, 1).bias(false)));
    const torch::NoGradGuard no_grad;
    conv->weight.copy_(torch::tensor({0.25F, -0.25F}).view({2, 1, 1, 1}).expand({2, 1, 2, 2}));
    conv->bias.copy_(torch::tensor({0.0F, 3.0F}));
    fc->weight.copy_(scale * torch::tensor({1.0F, 0.0F, 0.0F, 1.0F, -3.0F, 1.0F, 2.0F, 4.0F}));
  }
  Tensor forward(Tensor x) { return fc->forward(conv->forward(x).relu_().flatten(1)); }
  torch::nn::Conv2d conv{nullptr};
  torch::nn::Linear fc{nullptr};
};

/// `scale`: of the score
inline auto quarters(double scale = 1, std::int64_t micro_batch = 8) {
  return adapt(std::make_shared<Quarters>(scale), unchanged(), {.micro_batch = micro_batch});
}

/// 1×1×2×2
inline Tensor square(float p, float q, float r, float s) {
  return torch::tensor({p, q, r, s}).view({1, 1, 2, 2});
}

/// Each place of 1×1×2×2 as a quarter of 1×1×4×4.
inline Tensor in_quarters(const Tensor& values) {
  return torch::kron(values[0][0], torch::ones({2, 2})).view({1, 1, 4, 4});
}

inline const Images quarters_image = in_quarters(square(1, 2, 3, 4));

/// 2×2 → 4×4, bilinear: the outputs lie at −1/4, 1/4, 3/4 and 5/4 between the inputs 0 and 1.
inline Tensor upsampled(const Tensor& map) {
  const Tensor between = torch::tensor({{1.0F, 0.0F}, {0.75F, 0.25F}, {0.25F, 0.75F}, {0.0F, 1.0F}});
  return between.matmul(map).matmul(between.t());
}

}  // namespace pellucid::test
