#pragma once
/// An attribution as a picture: one colour for each pixel.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <sstream>
#include <string>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/image/picture.hpp>
#include <pellucid/render/canvas.hpp>
#include <pellucid/render/colormap.hpp>
#include <pellucid/render/xtensor.hpp>

namespace pellucid {

/// How an attribution becomes colours.
struct HeatMapOptions {
  Sign sign = Sign::magnitude;  ///< magnitude: Σ_c |a|; positive: max(0, Σ_c a); both: Σ_c a
  double percentile = 99;       ///< in [0, 100]: this strong, and stronger, is drawn in the last colour
};

/// Throws Error unless the percentile is in [0, 100].
inline void validate(const HeatMapOptions& options) {
  if (!(options.percentile >= 0 && options.percentile <= 100)) {
    std::ostringstream message;
    message << "percentile " << options.percentile
            << " was asked for; it must be from 0 to 100 (100 clips nothing, 99 is usual)";
    throw Error(message.str());
  }
}

namespace detail {

inline std::string shape_of(const Tensor& tensor) {
  if (!tensor.defined()) return "an undefined tensor";
  std::string out;
  for (const auto size : tensor.sizes()) out += (out.empty() ? "" : "×") + std::to_string(size);
  return out.empty() ? "a tensor of no dimensions" : "a tensor " + out;
}

/// The tensor as C×H×W, from H×W, C×H×W or 1×C×H×W. Throws Error on other shapes, on an empty tensor and on
/// values that are not finite.
inline Tensor single_map(const Tensor& given, const std::string& what) {
  Tensor map = given;
  if (map.defined() && map.dim() == 4 && map.size(0) == 1) map = map[0];
  if (map.defined() && map.dim() == 2) map = map.unsqueeze(0);
  if (!map.defined() || map.dim() != 3 || map.numel() == 0)
    throw Error(
        what + " to draw must be H×W, C×H×W or 1×C×H×W and not empty; given was " + shape_of(given) +
        (given.defined() && given.dim() == 4 && given.size(0) > 1 ? "; draw one at a time, as in a[0]" : ""));
  if (map.is_complex()) throw Error(what + " to draw must be real; given was a complex tensor");
  if (const auto bad = (~torch::isfinite(map)).sum().item<std::int64_t>(); bad > 0)
    throw Error(what + " to draw has " + std::to_string(bad) + " of " + std::to_string(map.numel()) +
                " values that are NaN or infinite; all must be finite. Look at the model's input and scores");
  return map;
}

}  // namespace detail

/// The q-th percentile, q in [0, 100], of values in any order, between two of them by straight line (the
/// "linear" one of numpy.percentile). Throws Error without values and on a q outside.
inline double percentile(std::vector<double> values, double q) {
  validate(HeatMapOptions{.percentile = q});
  if (values.empty()) throw Error("a percentile of no values was asked for; give it at least one");
  const double place = q / 100 * double(values.size() - 1);
  const auto below = values.begin() + std::ptrdiff_t(place);
  std::nth_element(values.begin(), below, values.end());
  const double share = place - std::floor(place);
  if (share == 0) return *below;
  return std::lerp(*below, *std::min_element(below + 1, values.end()), share);
}

/// One number for each pixel, not scaled: the channels of an attribution (H×W, C×H×W or 1×C×H×W) summed as
/// `sign` says. Throws Error on another shape and on values that are not finite.
inline Plane summed(const Tensor& attribution, Sign sign) {
  const Tensor values = detail::single_map(attribution, "an attribution").to(torch::kCPU, torch::kDouble);
  const Tensor sum = (sign == Sign::magnitude ? values.abs() : values).sum(0);
  return to_xtensor<double, 2>(sign == Sign::positive ? sum.clamp_min(0) : sum);
}

/// What is drawn in the last colour: the percentile of |values|. Where that is 0 though a value is not (a few
/// places in a map that is zero elsewhere) it is the largest |value|. 0 only where all values are.
inline double full_scale(const Plane& values, double q) {
  std::vector<double> strength;
  strength.reserve(values.size());
  for (const double value : values) strength.push_back(std::abs(value));
  const double limit = percentile(strength, q);
  return limit > 0 ? limit : *std::max_element(strength.begin(), strength.end());
}

/// values / full, clipped to [−1, 1]; zeros where `full` is 0.
inline Plane scaled_to(const Plane& values, double full) {
  Plane scaled = values;
  for (double& value : scaled) value = full == 0 ? 0 : std::clamp(value / full, -1.0, 1.0);
  return scaled;
}

/// One number for each pixel, in [0, 1], or in [−1, 1] where both signs are drawn: `summed`, divided by its
/// percentile and clipped. Throws Error as `heat_map` does.
inline Plane heat(const Tensor& attribution, const HeatMapOptions& options = {}) {
  validate(options);
  const Plane values = summed(attribution, options.sign);
  return scaled_to(values, full_scale(values, options.percentile));
}

/// Values of `heat` in colours.
inline Picture painted(const Plane& values, Sign sign) {
  Picture out = blank(int(values.shape(1)), int(values.shape(0)));
  for (int y = 0; y < out.height; ++y)
    for (int x = 0; x < out.width; ++x) set_pixel(out, x, y, color(sign, float(values(y, x))));
  return out;
}

/// Draws an attribution, one pixel for each place: black is nothing, lighter is more.
///
/// By default s = Σ_c |a_c|, clipped at its 99th percentile and divided by it (as PAIR's saliency library
/// does, which also takes off the smallest s); with `Sign::both` s = Σ_c a_c, scaled by the percentile of
/// |s|, blue against and orange for the objective. H×W, C×H×W or 1×C×H×W in; a picture W×H out. All zeros
/// give a black picture. Throws Error on another shape, on NaN or infinity, and on a percentile outside [0,
/// 100].
inline Picture heat_map(const Tensor& attribution, const HeatMapOptions& options = {}) {
  return painted(heat(attribution, options), options.sign);
}

}  // namespace pellucid
