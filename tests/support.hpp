#pragma once
/// Small models and comparisons that several tests share.
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/core/torch.hpp>
#include <pellucid/model/adapt.hpp>

#include <torch/nn.h>

namespace pellucid::test {

using Function = std::function<Tensor(const Tensor&)>;

/// A function of a tensor as a model; one type for all of them, so that methods are compiled once.
inline auto model_of(Function function, std::int64_t micro_batch = 8) {
  return adapt(std::move(function), unchanged(), {.micro_batch = micro_batch});
}

/// scores N×1: the sum of f over the values of each image.
inline auto sum_of(Function f, std::int64_t micro_batch = 8) {
  return model_of([f](const Tensor& x) { return f(x).flatten(1).sum(1, true); }, micro_batch);
}

/// scores N×K of a matrix K×D, for images of D values.
inline auto linear(Tensor weights, std::int64_t micro_batch = 8) {
  return model_of([weights](const Tensor& x) { return x.flatten(1).matmul(weights.t()); }, micro_batch);
}

/// The distribution function of N(0, 1).
inline Tensor normal_cdf(const Tensor& x) {
  return torch::special_ndtr(x.to(torch::kDouble));
}

inline double largest(const Tensor& x) {
  return x.abs().max().item<double>();
}

/// max |a − b|. Infinite where the shapes differ.
inline double difference(const Tensor& a, const Tensor& b) {
  if (a.sizes() != b.sizes()) return INFINITY;
  return largest(a.to(torch::kDouble) - b.to(torch::kDouble));
}

/// max |a − b| / max |b|
inline double relative_difference(const Tensor& a, const Tensor& b) {
  return difference(a, b) / largest(b);
}

/// Two convolutions, in-place ReLUs and a linear layer: scores N×5 of images N×3×H×W.
struct SmallNet : torch::nn::Module {
  SmallNet() {
    torch::manual_seed(7);
    first = register_module("first", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 6, 3).padding(1)));
    second = register_module("second", torch::nn::Conv2d(torch::nn::Conv2dOptions(6, 8, 3).stride(2)));
    last = register_module("last", torch::nn::Linear(8, 5));
  }
  Tensor forward(Tensor x) {
    x = torch::relu(first->forward(x));
    x = second->forward(x).relu_();
    return last->forward(x.mean({2, 3}));
  }
  torch::nn::Conv2d first{nullptr}, second{nullptr};
  torch::nn::Linear last{nullptr};
};

inline auto small_net(std::int64_t micro_batch = 8) {
  return adapt(std::make_shared<SmallNet>(), unchanged(), {.micro_batch = micro_batch});
}

/// Images in [0, 1] that are the same in every run.
inline Images some_images(std::vector<std::int64_t> shape, std::uint64_t seed = 1) {
  return torch::rand(shape, at::make_generator<at::CPUGeneratorImpl>(seed));
}

}  // namespace pellucid::test
