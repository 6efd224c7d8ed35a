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

/// The part of a line between two rows; nothing where none of it is.
inline std::optional<std::pair<Point, Point>> between_rows(Point from, Point to, double top, double bottom) {
  double first = 0, last = 1;
  const double rise = to.y - from.y;
  if (rise == 0 && (from.y < top || from.y > bottom)) return {};
  if (rise != 0) {
    const double a = (top - from.y) / rise, b = (bottom - from.y) / rise;
    first = std::max(first, std::min(a, b)), last = std::min(last, std::max(a, b));
    if (first > last) return {};
  }
  const auto at = [&](double t) { return Point{std::lerp(from.x, to.x, t), std::lerp(from.y, to.y, t)}; };
  return std::pair(at(first), at(last));
}

constexpr double half_line = 1, dot_radius = 3, dash = 7, dash_gap = 4;

/// Draws one line within the frame; `walked` is how far along the dashes are.
inline void draw_line(Coat& coat, Point from, Point to, const PixelArea& frame, bool dashed, double& walked) {
  const double length = std::hypot(to.x - from.x, to.y - from.y);
  const auto part = [&](double begin, double end) {
    const auto at = [&](double way) {
      const double t = length > 0 ? way / length : 0;
      return Point{std::lerp(from.x, to.x, t), std::lerp(from.y, to.y, t)};
    };
    if (const auto seen = between_rows(at(begin), at(end), frame.top, frame.bottom))
      coat.line(seen->first, seen->second, half_line);
  };
  if (!dashed) return part(0, length);
  for (double way = 0; way < length;) {
    const double phase = std::fmod(walked + way, dash + dash_gap);
    const double end = std::min(length, way + (phase < dash ? dash : dash + dash_gap) - phase + 1e-6);
    if (phase < dash) part(way, end);
    way = end;
  }
  walked += length;
}

}  // namespace pellucid::detail
