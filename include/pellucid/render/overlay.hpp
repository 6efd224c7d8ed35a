#pragma once
/// An attribution over its photo, so that a person sees both.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <sstream>
#include <string>
#include <utility>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/image/picture.hpp>
#include <pellucid/render/color_bar.hpp>
#include <pellucid/render/heatmap.hpp>
#include <pellucid/render/xtensor.hpp>

namespace pellucid {

/// How overlay() lays an attribution over its photo.
struct OverlayOptions {
  double opacity = 0.9;  ///< of the strongest places, in [0, 1]; weaker ones let more of the photo through
  double brightness =
      0.6;                ///< of the photo, in [0, 1]: dimmed, it leaves the light colours to the attribution
  bool grey = true;       ///< the photo without its colours, so that all colour means attribution
  HeatMapOptions heat{};  ///< how the attribution becomes colours
};

/// Throws Error unless opacity and brightness are in [0, 1] and the percentile in [0, 100].
inline void validate(const OverlayOptions& options) {
  validate(options.heat);
  for (const auto& [what, value] :
       {std::pair("opacity", options.opacity), {"brightness", options.brightness}})
    if (!(value >= 0 && value <= 1)) {
      std::ostringstream message;
      message << "an overlay of " << what << ' ' << value << " was asked for; it must be from 0 to 1";
      throw Error(message.str());
    }
}

/// One pixel of an overlay. With v = value, α = opacity · |v|, p = the photo's pixel, greyed and dimmed:
/// (1 − α) p + α color(v). `photo` in [0, 1]; value as `heat` gives it.
inline Rgb overlaid(std::array<double, 3> photo, double value, const OverlayOptions& options) {
  if (options.grey) photo.fill(0.2126 * photo[0] + 0.7152 * photo[1] + 0.0722 * photo[2]);  // Rec. 709 luma
  const Rgb over = color(options.heat.sign, float(value));
  const double alpha = options.opacity * std::min(1.0, std::abs(value));
  const auto blend = [&](double under, std::uint8_t on_top) {
    return std::uint8_t(std::lround((1 - alpha) * 255 * options.brightness * under + alpha * on_top));
  };
  return {blend(photo[0], over.r), blend(photo[1], over.g), blend(photo[2], over.b)};
}

/// Lays the heat map of an attribution over the image it belongs to.
///
/// `image` 3×H×W or 1×3×H×W in [0, 1] (values outside are clipped); `attribution` h×w, C×h×w or 1×C×h×w with
/// h ≤ H and w ≤ W: a smaller one, as of a layer, is scaled as `heat` says and then enlarged bilinearly
/// (pixels are areas, corners not aligned). A picture W×H out. Throws Error on other shapes, on an image
/// of whole numbers, on NaN or infinity, and on options out of range.
inline Picture overlay(const Tensor& image, const Tensor& attribution, const OverlayOptions& options = {}) {
  validate(options);
  const Tensor photo = detail::single_map(image, "an image");
  if (photo.size(0) != 3)
    throw Error("an image to draw on must be 3×H×W; given was " + detail::shape_of(image) +
                "; `channel_grid` draws what is not an image");
  if (!photo.is_floating_point())
    throw Error("an image of whole numbers was given; it must be floating-point, from 0 to 1: divide by 255");
  Plane values = heat(attribution, options.heat);
  const auto height = photo.size(1), width = photo.size(2);
  if (std::int64_t(values.shape(0)) > height || std::int64_t(values.shape(1)) > width)
    throw Error("an attribution (" + detail::shape_of(attribution) + ") larger than its image (" +
                detail::shape_of(image) + ") was given; it must be of its size or smaller");
  if (std::int64_t(values.shape(0)) < height || std::int64_t(values.shape(1)) < width)
    values = to_xtensor<double, 2>(
        at::upsample_bilinear2d(to_tensor(values).unsqueeze(0).unsqueeze(0), {height, width}, false)[0][0]);

  const auto pixels = to_xtensor<double, 3>(photo.clamp(0, 1));
  Picture out = blank(int(width), int(height));
  for (int y = 0; y < out.height; ++y)
    for (int x = 0; x < out.width; ++x)
      set_pixel(out, x, y,
                overlaid({pixels(0, y, x), pixels(1, y, x), pixels(2, y, x)}, values(y, x), options));
  return out;
}

/// What the colours of an overlay mean: `color_bar` as it looks over a middle grey. `bar.sign` is the
/// overlay's.
inline Picture overlay_bar(const OverlayOptions& options = {}, ColorBarOptions bar = {}) {
  validate(options);
  bar.sign = options.heat.sign;
  return color_bar(bar, [&](float value) { return overlaid({0.5, 0.5, 0.5}, value, options); });
}

}  // namespace pellucid
