#pragma once
/// What channels look for: a row of patches each.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/activation/patch_view.hpp>
#include <pellucid/core/error.hpp>
#include <pellucid/image/picture.hpp>
#include <pellucid/image/write.hpp>
#include <pellucid/render/canvas.hpp>
#include <pellucid/render/lines.hpp>
#include <pellucid/render/sheet.hpp>
#include <pellucid/render/text.hpp>

namespace pellucid {

/// A patch and what is written under it.
struct PatchTile {
  PatchView view{};     ///< what is drawn
  std::string label{};  ///< wrapped to the tile's width
};

/// A channel and its patches, strongest first.
struct PatchRow {
  std::string title{};               ///< at the left
  std::vector<PatchTile> patches{};  ///< from left to right
  Picture beside{};                  ///< at the right, if not empty: the channel's feature visualisation
  std::string beside_label{};        ///< under it
};

/// How patch_sheet() lays out its rows.
struct PatchSheetOptions {
  int tile_width = 96;   ///< pixels; no tile is wider or higher
  int gap = 8;           ///< pixels between tiles
  int text_scale = 1;    ///< the title is twice as large where it fits on one line
  int label_lines = 2;   ///< a longer label is cut and ends in "..."
  std::string title{};   ///< over all, if not empty
  std::string labels{};  ///< what stands under a patch, for the note at the foot: "the channel's value there"
  Picture footer{};      ///< under all, if not empty
};

/// Throws Error on options that no sheet can be made with.
inline void validate(const PatchSheetOptions& options) {
  validate(SheetOptions{.tile_width = options.tile_width,
                        .gap = options.gap,
                        .text_scale = options.text_scale,
                        .label_lines = options.label_lines});
}

namespace detail {

/// Where there is no image: stripes of two greys that are near the paper.
inline Picture hatched(int width, int height) {
  Picture out = blank(width, height, {240, 240, 237});
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      if ((x + y) % 6 < 2) set_pixel(out, x, y, {216, 216, 212});
  return out;
}

/// A frame one pixel wide, of black and white dashes, which is seen on any image.
inline void draw_dashed_frame(Picture& onto, const PixelArea& frame) {
  const auto dot = [&](int x, int y) {
    set_pixel(onto, x, y, (x + y) % 8 < 4 ? Rgb{255, 255, 255} : Rgb{0, 0, 0});
  };
  for (int x = frame.left; x <= frame.right; ++x) dot(x, frame.top), dot(x, frame.bottom);
  for (int y = frame.top; y <= frame.bottom; ++y) dot(frame.left, y), dot(frame.right, y);
}

/// A white ring edged in black, which is seen on any image.
inline void draw_ring(Picture& onto, Point center, double radius) {
  constexpr int corners = 48;
  const auto at = [&](int i) {
    const double turn = 2 * std::numbers::pi * i / corners;
    return Point{center.x + radius * std::cos(turn), center.y + radius * std::sin(turn)};
  };
  for (const auto& [half_width, color] : {std::pair(2.5, Rgb{0, 0, 0}), std::pair(1.0, Rgb{255, 255, 255})}) {
    Coat coat({0, 0, onto.width - 1, onto.height - 1});
    for (int i = 0; i < corners; ++i) coat.line(at(i), at(i + 1), half_width);
    coat.paint(onto, color);
  }
}

/// How to read the sheet: nothing is explained that is not there.
inline std::string patch_note(const std::vector<PatchRow>& rows, const std::string& labels) {
  bool tiles = false, padded = false, whole = false, framed = false, beside = false;
  for (const PatchRow& row : rows) {
    beside = beside || row.beside.width > 0;
    for (const PatchTile& tile : row.patches) {
      const bool part = !tile.view.sees_all();
      whole = whole || (tile.view.whole && !tile.view.alone);
      framed = framed || (tile.view.whole && part);
      tiles = tiles || !tile.view.whole;
      padded = padded || (!tile.view.whole && part);
    }
  }
  std::string note =
      "Each row is a channel, with the places where it responds most, the strongest at the left.";
  if (!labels.empty()) note += " Under each: " + labels + ".";
  if (tiles) note += " A patch is exactly what the channel sees of an image from its place.";
  if (padded) note += " Hatched: beyond the edge of the image.";
  if (whole)
    note += " An image is whole where the channel may see most or all of it; the ring marks its place";
  if (whole && framed) note += ", the dashed frame what it sees from there";
  if (whole) note += ".";
  if (!whole && framed) note += " The dashed frame holds what the channel sees of the image.";
  if (beside) note += " At the far right: an image made by optimization to excite the channel.";
  return note;
}

}  // namespace detail

/// A patch as large as fits into a square of `side` pixels: what lies outside of the image is hatched; in a
/// whole image a ring marks the place, and a dashed frame what it sees.
inline Picture draw_patch(const PatchView& view, int side) {
  const Picture shown = to_picture(view.image);
  Picture out = fitted(shown, side, side);
  if (view.sees_all() && (!view.whole || view.alone)) return out;
  const Box seen = view.seen();
  const auto scaled_x = [&](double x) { return x * out.width / shown.width; };
  const auto scaled_y = [&](double y) { return y * out.height / shown.height; };
  const detail::PixelArea area{int(std::lround(scaled_x(double(seen.left)))),
                               int(std::lround(scaled_y(double(seen.top)))),
                               int(std::lround(scaled_x(double(seen.right)))) - 1,
                               int(std::lround(scaled_y(double(seen.bottom)))) - 1};
  const bool empty = area.right < area.left || area.bottom < area.top;
  if (view.whole) {
    if (!empty && !view.sees_all()) detail::draw_dashed_frame(out, area);
    if (view.alone) return out;
    detail::draw_ring(out, {scaled_x(view.center.x) - 0.5, scaled_y(view.center.y) - 0.5},
                      std::max(3.0, std::min(out.width, out.height) / 14.0));
    return out;
  }
  out = detail::hatched(out.width, out.height);
  if (empty) return out;
  const Tensor part = view.image.slice(2, seen.top, seen.bottom).slice(3, seen.left, seen.right);
  paste(out, scaled(to_picture(part), area.right - area.left + 1, area.bottom - area.top + 1), area.left,
        area.top);
  return out;
}

/// Draws a row of patches for each channel: its title at the left, then the patches in their order with their
/// labels under them, and at the right, set apart, the picture beside them. How to read it stands at the
/// foot.
///
/// Patches are enlarged to the tile's width (tiny ones with crisp pixels); of a tile that reaches beyond its
/// image, that part is hatched; in a whole image a ring marks the place, and a dashed frame what it sees
/// where that is not all. Throws Error without rows, on a row without patches, on images that are no
/// pictures (1×3×h×w or 1×1×h×w in [0, 1]), and on options that make no sense.
inline Picture patch_sheet(const std::vector<PatchRow>& rows, const PatchSheetOptions& options = {}) {
  validate(options);
  if (rows.empty())
    throw Error("a sheet of patches without rows was asked for; give it one for each channel");
  const int gap = options.gap, scale = options.text_scale, step = options.tile_width + gap;
  constexpr int margin = 16;
  const int widest_title = 110 * scale;
  int title_width = 0;
  std::size_t most = 0;
  bool beside = false;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (rows[r].patches.empty())
      throw Error("row " + std::to_string(r) + " of a sheet of patches ('" + rows[r].title +
                  "') has none; leave it out, or give it at least one");
    most = std::max(most, rows[r].patches.size());
    beside = beside || rows[r].beside.width > 0;
    for (const std::string& line : wrapped(rows[r].title, widest_title, 6, scale))
      title_width = std::max(title_width, text_width(line, scale));
  }
  // Where tiles begin; contact_sheet leaves a gap around them.
  const int tiles_at = margin + (title_width > 0 ? title_width + margin : 0) - gap;
  const int beside_at = tiles_at + int(most) * step + 2 * margin;
  constexpr int narrowest = 400;  // the note is to be read
  const int width = std::max({narrowest, (beside ? beside_at + step : tiles_at + int(most) * step) + margin,
                              options.footer.width + 2 * margin});
  const int room = width - 2 * margin;

