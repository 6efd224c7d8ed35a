#pragma once
/// Round numbers along an axis.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace pellucid::detail {

/// An axis from low to high, with numbers at the whole multiples of a step of 1, 2 or 5 times a power of ten.
struct Axis {
  double low = 0, high = 1, step = 0.2;

  /// The share of the way from low to high.
  double share(double value) const { return (value - low) / (high - low); }

  /// The multiples of the step within the axis, rounding errors aside.
  std::vector<std::int64_t> multiples() const {
    std::vector<std::int64_t> all;
    const auto last = std::int64_t(std::floor(high / step + 1e-6));
    for (auto k = std::int64_t(std::ceil(low / step - 1e-6)); k <= last; ++k) all.push_back(k);
    return all;
  }

  /// What is written at a multiple: as many digits as tell it from the next one.
  std::string number(std::int64_t multiple) const {
    const double value = double(multiple) * step, largest = std::max(std::abs(low), std::abs(high));
    const int place = int(std::floor(std::log10(step) + 1e-9));
    char digits[64];
    if (largest < 1e6 && step > 0.9e-4) {
      std::snprintf(digits, sizeof digits, "%.*f", std::max(0, -place), value);
    } else {
      std::snprintf(digits, sizeof digits, "%.*g", int(std::floor(std::log10(largest))) - place + 1, value);
    }
    return digits;
  }
};

/// The smallest round step that divides a length into `most` parts or fewer.
inline double round_step(double length, int most) {
  const double least = length / most, power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= least * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

/// The axis of values from low to high with about `most` steps; `outwards` goes on to the next round numbers
/// on both sides. Values that are all the same lie in the middle.
inline Axis axis_of(double low, double high, int most, bool outwards) {
  if (high - low <= 1e-9 * std::max(std::abs(low), std::abs(high))) {
    const double around = std::abs(low) > 1e-200 ? std::abs(low) / 2 : 1;
    low -= around, high += around;
  }
  Axis axis{low, high, round_step(high - low, most)};
  if (!outwards) return axis;
  axis.low = axis.step * std::floor(low / axis.step + 1e-6);
  axis.high = axis.step * std::ceil(high / axis.step - 1e-6);
  return axis;
}

}  // namespace pellucid::detail
