#pragma once
/// What colours mean, drawn for the person who looks.

#include <algorithm>
#include <string>

#include <pellucid/image/picture.hpp>
#include <pellucid/render/canvas.hpp>
#include <pellucid/render/colormap.hpp>
#include <pellucid/render/text.hpp>

namespace pellucid {

/// How color_bar() draws.
struct ColorBarOptions {
  Sign sign = Sign::magnitude;  ///< what the colours stand for
  std::string low{};            ///< left out: "low", or "against" where both signs are drawn
  std::string high{};           ///< left out: "high", or "for"
  int width = 224;              ///< pixels, words included; wider where the words need it
  int text_scale = 1;           ///< of the words, 1 or more
};

/// A strip with the colours that `color_of(value)` gives from the lowest value to the highest, between two
/// words. Throws Error on a scale below 1.
template <class ColorOf>
Picture color_bar(const ColorBarOptions& options, ColorOf&& color_of) {
  const bool both = options.sign == Sign::both;
  const std::string low = !options.low.empty() ? options.low : both ? "against" : "low";
  const std::string high = !options.high.empty() ? options.high : both ? "for" : "high";
  const TextStyle style{options.text_scale, ink};
  const int low_width = text_width(low, style.scale), high_width = text_width(high, style.scale);
  const int gap = 6 * style.scale, height = text_height(style.scale);
  const int bar = std::max(48 * style.scale, options.width - low_width - high_width - 2 * gap);

  Picture out = blank(low_width + gap + bar + gap + high_width, height);
  draw_text(out, 0, 0, low, style);
  for (int x = 0; x < bar; ++x) {
    const float share = float(x) / float(bar - 1);
    const Rgb color = color_of(both ? 2 * share - 1 : share);
    for (int y = 0; y < height; ++y) set_pixel(out, low_width + gap + x, y, color);
  }
  draw_text(out, low_width + gap + bar + gap, 0, high, style);
  return out;
}

/// The strip for heat maps: "low" to "high", or "against" to "for" with black, nothing, in the middle.
inline Picture color_bar(const ColorBarOptions& options = {}) {
  return color_bar(options, [&](float value) { return color(options.sign, value); });
}

}  // namespace pellucid
