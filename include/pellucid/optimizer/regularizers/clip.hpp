#pragma once
#include <string>

#include <pellucid/core/error.hpp>
#include <pellucid/optimizer/step.hpp>

namespace pellucid::detail {

inline void check_percentile(const std::string& part, double percentile) {
  if (!(percentile >= 0 && percentile <= 100))
    throw Error(part + ": percentile " + std::to_string(percentile) + " was given; give 0 (none) to 100");
}

/// Images N×C×H×W with the pixels at 0 that are worth less than the percentile of their image's worths,
/// N×1×H×W. Between two worths the percentile is interpolated linearly.
inline Tensor clip_below(const Tensor& images, const Tensor& worth, double percentile) {
  if (percentile == 0) return images;
  const Tensor limit = torch::quantile(worth.flatten(1), percentile / 100, 1).view({-1, 1, 1, 1});
  return images * (worth >= limit);
}

}  // namespace pellucid::detail
