#pragma once
/// What colours mean: one map for "how much", one for "for or against".
///
/// Both are curves in Oklab, a space in which equal steps look equally large (B. Ottosson, "A perceptual
/// color space for image processing", 2020, bottosson.github.io/posts/oklab). Nothing is black in both, and
/// more is always lighter, so they stay readable in grey and for every kind of colour blindness; the two
/// sides of the diverging map are blue and orange, the pair that colour-blind people tell apart.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>

#include <pellucid/render/canvas.hpp>

namespace pellucid {

/// What of an attribution is drawn: how much in total, only what speaks for the objective, or both for and
/// against.
enum class Sign { magnitude, positive, both };

namespace detail {

struct Oklab {
  double lightness, a, b;
};

inline std::array<double, 3> linear_srgb(Oklab color) {
  const auto cube = [](double v) { return v * v * v; };
  const double l = cube(color.lightness + 0.3963377774 * color.a + 0.2158037573 * color.b);
  const double m = cube(color.lightness - 0.1055613458 * color.a - 0.0638541728 * color.b);
  const double s = cube(color.lightness - 0.0894841775 * color.a - 1.2914855480 * color.b);
  return {4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
          -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
          -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s};
}

/// The sRGB colour; where the screen has none that strong, the strongest one of the same lightness and hue.
inline Rgb srgb(Oklab color) {
  const auto shown = [](const std::array<double, 3>& c) {
    return std::all_of(c.begin(), c.end(), [](double v) { return v >= -1e-4 && v <= 1 + 1e-4; });
  };
  double low = 0, high = 1;
  if (!shown(linear_srgb(color)))
    for (int i = 0; i < 30; ++i) {
      const double middle = (low + high) / 2;
      (shown(linear_srgb({color.lightness, middle * color.a, middle * color.b})) ? low : high) = middle;
    }
  else
    low = 1;
  const auto linear = linear_srgb({color.lightness, low * color.a, low * color.b});
  const auto encode = [](double v) {
    v = std::clamp(v, 0.0, 1.0);
    v = v <= 0.0031308 ? 12.92 * v : 1.055 * std::pow(v, 1 / 2.4) - 0.055;
    return std::uint8_t(std::lround(255 * v));
  };
  return {encode(linear[0]), encode(linear[1]), encode(linear[2])};
}

struct Anchor {
  double at, lightness, chroma, hue;  // hue in degrees
};

/// The curve through the anchors at t: straight in lightness, so that more is always lighter; Catmull-Rom in
/// chroma and hue, so that no kink is seen as an edge.
template <std::size_t N>
Rgb along(const std::array<Anchor, N>& anchors, double t) {
  std::size_t k = 1;
  while (k + 1 < N && t > anchors[k].at) ++k;
  const Anchor &from = anchors[k - 1], &to = anchors[k];
  const double step = to.at - from.at, s = (t - from.at) / step;
  const auto smooth = [&](double Anchor::*part) {
    const auto slope = [&](std::size_t i) {
      const Anchor &before = anchors[i == 0 ? 0 : i - 1], &after = anchors[std::min(i + 1, N - 1)];
      return (after.*part - before.*part) / (after.at - before.at);
    };
    const double rest = 1 - s;
    return (1 + 2 * s) * rest * rest * from.*part + s * rest * rest * step * slope(k - 1) +
           s * s * (3 - 2 * s) * to.*part - s * s * rest * step * slope(k);
  };
  const double chroma = smooth(&Anchor::chroma), hue = smooth(&Anchor::hue) * std::numbers::pi / 180;
  return srgb({std::lerp(from.lightness, to.lightness, s), chroma * std::cos(hue), chroma * std::sin(hue)});
}

using ColorTable = std::array<Rgb, 256>;

template <std::size_t N>
ColorTable tabulate(const std::array<Anchor, N>& anchors) {
  ColorTable table;
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = along(anchors, double(i) / 255);
  return table;
}

inline Rgb look_up(const ColorTable& table, float t) {
  return table[t > 0 ? std::size_t(std::lround(255 * std::min(t, 1.0F))) : 0];  // not a number: nothing
}

}  // namespace detail

/// How much, from 0 (black) over violet, red and orange to 1 (pale yellow). Values outside are clipped.
inline Rgb sequential(float t) {
  static const auto table = detail::tabulate(std::array<detail::Anchor, 6>{{{0.000, 0.000, 0.000, 285},
                                                                            {0.025, 0.160, 0.050, 285},
                                                                            {0.250, 0.360, 0.160, 302},
                                                                            {0.500, 0.560, 0.205, 365},
                                                                            {0.750, 0.765, 0.155, 415},
                                                                            {1.000, 0.970, 0.075, 465}}});
  return detail::look_up(table, t);
}

/// For or against, from −1 (light blue: against) over 0 (black) to 1 (light orange: for). Values outside are
/// clipped; t and −t are equally light.
inline Rgb diverging(float t) {
  static const auto against = detail::tabulate(std::array<detail::Anchor, 5>{{{0.000, 0.000, 0.000, 264},
                                                                              {0.030, 0.160, 0.040, 264},
                                                                              {0.500, 0.520, 0.180, 259},
                                                                              {0.750, 0.690, 0.145, 246},
                                                                              {1.000, 0.860, 0.085, 228}}});
  static const auto in_favour = detail::tabulate(std::array<detail::Anchor, 5>{{{0.000, 0.000, 0.000, 30},
                                                                                {0.030, 0.160, 0.040, 30},
                                                                                {0.500, 0.520, 0.170, 36},
                                                                                {0.750, 0.690, 0.162, 53},
                                                                                {1.000, 0.860, 0.120, 75}}});
  return t < 0 ? detail::look_up(against, -t) : detail::look_up(in_favour, t);
}

/// The colour of a value in [0, 1], or in [−1, 1] where both signs are drawn.
inline Rgb color(Sign sign, float value) {
  return sign == Sign::both ? diverging(value) : sequential(value);
}

}  // namespace pellucid
