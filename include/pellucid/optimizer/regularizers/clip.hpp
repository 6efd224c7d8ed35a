#pragma once
#include <cmath>
#include <cstdint>
#include <string>
#include <tuple>

#include <pellucid/core/error.hpp>
#include <pellucid/optimizer/step.hpp>

namespace pellucid::detail {

inline void check_percentile(const std::string& part, double percentile) {
  if (!(percentile >= 0 && percentile <= 100))
    throw Error(part + ": percentile " + std::to_string(percentile) + " was given; give 0 (none) to 100");
}

/// The percentile of each row of N×P, N×1: between two values it is interpolated linearly.
inline Tensor percentile_of(const Tensor& values, double percentile) {
  // Two selections: torch::quantile sorts, which takes several times as long.
  const double place = percentile / 100 * double(values.size(1) - 1);
  const auto below = std::int64_t(std::floor(place)), above = std::int64_t(std::ceil(place));
  const Tensor low = std::get<0>(values.kthvalue(below + 1, 1, /*keepdim=*/true));
  if (above == below) return low;
  return torch::lerp(low, std::get<0>(values.kthvalue(above + 1, 1, /*keepdim=*/true)),
                     place - double(below));
}

/// Images N×C×H×W with the pixels at 0 that are worth less than the percentile of their image's worths,
/// N×1×H×W.
inline Tensor clip_below(const Tensor& images, const Tensor& worth, double percentile) {
  if (percentile == 0) return images;
  return images * (worth >= percentile_of(worth.flatten(1), percentile).view({-1, 1, 1, 1}));
}

}  // namespace pellucid::detail
