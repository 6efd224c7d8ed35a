#pragma once
#include <pellucid/core/torch.hpp>

namespace pellucid::test {

/// ∂ value / ∂ x by central differences, in double precision; value(x) → one number.
template <class Value>
Tensor finite_differences(const Value& value, const Tensor& x) {
  constexpr double h = 1e-6;
  Tensor gradient = torch::zeros_like(x);
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    Tensor up = x.clone(), down = x.clone();
    up.view(-1)[i] += h;
    down.view(-1)[i] -= h;
    gradient.view(-1)[i] = ((value(up) - value(down)) / (2 * h)).template item<double>();
  }
  return gradient;
}

}  // namespace pellucid::test
