#pragma once
/// Labels, written with a small bitmap font.

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/image/picture.hpp>
#include <pellucid/render/canvas.hpp>
#include <pellucid/render/font.hpp>

namespace pellucid {

/// Scale 1 has capitals 8 pixels high, scale 2 of 16 with the corners smoothed.
struct TextStyle {
  int scale = 1;    ///< 1 to 64
  Rgb color = ink;  ///< of the letters
};

/// Throws Error unless the scale is at least 1.
inline void validate(const TextStyle& style) {
  if (style.scale < 1 || style.scale > 64)
    throw Error("text of scale " + std::to_string(style.scale) + " was asked for; a scale is from 1 to 64");
}

namespace detail {

/// The characters of UTF-8 text; each byte that belongs to none gives U+FFFD, which is drawn as '?'.
inline std::u32string characters(std::string_view text) {
  std::u32string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    int more = lead < 0x80            ? 0
               : lead >> 5 == 0b110   ? 1
               : lead >> 4 == 0b1110  ? 2
               : lead >> 3 == 0b11110 ? 3
                                      : -1;
    char32_t value = more <= 0 ? lead : lead & (0x3FU >> more);
    const std::size_t after_lead = i;
    for (; more > 0 && i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80; --more, ++i)
      value = value << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
    if (more != 0) value = 0xFFFD, i = after_lead;
    out.push_back(value);
  }
  return out;
}

inline std::vector<std::string_view> split(std::string_view content) {
  std::vector<std::string_view> lines;
  for (std::size_t begin = 0; begin <= content.size();) {
    const std::size_t end = std::min(content.find('\n', begin), content.size());
    lines.push_back(content.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

inline int width_of(std::u32string_view text, int scale) {
  int width = 0;
  for (char32_t c : text) width += glyph_width(glyph_of(c)) + 1;
  return scale * std::max(0, width - 1);
}

/// Bytes of the longest beginning of a line that is no wider than `width`, and at least one character.
inline std::size_t fitting(std::string_view line, int width, int scale) {
  std::size_t fit = 0;
  for (std::size_t end = 1; end <= line.size(); ++end) {
    if (end < line.size() && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80)
      continue;  // inside a character
    if (fit > 0 && width_of(characters(line.substr(0, end)), scale) > width) break;
    fit = end;
  }
  return fit;
}

/// Whether a dot of the enlarged glyph is ink. At even scales corners are cut as Scale2x does (A. Mazzoleni,
/// 2001): a quarter of a dot takes the colour of its two outer neighbours where these agree and the opposite
/// ones do not.
inline bool smooth_dot(int glyph, int x, int y, int scale) {
  const int column = x / scale, row = y / scale;
  const bool here = glyph_dot(glyph, column, row);
  if (scale % 2 != 0) return here;
  const int side = x % scale < scale / 2 ? -1 : 1, rise = y % scale < scale / 2 ? -1 : 1;
  const bool beside = glyph_dot(glyph, column + side, row), above = glyph_dot(glyph, column, row + rise);
  const bool across = glyph_dot(glyph, column - side, row), below = glyph_dot(glyph, column, row - rise);
  return beside == above && beside != below && above != across ? beside : here;
}

inline void draw(Picture& onto, int x, int y, std::u32string_view text, TextStyle style) {
  for (char32_t c : text) {
    const int glyph = glyph_of(c), columns = glyph_width(glyph);
    for (int row = 0; row < glyph_height * style.scale; ++row)
      for (int column = 0; column < columns * style.scale; ++column)
        if (smooth_dot(glyph, column, row, style.scale) && x + column >= 0 && x + column < onto.width &&
            y + row >= 0 && y + row < onto.height)
          set_pixel(onto, x + column, y + row, style.color);
    x += (columns + 1) * style.scale;
  }
}

}  // namespace detail

/// Pixels from the first to the last column of one line of text; 0 for none.
inline int text_width(std::string_view line, int scale = 1) {
  validate(TextStyle{scale});
  return detail::width_of(detail::characters(line), scale);
}

/// Pixels from the top of a capital to the foot of a g.
inline int text_height(int scale = 1) {
  return detail::glyph_height * scale;
}

/// Pixels from one line of text to the next.
inline int line_height(int scale = 1) {
  return (detail::glyph_height + 4) * scale;
}

/// Writes one line of UTF-8 text with its upper left corner at (x, y); what lies outside the picture is left
/// off, a character without a glyph is drawn as '?'. Throws Error on a scale below 1.
inline void draw_text(Picture& onto, int x, int y, std::string_view line, TextStyle style = {}) {
  validate(style);
  detail::draw(onto, x, y, detail::characters(line), style);
}

/// Breaks UTF-8 text into lines no wider than `width` pixels: at '\n', at blanks, and inside a word only
/// where the word alone is too wide. Text past `max_lines` is left off, and the last line then ends in "...".
/// A line has one character at least, however narrow the width. Throws Error on a scale below 1.
inline std::vector<std::string> wrapped(std::string_view content, int width, int max_lines, int scale = 1) {
  validate(TextStyle{scale});
  std::vector<std::string> lines;
  for (std::string_view paragraph : detail::split(content)) {
    for (std::size_t fit; (fit = detail::fitting(paragraph, width, scale)) < paragraph.size();) {
      const std::size_t blank_at = paragraph.rfind(' ', fit);
      const std::size_t cut = blank_at == std::string_view::npos || blank_at == 0 ? fit : blank_at;
      lines.emplace_back(paragraph.substr(0, paragraph.find_last_not_of(' ', cut - 1) + 1));
      paragraph.remove_prefix(std::min(paragraph.find_first_not_of(' ', cut), paragraph.size()));
    }
    lines.emplace_back(paragraph);
  }
  if (lines.size() > std::size_t(std::max(0, max_lines))) {
    lines.resize(std::size_t(std::max(0, max_lines)));
    if (!lines.empty()) {
      const std::size_t kept = detail::fitting(lines.back(), width - text_width(" ...", scale), scale);
      lines.back() = lines.back().substr(0, kept) + "...";
    }
  }
  return lines;
}

namespace detail {

inline void draw_lines(Picture& onto, int x, int y, const std::vector<std::string>& lines, TextStyle style) {
  for (std::size_t i = 0; i < lines.size(); ++i)
    draw_text(onto, x, y + int(i) * line_height(style.scale), lines[i], style);
}

/// Lines of text as a picture of this width.
inline Picture paragraph(std::string_view content, int width, int max_lines, TextStyle style = {}) {
  const auto lines = wrapped(content, width, max_lines, style.scale);
  Picture out = blank(width, std::max(1, int(lines.size()) * line_height(style.scale)));
  draw_lines(out, 0, 0, lines, style);
  return out;
}

}  // namespace detail

/// A picture of text, one line for each '\n', cut to its own size. Throws Error on a scale below 1.
inline Picture text(std::string_view content, TextStyle style = {}, Rgb background = paper) {
  validate(style);
  const std::vector<std::string_view> lines = detail::split(content);
  int width = 1;
  for (std::string_view line : lines) width = std::max(width, text_width(line, style.scale));
  Picture out =
      blank(width, int(lines.size() - 1) * line_height(style.scale) + text_height(style.scale), background);
  for (std::size_t i = 0; i < lines.size(); ++i)
    draw_text(out, 0, int(i) * line_height(style.scale), lines[i], style);
  return out;
}

}  // namespace pellucid
