#pragma once
#include <cmath>
#include <string>

#include <pellucid/core/error.hpp>
#include <pellucid/optimizer/step.hpp>

namespace pellucid {

/// The α-norm, R(x) = weight · Σ |x|^α over the values of each image, x with the mean image taken off: a high α
/// keeps all values within a range and is indifferent inside it.
///
/// Mahendran & Vedaldi, "Understanding deep image representations by inverting them", CVPR 2015.
struct AlphaNorm {
  double alpha = 6;
  double weight = 1;

  void check() const {
    if (!(alpha >= 1) || !std::isfinite(alpha))
      throw Error("AlphaNorm: alpha is " + std::to_string(alpha) + "; give 1 or more (6 is usual)");
    if (!(weight >= 0)) throw Error("AlphaNorm: a weight of " + std::to_string(weight) + " was given; give 0 or more");
  }

  Tensor penalty(const Tensor& centered) const {
    return centered.abs().pow(alpha).flatten(1).sum(1) * weight;
  }
};

}  // namespace pellucid
