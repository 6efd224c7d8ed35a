#pragma once
/// The maps of the input that drive units of a layer, beside the image.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/activation/unit_gradients.hpp>
#include <pellucid/core/error.hpp>
#include <pellucid/image/picture.hpp>
#include <pellucid/image/write.hpp>
#include <pellucid/render/channel_grid.hpp>
#include <pellucid/render/color_bar.hpp>
#include <pellucid/render/heatmap.hpp>
#include <pellucid/render/sheet.hpp>

namespace pellucid {

/// How unit_grid() lays out its maps.
struct UnitGridOptions {
  Scale scale = Scale::shared;  ///< shared: colours compare units
  int columns = 0;              ///< the image's included; 0: about as many as rows
  int tile_width = 160;         ///< pixels
  double percentile = 99;       ///< in [0, 100], of the pixels that count at all: the last colour
  std::string title{};          ///< over all, if not empty
};

namespace detail {

/// The percentile of the values that are not 0: a unit sees a part of the image, and the rest of the map,
/// zero, says nothing of how strong that part is.
inline double full_scale_where_seen(const Plane& strengths, double q) {
  std::vector<double> seen;
  for (const double value : strengths)
    if (value > 0) seen.push_back(value);
  return seen.empty() ? 0 : percentile(std::move(seen), q);
}

}  // namespace detail

/// Draws the image and beside it, of the same size, how much each pixel counts for each unit, Σ_c
/// |∂a_u/∂x_c|, with the unit's number, its place and what it responds.
///
/// Throws Error on gradients that are not U×C×H×W, and on options out of range.
inline Picture unit_grid(const UnitGradients& units, const UnitGridOptions& options = {}) {
  validate(HeatMapOptions{.percentile = options.percentile});
  const Tensor& all = units.gradients;
  if (!all.defined() || all.dim() != 4 || all.numel() == 0)
    throw Error("gradients of units to draw must be U×C×H×W; given was " + detail::shape_of(all));
  const Plane together = to_xtensor<double, 2>(all.abs().sum(1).flatten(1));
  const double shared = detail::full_scale_where_seen(together, options.percentile);
  const bool own = options.scale == Scale::own;

  std::vector<Tile> tiles;
  if (units.image.size(1) == 3) tiles.push_back({to_picture(units.image), "the image"});
  for (std::size_t u = 0; u < units.units.size(); ++u) {
    const Plane plane = summed(all[std::int64_t(u)], Sign::magnitude);
    const double full = own ? detail::full_scale_where_seen(plane, options.percentile) : shared;
    std::string label = std::to_string(units.units[u]);
    if (!units.y.empty())
      label += " at (" + std::to_string(units.y[u]) + ", " + std::to_string(units.x[u]) + ")";
    label += ": " + detail::number(units.values[u]);
    const bool zero = *std::max_element(plane.begin(), plane.end()) == 0;
    if (zero) label += "\nzero: nothing drives it";
    if (own && !zero) label += "\nto " + detail::number(full);
    tiles.push_back({painted(scaled_to(plane, full), Sign::magnitude), label});
  }
  const std::string high = own ? "the map's scale" : detail::number(shared);
  const int count = int(tiles.size());
  SheetOptions sheet{
      .columns = options.columns > 0 ? options.columns : int(std::ceil(std::sqrt(double(count)))),
      .tile_width = options.tile_width,
      .gap = 12,
      .title = options.title};
  const int width = std::min(count, sheet.columns) * (sheet.tile_width + sheet.gap) - sheet.gap;
  const std::string words =
      std::string(units.y.empty() ? "Under each map: the unit"
                                  : "Under each map: the channel, its place (row, column)") +
      " and what it responds. Bright pixels drive it: a small change there changes it most (the sizes of the "
      "gradients, summed over the colours). " +
      (own ? "Each map has its own scale, up to the value after \"to\"."
           : "Colours compare maps: all have this scale.");
  sheet.footer = detail::grid_footer(color_bar({.low = "0", .high = high}), words, width);
  return contact_sheet(tiles, sheet);
}

}  // namespace pellucid
