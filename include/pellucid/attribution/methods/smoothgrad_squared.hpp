#pragma once
#include <pellucid/attribution/methods/gradient.hpp>
#include <pellucid/attribution/methods/smoothed.hpp>

namespace pellucid {

/// The squared gradient, N×C×H×W: what SmoothGradSquared is the mean of.
struct SquaredGradient {
  template <class M, class S>
  Tensor operator()(const M& model, const S& subject) const {
    return Gradient{}(model, subject).square_();
  }
};

/// SmoothGrad²: the mean squared gradient over noisy copies of the image,
///   A = (1/n) Σᵢ (∂S(x + εᵢ)/∂x)²,   εᵢ ~ N(0, σ²),   σ = noise · (max x − min x)
/// Never negative; N×C×H×W. Options as those of Smoothed.
///
/// Hooker, Erhan, Kindermans & Kim, "A benchmark for interpretability methods in deep neural networks", 2018.
using SmoothGradSquared = Smoothed<SquaredGradient>;

}  // namespace pellucid
