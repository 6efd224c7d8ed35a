#pragma once
/// Smooth lines and dots on pictures.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <pellucid/image/picture.hpp>
#include <pellucid/render/canvas.hpp>

namespace pellucid::detail {

struct Point {
  double x = 0, y = 0;
};

/// A rectangle of pixels: from its first column and row to its last ones.
struct PixelArea {
  int left = 0, top = 0, right = 0, bottom = 0;
};

/// How much of each pixel of a rectangle a drawing covers: the parts of one line that meet in a pixel are
/// seen once.
class Coat {
 public:
  explicit Coat(PixelArea frame)
      : frame_(frame), covered_(std::size_t(width()) * std::size_t(frame.bottom - frame.top + 1), 0.0F) {}

  /// A line `2·radius` wide with round ends; a dot where both ends are the same.
  void line(Point from, Point to, double radius) {
    const double reach = radius + 1, dx = to.x - from.x, dy = to.y - from.y, square = dx * dx + dy * dy;
    const int left = std::max(frame_.left, int(std::floor(std::min(from.x, to.x) - reach)));
    const int right = std::min(frame_.right, int(std::ceil(std::max(from.x, to.x) + reach)));
    const int top = std::max(frame_.top, int(std::floor(std::min(from.y, to.y) - reach)));
    const int bottom = std::min(frame_.bottom, int(std::ceil(std::max(from.y, to.y) + reach)));
    for (int y = top; y <= bottom; ++y)
      for (int x = left; x <= right; ++x) {
        const double along = square > 0 ? ((x - from.x) * dx + (y - from.y) * dy) / square : 0;
        const double t = std::clamp(along, 0.0, 1.0);
        const double away = std::hypot(x - from.x - t * dx, y - from.y - t * dy);
        float& here =
            covered_[std::size_t(y - frame_.top) * std::size_t(width()) + std::size_t(x - frame_.left)];
        here = std::max(here, float(std::clamp(radius + 0.5 - away, 0.0, 1.0)));
      }
  }

  void paint(Picture& onto, Rgb color) const {
    for (int y = frame_.top; y <= frame_.bottom; ++y)
      for (int x = frame_.left; x <= frame_.right; ++x) {
        const float share =
            covered_[std::size_t(y - frame_.top) * std::size_t(width()) + std::size_t(x - frame_.left)];
        const Rgb below = pixel(onto, x, y);
        const auto mixed = [share](std::uint8_t a, std::uint8_t b) {
          return std::uint8_t(std::lround(std::lerp(float(a), float(b), share)));
        };
        set_pixel(onto, x, y, {mixed(below.r, color.r), mixed(below.g, color.g), mixed(below.b, color.b)});
      }
  }

 private:
  int width() const { return frame_.right - frame_.left + 1; }

  PixelArea frame_;
  std::vector<float> covered_;
};

/// The part of a line between two rows; nothing where none of it is. Its ends are on the rows themselves,
/// however far away the line's are.
inline std::optional<std::pair<Point, Point>> between_rows(Point from, Point to, double top, double bottom) {
  if (std::max(from.y, to.y) < top || std::min(from.y, to.y) > bottom) return {};
  const auto cut = [&](const Point& end) {
    const double y = std::clamp(end.y, top, bottom);
    return y == end.y ? end : Point{std::lerp(from.x, to.x, (y - from.y) / (to.y - from.y)), y};
  };
  return std::pair(cut(from), cut(to));
}

constexpr double half_line = 1, dot_radius = 3, dash = 7, dash_gap = 4;

/// Draws one line within the frame; `walked` is how far along the dashes are, which are walked only where
/// they are seen.
inline void draw_line(Coat& coat, Point from, Point to, const PixelArea& frame, bool dashed, double& walked) {
  const auto distance = [](Point a, Point b) { return std::hypot(b.x - a.x, b.y - a.y); };
  const auto along_dashes = [](double way) { return std::fmod(way, dash + dash_gap); };
  const double before = walked;
  walked = along_dashes(walked + distance(from, to));
  const auto seen = between_rows(from, to, frame.top, frame.bottom);
  if (!seen) return;
  const auto [begin, end] = *seen;
  if (!dashed) return coat.line(begin, end, half_line);
  const double first = along_dashes(before + distance(from, begin)), length = distance(begin, end);
  const auto at = [&, a = begin, b = end](double way) {
    return Point{std::lerp(a.x, b.x, way / length), std::lerp(a.y, b.y, way / length)};
  };
  for (double way = 0; way < length;) {
    const double phase = along_dashes(first + way);
    const double next = std::min(length, way + (phase < dash ? dash : dash + dash_gap) - phase + 1e-6);
    if (phase < dash) coat.line(at(way), at(next), half_line);
    way = next;
  }
}

}  // namespace pellucid::detail
