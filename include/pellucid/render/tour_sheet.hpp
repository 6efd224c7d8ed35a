#pragma once
/// A tour through all layers of a network, drawn on one tall sheet.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/activation/tour.hpp>
#include <pellucid/core/error.hpp>
#include <pellucid/image/picture.hpp>
#include <pellucid/render/canvas.hpp>
#include <pellucid/render/channel_grid.hpp>
#include <pellucid/render/color_bar.hpp>
#include <pellucid/render/heatmap.hpp>
#include <pellucid/render/text.hpp>

namespace pellucid {

/// How tour_sheet() lays out its rows.
struct TourSheetOptions {
  std::string title{};          ///< over all, if not empty
  Picture photo{};              ///< what the network was shown; drawn at the top, if not empty
  Scale scale = Scale::shared;  ///< shared: by the channels of one layer; layers have their own scales
  double percentile = 99;       ///< in [0, 100], as in HeatMapOptions
  int height =
      9000;  ///< pixels that the layers may take: longer tours have smaller maps, then several columns
};

/// Throws Error on options that no sheet can be made with.
inline void validate(const TourSheetOptions& options) {
  validate(HeatMapOptions{.percentile = options.percentile});
  if (options.height < 200)
    throw Error("a tour on a sheet " + std::to_string(options.height) +
                " pixels high was asked for; it needs at least 200");
}

namespace detail {

/// One row of the sheet: a layer, and those behind it that hand on the same values (a container and its last
/// layer, dropout).
struct TourRow {
  std::string names{};
  const Stop* stop = nullptr;
};

inline bool same_values(const Stop& a, const Stop& b) {
  return a.layer.shape == b.layer.shape && a.strongest.channels == b.strongest.channels && a.mean == b.mean &&
         a.maps.defined() && b.maps.defined() && a.maps.equal(b.maps);
}

inline std::vector<TourRow> tour_rows(const std::vector<Stop>& stops) {
  std::vector<TourRow> rows;
  for (const Stop& stop : stops) {
    if (!rows.empty() && same_values(*rows.back().stop, stop)) {
      rows.back().names += " = " + stop.layer.name;
    } else {
      rows.push_back({stop.layer.name, &stop});
    }
  }
  return rows;
}

/// 64×56×56, without the 1 of the single image.
inline std::string shape_for_one(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (std::size_t i = shape.size() > 1 && shape[0] == 1 ? 1 : 0; i < shape.size(); ++i)
    text += (text.empty() ? "" : "×") + std::to_string(shape[i]);
  return text.empty() ? "one number" : text;
}

/// A number in as many digits as fit.
inline std::string number_within(double value, int width) {
  char digits[32];
  for (const char* const format : {"%.3g", "%.2g", "%.0e"}) {
    std::snprintf(digits, sizeof digits, format, value);
    if (text_width(digits) <= width) break;
  }
  return digits;
}

/// Draws one row; as high as what is in it.
inline Picture drawn_row(const TourRow& row, const TourSheetOptions& options, int tile, int tiles) {
  constexpr int words = 190, gap = 8;
  const Stop& stop = *row.stop;
  std::vector<std::string> names = wrapped(row.names, words, 2);
  const bool empty = stop.strongest.channels.empty();
  const bool single = !empty && stop.maps[0].numel() == 1, own = options.scale == Scale::own && !single;
  const Plane together =
      empty ? Plane(std::array<std::size_t, 2>{0, 0}) : to_xtensor<double, 2>(stop.maps.flatten(1));
  const double full = empty ? 0 : full_scale(together, single ? 100 : options.percentile);
  const Sign sign = stop.least < 0 ? Sign::both : Sign::magnitude;
  std::vector<std::string> facts =
      wrapped(stop.layer.kind + "  " + shape_for_one(stop.layer.shape), words, 2);
  if (!own) facts.push_back(empty ? "no values" : "scale: " + number(full));
  if (!empty && !single && !stop.spatial) facts.emplace_back("not laid out as the picture");

  const int label_lines = single || own ? 2 : 1;
  const int text_rows = int(names.size() + facts.size());
  Picture out = blank(words + gap + tiles * (tile + gap),
                      std::max(text_rows * line_height(), tile + 4 + label_lines * line_height()) + gap);
  draw_lines(out, 0, 0, names, {});
  draw_lines(out, 0, int(names.size()) * line_height(), facts, {1, faint_ink});
  for (std::size_t i = 0; i < stop.strongest.channels.size(); ++i) {
    const Plane plane = to_xtensor<double, 2>(stop.maps[std::int64_t(i)]);
    const double scale = own ? full_scale(plane, options.percentile) : full;
    const Picture map = fitted(painted(scaled_to(plane, scale), sign), tile, tile);
    const int x = words + gap + int(i) * (tile + gap);
    paste(out, map, x, tile - map.height);
    draw_text(out, x, tile + 4, std::to_string(stop.strongest.channels[i]));
    if (label_lines > 1)
      draw_text(out, x, tile + 4 + line_height(),
                number_within(own ? scale : stop.strongest.values[i], tile + gap - 3), {1, faint_ink});
  }
  return out;
}

/// The photo, the title, and how to read the sheet.
inline Picture tour_head(const TourSheetOptions& options, const std::string& reading, int width) {
  constexpr int side = 160, gap = 16;
  const bool has_photo = options.photo.width > 0;
  const int room = std::max(200, width - (has_photo ? side + gap : 0));
  const bool own = options.scale == Scale::own;
  const std::string high = own ? "the map's scale" : "the row's scale";
  std::vector<Picture> parts;
  if (!options.title.empty()) {
    const int scale = text_width(options.title, 2) <= room ? 2 : 1;
    parts.push_back(paragraph(options.title, room, 3, {scale, ink}));
  }
  parts.push_back(paragraph(reading, room, 12));
  const int bar = std::min(room, 420);
  parts.push_back(color_bar({.low = "0", .high = high, .width = bar}));
  parts.push_back(color_bar({.sign = Sign::both, .low = "- " + high, .high = high, .width = bar}));
  const Picture words = stacked(parts, 8);
  return has_photo ? side_by_side({fitted(options.photo, side, side), words}, gap) : words;
}

}  // namespace detail

/// Draws a tour: each layer in a row with its name, kind and shape and its strongest channels as small maps,
/// each with its number; layers that hand on the same values share a row.
///
/// Black is nothing, lighter is more; in rows of layers with negative values blue is below zero, orange
/// above. Throws Error without stops and on options that make no sense.
inline Picture tour_sheet(const std::vector<Stop>& stops, const TourSheetOptions& options = {}) {
  using namespace detail;
  validate(options);
  if (stops.empty()) throw Error("a tour of no layers was to be drawn; `tour` gives one for each layer");
  constexpr int margin = 16, between = 24;
  std::size_t most = 1;
  for (const Stop& stop : stops) most = std::max(most, stop.strongest.channels.size());
  const std::vector<TourRow> rows = tour_rows(stops);

  std::vector<Picture> drawn;
  int total = 0;
  for (const int tile : {64, 48, 32}) {
    drawn.clear();
    total = 0;
    for (const TourRow& row : rows) {
      drawn.push_back(drawn_row(row, options, tile, int(most)));
      total += drawn.back().height;
    }
    if (total <= options.height) break;
  }
  const int columns = (total + options.height - 1) / options.height;
  const int enough = (total + columns - 1) / columns;  // so that all columns are about as high
  const int step = drawn.front().width + between;
  const bool own = options.scale == Scale::own;
  const std::string reading =
      "Each row is a layer, from the first to the last" +
      std::string(columns > 1 ? ", column by column" : "") + ": its name, kind and output, and the " +
      std::to_string(most) +
      " channels that respond most, strongest first, with their numbers. A map lies as the picture does, "
      "unless its row says otherwise: what is bright in its upper left corner was found in the upper left "
      "corner of the picture. Black is 0; where a layer has values below 0 these are blue, and those above "
      "are orange. " +
      (own ? "The colours of each map go up to its own scale, which stands under its number."
           : "The colours of a row go up to its scale, which stands beside it: compare them within a row.");
  const Picture head = tour_head(options, reading, columns * step - between);

  // Rows are pasted at their places: a long tour is a large picture, of which there should be one.
  std::vector<std::pair<int, int>> places;
  int column = 0, filled = 0, height = 0;
  for (const Picture& row : drawn) {
    if (filled >= enough && column + 1 < columns) ++column, filled = 0;
    places.emplace_back(column * step, filled);
    filled += row.height;
    height = std::max(height, filled);
  }
  const int top = margin + head.height + between;
  Picture sheet = blank(2 * margin + std::max(head.width, columns * step - between), top + height + margin);
  paste(sheet, head, margin, margin);
  for (std::size_t i = 0; i < drawn.size(); ++i)
    paste(sheet, drawn[i], margin + places[i].first, top + places[i].second);
  return sheet;
}

}  // namespace pellucid
