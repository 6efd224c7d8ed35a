#pragma once
#include <cmath>
#include <optional>
#include <string>

#include <pellucid/core/error.hpp>
#include <pellucid/optimizer/step.hpp>

namespace pellucid {

/// Total variation,
///   R(x) = weight · Σ_cyx ((x_c,y,x+1 − x_cyx)² + (x_c,y+1,x − x_cyx)²)^(β/2)
/// with differences of 0 at the far edges: likes images that are made of pieces without detail.
///
/// The published weights are 0.5, 5 and 50 for shallow, middle and deep layers, β = 2 and images of norm 1.
/// `Inversion` takes them where none is given, for the first, second and last third of the network.
///
/// Mahendran & Vedaldi, "Understanding deep image representations by inverting them", CVPR 2015.
struct TotalVariation {
  double beta = 2;                 ///< β, 1 or more
  std::optional<double> weight{};  ///< 0 or more; left out: Inversion takes the published one

  void check() const {
    if (!(beta >= 1) || !std::isfinite(beta))
      throw Error("TotalVariation: beta is " + std::to_string(beta) + "; give 1 or more (2 is usual)");
    if (weight && (!(*weight >= 0) || !std::isfinite(*weight)))
      throw Error("TotalVariation: a weight of " + std::to_string(*weight) + " was given; give 0 or more");
  }

  Tensor penalty(const Tensor& centered) const {
    if (!weight) throw Error("TotalVariation: no weight was given; only Inversion has a published one");
    const Tensor across = torch::constant_pad_nd(centered.diff(1, 3), {0, 1});
    const Tensor down = torch::constant_pad_nd(centered.diff(1, 2), {0, 0, 0, 1});
    const Tensor squares = across.square() + down.square();
    // β = 2 is the sum of squares itself; below it the root has no derivative at 0.
    const Tensor terms = beta == 2 ? squares : (squares + smallest).pow(beta / 2);
    return terms.flatten(1).sum(1) * *weight;
  }

  TotalVariation fitted(const Inverted& inverted) const {
    const double published = inverted.depth <= 1.0 / 3 ? 0.5 : inverted.depth <= 2.0 / 3 ? 5 : 50;
    return {beta, weight.value_or(published)};
  }

 private:
  static constexpr double smallest = 1e-12;
};

}  // namespace pellucid
