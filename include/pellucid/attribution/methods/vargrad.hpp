#pragma once
#include <pellucid/attribution/methods/gradient.hpp>
#include <pellucid/attribution/methods/smoothed.hpp>

namespace pellucid {

/// VarGrad: the variance of the gradient over noisy copies of the image,
///   A = 1/(n−1) Σᵢ (gᵢ − ḡ)²,   gᵢ = ∂S(x + εᵢ)/∂x,   εᵢ ~ N(0, σ²),   σ = noise · (max x − min x)
/// Unbiased, which is why its noise is not drawn in antithetic pairs. Never negative; N×C×H×W.
///
/// Adebayo, Gilmer, Goodfellow & Kim, "Local explanation methods for deep neural networks lack sensitivity to
/// parameter values", 2018.
struct VarGrad {
  std::int64_t samples = 50;  ///< n, at least 2
  double noise = 0.15;        ///< σ as a share of the image's range, 0 or more
  std::uint64_t seed = 0;     ///< the same seed gives the same attribution

  void check() const { detail::Noisy{samples, noise, seed}.check("VarGrad", 2); }

  template <class M, class S>
  Explanation operator()(const M& model, const S& subject) const {
    const detail::Noisy noisy{samples, noise, seed};
    const Average average = average_over(model, subject, {.samples = samples}, noisy.copies(subject),
                                         [](const M& m, const auto& part) { return Gradient{}(m, part); });
    Explanation result = average.variance;
    result.samples = average.samples;
    return result;
  }
};

}  // namespace pellucid
