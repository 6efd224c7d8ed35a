#pragma once
/// Pictures side by side with their names: a contact sheet.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/image/picture.hpp>
#include <pellucid/render/canvas.hpp>
#include <pellucid/render/text.hpp>

namespace pellucid {

/// A picture and what is written under it.
struct Tile {
  Picture picture{};    ///< of any size
  std::string label{};  ///< wrapped to the tile's width
};

/// How contact_sheet() lays out its tiles.
struct SheetOptions {
  int columns = 0;       ///< 0: about as many as rows
  int tile_width = 224;  ///< pixels; no tile is wider or higher
  int gap = 16;          ///< pixels around tiles
  int text_scale = 1;    ///< the title is twice as large where it fits on one line
  int label_lines = 2;   ///< a longer label is cut and ends in "..."
  std::string title{};   ///< over all, if not empty
  Picture footer{};      ///< under all, if not empty: `color_bar`
};

/// Throws Error on options that no sheet can be made with.
inline void validate(const SheetOptions& options) {
  const auto least = [](const char* what, int given, int limit) {
    if (given < limit)
      throw Error(std::string("a sheet with ") + what + " " + std::to_string(given) +
                  " was asked for; it must be " + std::to_string(limit) + " or more");
  };
  least("columns", options.columns, 0);
  least("tile_width", options.tile_width, 1);
  least("gap", options.gap, 0);
  least("label_lines", options.label_lines, 0);
  validate(TextStyle{options.text_scale});
}

namespace detail {

struct SheetRow {
  int picture_height = 0, label_lines = 0;
};

}  // namespace detail

/// Draws tiles in rows, left to right, on light paper: each picture fitted, shape kept, into a square of
/// `tile_width` (tiny ones with crisp pixels), its label under it, the title over all and the footer under
/// all.
///
/// Throws Error without tiles, on an empty picture and on options that make no sense.
inline Picture contact_sheet(const std::vector<Tile>& tiles, const SheetOptions& options = {}) {
  validate(options);
  if (tiles.empty()) throw Error("a contact sheet of no pictures was asked for; give it at least one tile");
  const int count = int(tiles.size()), gap = options.gap, scale = options.text_scale;
  const int columns =
      std::min(count, options.columns > 0 ? options.columns : int(std::ceil(std::sqrt(double(count)))));
  const int label_gap = 5 * scale;
  const bool has_footer = options.footer.width > 0;
  const int width = std::max(gap + columns * (options.tile_width + gap), options.footer.width + 2 * gap);
  const auto lines_height = [](std::size_t lines, int at) {
    return lines == 0 ? 0 : int(lines - 1) * line_height(at) + text_height(at);
  };

  std::vector<Picture> pictures;
  std::vector<std::vector<std::string>> labels;
  std::vector<detail::SheetRow> rows(std::size_t((count + columns - 1) / columns));
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    pictures.push_back(fitted(tiles[i].picture, options.tile_width, options.tile_width));
    labels.push_back(tiles[i].label.empty()
                         ? std::vector<std::string>{}
                         : wrapped(tiles[i].label, options.tile_width, options.label_lines, scale));
    detail::SheetRow& row = rows[i / std::size_t(columns)];
    row.picture_height = std::max(row.picture_height, pictures[i].height);
    row.label_lines = std::max(row.label_lines, int(labels[i].size()));
  }
  const auto row_height = [&](const detail::SheetRow& row) {
    return row.picture_height +
           (row.label_lines > 0 ? label_gap + lines_height(std::size_t(row.label_lines), scale) : 0) + gap;
  };
  const int title_room = std::max(1, width - 2 * gap);
  const int title_scale = text_width(options.title, 2 * scale) <= title_room ? 2 * scale : scale;
  const auto title =
      options.title.empty() ? std::vector<std::string>{} : wrapped(options.title, title_room, 4, title_scale);

  int height = gap + (title.empty() ? 0 : lines_height(title.size(), title_scale) + gap) +
               (has_footer ? options.footer.height + gap : 0);
  for (const auto& row : rows) height += row_height(row);
  Picture sheet = blank(width, height);

  int y = gap;
  if (!title.empty()) {
    detail::draw_lines(sheet, gap, y, title, {title_scale, ink});
    y += lines_height(title.size(), title_scale) + gap;
  }
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t i = r * std::size_t(columns); i < std::min(tiles.size(), (r + 1) * std::size_t(columns));
         ++i) {
      const int x = gap + int(i % std::size_t(columns)) * (options.tile_width + gap);
      paste(sheet, pictures[i], x, y + rows[r].picture_height - pictures[i].height);
      detail::draw_lines(sheet, x, y + rows[r].picture_height + label_gap, labels[i], {scale, ink});
    }
    y += row_height(rows[r]);
  }
  if (has_footer) paste(sheet, options.footer, gap, y);
  return sheet;
}

}  // namespace pellucid
