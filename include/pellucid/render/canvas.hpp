#pragma once
/// Blank pictures, pasting and scaling: what everything that draws stands on.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/image/picture.hpp>

namespace pellucid {

/// One colour, sRGB.
struct Rgb {
  std::uint8_t r = 0, g = 0, b = 0;  ///< 0 to 255
  friend bool operator==(const Rgb&, const Rgb&) = default;
};

/// Paper and ink of everything that is drawn around pictures.
inline constexpr Rgb paper{250, 250, 248},  ///< under all of it
    ink{32, 33, 38},                        ///< of letters and lines
    faint_ink{112, 114, 122};               ///< of those that may stand back

/// The colour of a pixel that is there.
inline Rgb pixel(const Picture& picture, int x, int y) {
  const std::uint8_t* p = picture.at(x, y);
  return {p[0], p[1], p[2]};
}

/// Gives a pixel that is there a colour.
inline void set_pixel(Picture& picture, int x, int y, Rgb color) {
  std::uint8_t* p = picture.at(x, y);
  p[0] = color.r, p[1] = color.g, p[2] = color.b;
}

/// A picture of one colour. Throws Error where a side is below 1 or the picture beyond 2³⁰ pixels.
inline Picture blank(int width, int height, Rgb color = paper) {
  if (width < 1 || height < 1 || std::size_t(width) * std::size_t(height) > (std::size_t(1) << 30))
    throw Error("a picture of " + std::to_string(width) + "×" + std::to_string(height) +
                " pixels was asked for; each side must be at least 1, and the whole at most 2^30 pixels");
  Picture out{width, height, std::vector<std::uint8_t>(3 * std::size_t(width) * std::size_t(height))};
  for (std::size_t i = 0; i < out.rgb.size(); i += 3)
    out.rgb[i] = color.r, out.rgb[i + 1] = color.g, out.rgb[i + 2] = color.b;
  return out;
}

/// Throws Error unless the picture has pixels and as many bytes as its size says.
inline void require_pixels(const Picture& picture) {
  if (picture.width < 1 || picture.height < 1 ||
      picture.rgb.size() != 3 * std::size_t(picture.width) * std::size_t(picture.height))
    throw Error("a picture of " + std::to_string(picture.width) + "×" + std::to_string(picture.height) +
                " with " + std::to_string(picture.rgb.size()) +
                " bytes cannot be drawn; it needs at least one pixel and three bytes for each");
}

/// Copies `picture` onto `onto` with its upper left corner at (x, y); what lies outside is left off.
inline void paste(Picture& onto, const Picture& picture, int x, int y) {
  require_pixels(picture);
  const int left = std::max(0, -x), right = std::min(picture.width, onto.width - x);
  if (left >= right) return;
  for (int row = std::max(0, -y); row < std::min(picture.height, onto.height - y); ++row)
    std::copy(picture.at(left, row), picture.at(left, row) + 3 * (right - left), onto.at(x + left, y + row));
}

namespace detail {

/// The pixels of a row of `from` that lie under one pixel of a row of `to`, with the share of each.
struct Coverage {
  int first = 0;
  std::vector<double> share{};
};

inline std::vector<Coverage> coverage(int from, int to) {
  std::vector<Coverage> out(static_cast<std::size_t>(to));
  for (int i = 0; i < to; ++i) {
    // In units of 1/to of an input pixel: whole numbers, so that whole factors give whole shares.
    const std::int64_t begin = std::int64_t(i) * from, end = begin + from;
    Coverage& c = out[std::size_t(i)];
    c.first = int(begin / to);
    for (std::int64_t p = c.first; p * to < end; ++p)
      c.share.push_back(double(std::min(end, (p + 1) * to) - std::max(begin, p * to)) / from);
  }
  return out;
}

}  // namespace detail

/// The picture at another size: every new pixel is the average of the area it covers in the old picture.
///
/// Shrinking averages; enlarging by a whole factor repeats pixels, so tiny pictures stay crisp; other factors
/// blend only the pixels on an edge. Throws Error on an empty picture and on a size that `blank` refuses.
inline Picture scaled(const Picture& picture, int width, int height) {
  require_pixels(picture);
  Picture out = blank(width, height);
  if (width == picture.width && height == picture.height) return picture;
  const auto columns = detail::coverage(picture.width, width);
  const auto rows = detail::coverage(picture.height, height);
  std::vector<double> line(3 * std::size_t(picture.width));
  for (int y = 0; y < height; ++y) {
    const auto& row = rows[std::size_t(y)];
    std::fill(line.begin(), line.end(), 0.0);
    for (std::size_t k = 0; k < row.share.size(); ++k) {
      const std::uint8_t* p = picture.at(0, row.first + int(k));
      for (std::size_t i = 0; i < line.size(); ++i) line[i] += row.share[k] * p[i];
    }
    for (int x = 0; x < width; ++x) {
      const auto& column = columns[std::size_t(x)];
      for (std::size_t c = 0; c < 3; ++c) {
        double sum = 0;
        for (std::size_t k = 0; k < column.share.size(); ++k)
          sum += column.share[k] * line[3 * (std::size_t(column.first) + k) + c];
        out.at(x, y)[c] = std::uint8_t(std::lround(sum));
      }
    }
  }
  return out;
}

/// The picture scaled, shape kept, to the largest size that fits into a box. Throws Error as `scaled` does.
inline Picture fitted(const Picture& picture, int box_width, int box_height) {
  require_pixels(picture);
  const double factor =
      std::min(double(box_width) / double(picture.width), double(box_height) / double(picture.height));
  const auto side = [factor](int length) { return std::max(1, int(std::lround(factor * length))); };
  return scaled(picture, side(picture.width), side(picture.height));
}

/// Pictures under one another, on paper.
inline Picture stacked(const std::vector<Picture>& pictures, int gap = 0) {
  int width = 1, height = -gap;
  for (const Picture& picture : pictures) {
    width = std::max(width, picture.width);
    height += picture.height + gap;
  }
  Picture whole = blank(width, height);
  int y = 0;
  for (const Picture& picture : pictures) {
    paste(whole, picture, 0, y);
    y += picture.height + gap;
  }
  return whole;
}

/// Pictures side by side, on paper.
inline Picture side_by_side(const std::vector<Picture>& pictures, int gap) {
  int width = -gap, height = 1;
  for (const Picture& picture : pictures) {
    width += picture.width + gap;
    height = std::max(height, picture.height);
  }
  Picture whole = blank(width, height);
  int x = 0;
  for (const Picture& picture : pictures) {
    paste(whole, picture, x, 0);
    x += picture.width + gap;
  }
  return whole;
}

}  // namespace pellucid
