#pragma once
/// A picture of something that is not an image: the heat map of each channel, side by side.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <pellucid/activation/channels.hpp>
#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/image/picture.hpp>
#include <pellucid/render/color_bar.hpp>
#include <pellucid/render/heatmap.hpp>
#include <pellucid/render/sheet.hpp>

namespace pellucid {

/// shared: colours compare channels. own: each channel by its own strongest places.
enum class Scale { shared, own };

/// How channel_grid() lays out its maps.
struct ChannelGridOptions {
  Scale scale = Scale::shared;  ///< what colours compare
  int columns = 0;              ///< 0: about as many as rows
  int max_channels = 64;        ///< of more, the strongest are drawn, and the title says so
  bool strongest_first = true;  ///< as `strongest_channels` has it; false: in the order of the channels
  double percentile = 99;       ///< in [0, 100], as in HeatMapOptions
  int width = 900;      ///< pixels to fill, tiles being 24 at least; a pixel of a channel takes 32 at most
  std::string title{};  ///< in front of how many channels are shown
  std::int64_t first_number = 0;  ///< of the channels given, where they are a part of the layer's
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

namespace detail {

/// The colour bar of a grid, and what is written under its maps.
inline Picture grid_footer(const Picture& bar, const std::string& words, int width) {
  return stacked({bar, paragraph(words, std::max(width, bar.width), 4, {1, faint_ink})}, 6);
}

}  // namespace detail

/// Draws channels as heat maps in a grid, each with its number: black is nothing; where a value is negative
/// anywhere, blue is below zero and orange above. Where the strongest come first, or are single numbers,
/// the largest value stands beside the number; where each has its own scale, up to which value its colours
/// go.
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
  const StrongestChannels strongest = strongest_channels(maps, options.max_channels),
                          chosen = options.strongest_first ? strongest : strongest.by_number();
  const int shown = int(chosen.channels.size());
  const Tensor numbers = torch::tensor(chosen.channels, torch::kLong).to(maps.device());
  const Tensor drawn = maps.index_select(0, numbers);
  const Plane together = to_xtensor<double, 2>(drawn.flatten(1));
  const bool single = height * width == 1, own = options.scale == Scale::own && !single;
  const bool with_values = options.strongest_first || single;
  const Sign sign = *std::min_element(together.begin(), together.end()) < 0 ? Sign::both : Sign::magnitude;
  const double shared = full_scale(together, options.percentile);

  SheetOptions sheet;
  sheet.gap = 8;
  sheet.columns = options.columns > 0 ? options.columns : int(std::ceil(std::sqrt(double(shown))));
  sheet.columns = std::min(sheet.columns, shown);
  const int room = std::max(24, (options.width - sheet.gap) / sheet.columns - sheet.gap);
  const int side = std::max(width, height), factor = std::clamp(room / side, 1, 32);
  sheet.tile_width = factor < 4 ? room : factor * side;  // few pixels: all of the same size

  std::vector<Tile> tiles;
  for (int i = 0; i < shown; ++i) {
    const Plane plane = to_xtensor<double, 2>(drawn[i]);
    const double full = own ? full_scale(plane, options.percentile) : shared;
    std::string label = std::to_string(options.first_number + chosen.channels[std::size_t(i)]);
    if (own) {
      label += "  to " + detail::number(full);
    } else if (with_values) {
      label += "  " + detail::number(chosen.values[std::size_t(i)]);
    }
    tiles.push_back({painted(scaled_to(plane, full), sign), label});
  }
  const std::string order = options.strongest_first && shown > 1 ? ", strongest first" : "";
  const std::string part = shown == count ? std::to_string(count)
                           : order.empty()
                               ? "the " + std::to_string(shown) + " strongest of " + std::to_string(count)
                               : std::to_string(shown) + " of " + std::to_string(count);
  sheet.title = (options.title.empty() ? "" : options.title + ": ") + part +
                (count == 1 ? " channel" : " channels") + order;
  const std::string high = own ? "the map's scale" : detail::number(shared);
  const Picture bar =
      color_bar({.sign = sign, .low = sign == Sign::both ? (own ? "- " : "-") + high : "0", .high = high});
  const std::string words = own ? "Under each map: its channel, and the value that its colours go up to: "
                                  "each map has its own scale."
                                : std::string("Under each map: its channel") +
                                      (with_values ? " and that channel's largest value" : "") +
                                      ". Colours compare maps: all have this scale.";
  sheet.footer = detail::grid_footer(bar, words, sheet.columns * (sheet.tile_width + sheet.gap) - sheet.gap);
  return contact_sheet(tiles, sheet);
}

}  // namespace pellucid
