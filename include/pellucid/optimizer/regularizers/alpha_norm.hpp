#pragma once
#include <cmath>
#include <optional>
#include <string>

#include <pellucid/core/error.hpp>
#include <pellucid/optimizer/step.hpp>

namespace pellucid {

/// The α-norm, R(x) = weight · Σ |x|^α over the values of each image, x with the mean image taken off: a high
/// α keeps all values within a range and is indifferent inside it.
///
/// The published weight is 2.16·10⁸ for α = 6 and images of norm 1 with 227×227×3 values. `Inversion` takes
/// it where none is given, times (values / 227²·3)^(α/2 − 1): the price of the same picture at another size.
///
/// Mahendran & Vedaldi, "Understanding deep image representations by inverting them", CVPR 2015.
struct AlphaNorm {
  double alpha = 6;                ///< α, 1 or more
  std::optional<double> weight{};  ///< 0 or more; left out: Inversion takes the published one

  void check() const {
    if (!(alpha >= 1) || !std::isfinite(alpha))
      throw Error("AlphaNorm: alpha is " + std::to_string(alpha) + "; give 1 or more (6 is usual)");
    if (weight && (!(*weight >= 0) || !std::isfinite(*weight)))
      throw Error("AlphaNorm: a weight of " + std::to_string(*weight) + " was given; give 0 or more");
  }

  Tensor penalty(const Tensor& centered) const {
    if (!weight) throw Error("AlphaNorm: no weight was given; only Inversion has a published one");
    return centered.abs().pow(alpha).flatten(1).sum(1) * *weight;
  }

  AlphaNorm fitted(const Inverted& inverted) const {
    constexpr double published = 2.16e8, values = 227 * 227 * 3;
    return {alpha, weight.value_or(published * std::pow(double(inverted.values) / values, alpha / 2 - 1))};
  }
};

}  // namespace pellucid
