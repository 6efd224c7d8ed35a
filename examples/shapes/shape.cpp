#include "shape.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace shapes {

namespace {

float length(Point p) {
  return std::sqrt(p.x * p.x + p.y * p.y);
}

/// Whether a ray from the point crosses the outline an odd number of times.
template <std::size_t N>
bool inside(const std::array<Point, N>& outline, Point p) {
  bool odd = false;
  for (std::size_t i = 0, j = N - 1; i < N; j = i++) {
    const Point a = outline[i], b = outline[j];
    odd ^= (a.y > p.y) != (b.y > p.y) && p.x < a.x + (b.x - a.x) * (p.y - a.y) / (b.y - a.y);
  }
  return odd;
}

/// Corners at equal angles, their distances from the middle in turn `outer` and `inner`.
template <std::size_t N>
std::array<Point, N> wheel(float outer, float inner) {
  std::array<Point, N> corners{};
  for (std::size_t i = 0; i < N; ++i) {
    const float angle = 2 * std::numbers::pi_v<float> * float(i) / float(N);
    const float radius = i % 2 == 0 ? outer : inner;
    corners[i] = {radius * std::sin(angle), radius * std::cos(angle)};
  }
  return corners;
}

bool circle(Point p) {
  return length(p) <= 0.86F;
}

bool ring(Point p) {
  return length(p) <= 0.95F && length(p) >= 0.54F;
}

bool crescent(Point p) {
  return length(p) <= 0.99F && length({p.x - 0.47F, p.y}) >= 0.8F;
}

bool half_disc(Point p) {
  return p.y >= -0.36F && length({p.x, p.y + 0.36F}) <= 0.92F;
}

bool square(Point p) {
  return std::abs(p.x) <= 0.69F && std::abs(p.y) <= 0.69F;
}

bool triangle(Point p) {
  static const auto outline = wheel<3>(0.99F, 0.99F);
  return inside(outline, p);
}

bool cross(Point p) {
  const float x = std::abs(p.x), y = std::abs(p.y);
  return (x <= 0.3F && y <= 0.92F) || (y <= 0.3F && x <= 0.92F);
}

bool star(Point p) {
  static const auto outline = wheel<10>(0.99F, 0.42F);
  return inside(outline, p);
}

bool heart(Point p) {
  // two discs, and what lies between their tangents from the tip
  static constexpr std::array<Point, 4> half{{{0, -0.99F}, {0.82F, -0.057F}, {0.46F, 0.26F}, {0, 0.397F}}};
  const Point q{1.03F * std::abs(p.x), 1.03F * p.y};
  return length({q.x - 0.46F, q.y - 0.26F}) <= 0.48F || inside(half, q);
}

bool arrow(Point p) {
  static constexpr std::array<Point, 7> outline{{{0.98F, 0},
                                                 {0.05F, 0.76F},
                                                 {0.05F, 0.25F},
                                                 {-0.94F, 0.25F},
                                                 {-0.94F, -0.25F},
                                                 {0.05F, -0.25F},
                                                 {0.05F, -0.76F}}};
  return inside(outline, p);
}

bool hourglass(Point p) {
  const float x = std::abs(p.x), y = std::abs(p.y);
  return y <= 0.75F && (x <= 0.64F * y / 0.75F || (x <= 0.1F && y <= 0.2F));
}

bool bolt(Point p) {
  static constexpr std::array<Point, 6> outline{
      {{0.4F, 0.9F}, {-0.6F, -0.18F}, {-0.08F, -0.18F}, {-0.4F, -0.9F}, {0.6F, 0.18F}, {0.08F, 0.18F}}};
  return inside(outline, p);
}

}  // namespace

const std::vector<Shape>& all_shapes() {
  static const std::vector<Shape> shapes{
      {"circle", circle}, {"ring", ring},         {"crescent", crescent},   {"half-disc", half_disc},
      {"square", square}, {"triangle", triangle}, {"cross", cross},         {"star", star},
      {"heart", heart},   {"arrow", arrow},       {"hourglass", hourglass}, {"bolt", bolt}};
  return shapes;
}

}  // namespace shapes
