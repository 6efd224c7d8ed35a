#pragma once
/// A picture of something that is not an image: the heat map of each channel, side by side.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/image/picture.hpp>
#include <pellucid/render/color_bar.hpp>
#include <pellucid/render/heatmap.hpp>
#include <pellucid/render/sheet.hpp>

namespace pellucid {

/// shared: colours compare channels. own: each channel by its own strongest place, whose value is in its
/// label.
enum class Scale { shared, own };

struct ChannelGridOptions {
  Scale scale = Scale::shared;
  int columns = 0;              ///< 0: about as many as rows
  int max_channels = 64;        ///< the rest is left out, and the title says so
  bool strongest_first = true;  ///< by the largest |value|; false: in the order of the channels
  double percentile = 99;       ///< in [0, 100], as in HeatMapOptions
  int width = 900;      ///< pixels to fill, tiles being 24 at least; a pixel of a channel takes 32 at most
  std::string title{};  ///< in front of how many channels are shown
};

/// Throws Error on options that no grid can be made with.
inline void validate(const ChannelGridOptions& options) {
  validate(HeatMapOptions{.percentile = options.percentile});
  const auto least = [](const char* what, int given, int limit) {
    if (given < limit)
      throw Error(std::string("a grid of channels with ") + what + " " + std::to_string(given) +
                  " was asked for; it must be " + std::to_string(limit) + " or more");
  };
  least("columns", options.columns, 0);
  least("max_channels", options.max_channels, 1);
  least("width", options.width, 64);
}

namespace detail {

inline std::string number(double value) {
  char digits[32];
  const bool whole = std::abs(value) >= 100 && std::abs(value) < 1e6;
  std::snprintf(digits, sizeof digits, whole ? "%.0f" : "%.3g", value);
  return digits;
}

}  // namespace detail

/// Draws channels as heat maps in a grid, each with its number: black is nothing; where a value is negative
/// anywhere, blue is below zero and orange above.
///
/// C×H×W, 1×C×H×W, or one number for each channel (C or 1×C) in. With the shared scale the last colour is the
/// percentile of all values shown; single numbers always share it. Throws Error on another shape, on NaN or
/// infinity, and on options out of range.
inline Picture channel_grid(const Tensor& channels, const ChannelGridOptions& options = {}) {
  validate(options);
  Tensor maps = channels;
  if (maps.defined() && (maps.dim() == 1 || (maps.dim() == 2 && maps.size(0) == 1)))
    maps = maps.reshape({maps.numel(), 1, 1});
  else if (maps.defined() && maps.dim() == 2)
    maps = Tensor{};  // H×W would be one channel, N×C many: neither is meant for sure
  if (!maps.defined())
    throw Error("channels to draw must be C×H×W, 1×C×H×W, C or 1×C; given was " + detail::shape_of(channels));
  maps = detail::single_map(maps, "a tensor of channels");

  const int count = int(maps.size(0)), height = int(maps.size(1)), width = int(maps.size(2));
  const int shown = std::min(count, options.max_channels);
  std::vector<Plane> planes;
  std::vector<double> peaks;
  for (int c = 0; c < count; ++c) {
    planes.push_back(to_xtensor<double, 2>(maps[c]));
    peaks.push_back(xt::amax(xt::abs(planes.back()))());
  }
  std::vector<std::size_t> order(std::size_t(count), 0);
  std::iota(order.begin(), order.end(), 0);
  if (options.strongest_first)
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return peaks[a] > peaks[b]; });
  order.resize(std::size_t(shown));

  const bool own = options.scale == Scale::own && height * width > 1;
  Sign sign = Sign::magnitude;
  Plane together(std::array<std::size_t, 2>{std::size_t(shown), std::size_t(height * width)});
  for (auto place = together.begin(); const std::size_t c : order) {
    place = std::copy(planes[c].begin(), planes[c].end(), place);
    if (xt::amin(planes[c])() < 0) sign = Sign::both;
  }
  const double shared = full_scale(together, options.percentile);

  SheetOptions sheet;
  sheet.gap = 8;
  sheet.columns = options.columns > 0 ? options.columns : int(std::ceil(std::sqrt(double(shown))));
  sheet.columns = std::min(sheet.columns, shown);
  const int room = std::max(24, (options.width - sheet.gap) / sheet.columns - sheet.gap);
  const int side = std::max(width, height), factor = std::clamp(room / side, 1, 32);
  sheet.tile_width = factor < 4 ? room : factor * side;  // few pixels: all of the same size

  std::vector<Tile> tiles;
  for (const std::size_t c : order) {
    const double full = own ? full_scale(planes[c], options.percentile) : shared;
    tiles.push_back({painted(scaled_to(planes[c], full), sign),
                     std::to_string(c) + (own ? "  max " + detail::number(peaks[c]) : "")});
  }
  sheet.title = (options.title.empty() ? "" : options.title + ": ") +
                (shown < count ? std::to_string(shown) + " of " : "") + std::to_string(count) +
                (count == 1 ? " channel" : " channels") +
                (options.strongest_first && shown > 1 ? ", strongest first" : "");
  const std::string high = own ? "max" : detail::number(shared);
  sheet.footer = color_bar({.sign = sign, .low = sign == Sign::both ? "-" + high : "0", .high = high});
  return contact_sheet(tiles, sheet);
}

}  // namespace pellucid