  std::vector<Picture> drawn;
  const auto tiles_of = [&](const std::vector<Tile>& tiles) {
    return contact_sheet(tiles, {.columns = int(tiles.size()),
                                 .tile_width = options.tile_width,
                                 .gap = gap,
                                 .text_scale = scale,
                                 .label_lines = options.label_lines});
  };
  if (!options.title.empty()) {
    const int title_scale = text_width(options.title, 2 * scale) <= room ? 2 * scale : scale;
    const Picture title = detail::paragraph(options.title, room, 4, {title_scale, ink});
    drawn.push_back(blank(width, title.height + std::max(0, margin - gap)));
    paste(drawn.back(), title, margin, 0);
  }
  for (const PatchRow& row : rows) {
    std::vector<Tile> tiles;
    for (const PatchTile& tile : row.patches)
      tiles.push_back({draw_patch(tile.view, options.tile_width), tile.label});
    const Picture patches = tiles_of(tiles);
    const Picture other = row.beside.width > 0 ? tiles_of({{row.beside, row.beside_label}}) : blank(1, 1);
    const Picture title = detail::paragraph(row.title, std::max(1, title_width), 6, {scale, ink});
    Picture strip = blank(width, std::max({patches.height, other.height, gap + title.height}));
    paste(strip, title, margin, gap);
    paste(strip, patches, tiles_at, 0);
    if (row.beside.width > 0) paste(strip, other, beside_at, 0);
    drawn.push_back(std::move(strip));
  }
  const Picture note =
      detail::paragraph(detail::patch_note(rows, options.labels), room, 12, {scale, faint_ink});
  drawn.push_back(blank(width, note.height + gap));
  paste(drawn.back(), note, margin, gap);
  if (options.footer.width > 0) {
    drawn.push_back(blank(width, options.footer.height + gap));
    paste(drawn.back(), options.footer, margin, gap);
  }
  drawn.insert(drawn.begin(), blank(width, margin));
  drawn.push_back(blank(width, margin));
  return stacked(drawn);
}

}  // namespace pellucid
