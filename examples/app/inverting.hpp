#pragma once
/// Inversion as it was published, fitted to a layer.

#include <pellucid/model/any_model.hpp>
#include <pellucid/optimizer/inversion.hpp>
#include <pellucid/optimizer/regularizers/alpha_norm.hpp>
#include <pellucid/optimizer/regularizers/total_variation.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

namespace pellucid::app {

using Published = Regularizer<AlphaNorm, TotalVariation>;

/// The published weights for a layer, that of the total variation times a factor: the α-norm only keeps the
/// values in their range.
inline Published published_for(const AnyModel& model, const std::string& layer, const Images& images,
                               double factor) {
  const Published fitted = Published().fitted({layer_depth(model, layer, images), images[0].numel()});
  auto [alpha, variation] = fitted.parts();
  *variation.weight *= factor;
  return Published(alpha, variation);
}

/// The published schedule in fewer steps. The total variation is 16 times its weight steep at most, so a
/// momentum of 0.9 bears a rate · weight of 3.8/16: the published rates bear the largest published weight,
/// 50, and have to fall as a weight rises above it.
inline Inversion scheduled(double faster, std::uint64_t seed, double variation_weight) {
  constexpr double heaviest = 50;
  Inversion inversion{.seed = seed};
  for (auto& phase : inversion.learning_rate.phases) {
    phase.steps = std::max<std::int64_t>(1, std::llround(double(phase.steps) / faster));
    if (variation_weight > heaviest) phase.rate *= heaviest / variation_weight;
  }
  return inversion;
}

}  // namespace pellucid::app
