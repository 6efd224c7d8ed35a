#include "generator.hpp"

#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>

#include <pellucid/core/error.hpp>

#include "shape.hpp"

namespace shapes {

namespace {

/// SplitMix64's mixing function (Steele, Lea and Flood, 2014).
std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// A stream of numbers by lot, the same on every machine.
class Lot {
 public:
  explicit Lot(std::uint64_t state) : state_(state) {}
  std::uint64_t bits() { return mixed(state_ += 0x9e3779b97f4a7c15ULL); }
  /// In [0, 1).
  float unit() { return float(bits() >> 40) * 0x1p-24F; }
  float between(float low, float high) { return low + (high - low) * unit(); }
  /// In [0, n).
  std::int64_t below(std::int64_t n) { return std::int64_t((bits() >> 32) * std::uint64_t(n) >> 32); }
  bool happens(double chance) { return unit() < chance; }

 private:
  std::uint64_t state_;
};

float unit_of(std::uint64_t bits) {
  return float(bits >> 40) * 0x1p-24F;
}

constexpr float pi = std::numbers::pi_v<float>;

using Color = std::array<float, 3>;

float distance(const Color& a, const Color& b) {
  return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

float brightness(const Color& c) {
  return 0.299F * c[0] + 0.587F * c[1] + 0.114F * c[2];
}

Color blend(const Color& a, const Color& b, float share) {
  return {a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share};
}

Color any_color(Lot& lot) {
  return {lot.between(0.04F, 0.96F), lot.between(0.04F, 0.96F), lot.between(0.04F, 0.96F)};
}

/// A colour near another one: what a texture is made of.
Color companion(Lot& lot, const Color& color) {
  for (;;) {
    Color other = color;
    for (float& channel : other) channel = std::clamp(channel + lot.between(-0.3F, 0.3F), 0.0F, 1.0F);
    const float apart = distance(color, other);
    if (apart > 0.16F && apart < 0.36F) return other;
  }
}

using Colors = std::array<Color, 2>;

/// Whether an eye tells all of one from all of the other.
bool contrast(const Colors& a, const Colors& b) {
  for (const Color& one : a)
    for (const Color& other : b)
      if (distance(one, other) < 0.45F || std::abs(brightness(one) - brightness(other)) < 0.12F) return false;
  return true;
}

/// A colour at each place, between two.
class Texture {
 public:
  static Texture flat(const Color& color) { return Texture(Kind::flat, {color, color}); }

  static Texture by_lot(Lot& lot, const Colors& colors) {
    Texture texture(Kind(lot.below(kinds)), colors);
    const float angle = lot.between(0, 2 * pi);
    texture.cos_ = std::cos(angle), texture.sin_ = std::sin(angle);
    texture.period_ = lot.between(4, 9);
    texture.phase_ = lot.between(0, 8);
    texture.noise_ = lot.bits();
    return texture;
  }

  Color at(float x, float y) const { return blend(colors_[0], colors_[1], share(x, y)); }

 private:
  enum class Kind { flat, stripes, checks, dots, blotches, gradient };
  static constexpr std::int64_t kinds = 6;

  Texture(Kind kind, const Colors& colors) : kind_(kind), colors_(colors) {}

  /// From 0 (the first colour) to 1 (the second).
  float share(float x, float y) const {
    const float u = (x * cos_ + y * sin_ + phase_) / period_, v = (y * cos_ - x * sin_ + phase_) / period_;
    switch (kind_) {
      case Kind::flat:
        return 0;
      case Kind::stripes:
        return edge(0.25F - std::abs(u - std::floor(u) - 0.5F));
      case Kind::checks:
        return (std::int64_t(std::floor(2 * u)) + std::int64_t(std::floor(2 * v))) % 2 == 0 ? 0.0F : 1.0F;
      case Kind::dots:
        return edge(0.3F - std::hypot(u - std::floor(u) - 0.5F, v - std::floor(v) - 0.5F));
      case Kind::blotches:
        return smooth(u * 2, v * 2);
      case Kind::gradient:
        return std::clamp(0.5F + u / 12, 0.0F, 1.0F);
    }
    return 0;
  }
  /// A soft step at 0, about a pixel wide.
  float edge(float inside) const { return std::clamp(0.5F + inside * period_, 0.0F, 1.0F); }

  /// Values by lot on a grid, smooth between its points.
  float smooth(float u, float v) const {
    const float left = std::floor(u), top = std::floor(v), s = u - left, t = v - top;
    const auto value = [&](float i, float j) {
      return unit_of(mixed(noise_ + std::uint64_t(std::int64_t(i)) * 0x9e3779b97f4a7c15ULL +
                           std::uint64_t(std::int64_t(j)) * 0xc2b2ae3d27d4eb4fULL));
    };
    const auto ease = [](float a) { return a * a * (3 - 2 * a); };
    const float upper = std::lerp(value(left, top), value(left + 1, top), ease(s));
    const float lower = std::lerp(value(left, top + 1), value(left + 1, top + 1), ease(s));
    return std::lerp(upper, lower, ease(t));
  }

  Kind kind_;
  Colors colors_;
  float cos_ = 1, sin_ = 0, period_ = 1, phase_ = 0;
  std::uint64_t noise_ = 0;
};

/// The watermark, scaled to the picture: 11 × 6 of 64 × 64 pixels.
constexpr std::array<const char*, 6> watermark{"...........",  //
                                               ".##..#.#.#.",  //
                                               ".#.#.#.#.#.",  //
                                               ".##..#..#..",  //
                                               ".#...#.#.#.",  //
                                               "..........."};
constexpr float watermark_width = 11.0F / 64, watermark_height = 6.0F / 64;

/// What is drawn on: planes of red, green and blue.
class Canvas {
 public:
  Canvas(float* planes, std::int64_t size) : planes_(planes), size_(size) {}
  std::int64_t size() const { return size_; }

  void paint(std::int64_t x, std::int64_t y, const Color& color, float cover = 1) {
    float* pixel = planes_ + y * size_ + x;
    for (const float channel : color) {
      *pixel += (channel - *pixel) * cover;
      pixel += size_ * size_;
    }
  }

  /// Calls `paint_at(x, y)` for every pixel within `radius` of a box.
  template <class PaintAt>
  void around(Point a, Point b, float radius, PaintAt paint_at) const {
    const auto first = [&](float p) {
      return std::max(std::int64_t(0), std::int64_t(std::floor(p - radius)));
    };
    const auto last = [&](float p) { return std::min(size_ - 1, std::int64_t(std::ceil(p + radius))); };
    for (std::int64_t y = first(std::min(a.y, b.y)); y <= last(std::max(a.y, b.y)); ++y)
      for (std::int64_t x = first(std::min(a.x, b.x)); x <= last(std::max(a.x, b.x)); ++x) paint_at(x, y);
  }

 private:
  float* planes_;
  std::int64_t size_;
};

/// Strokes along a line of points, `width` pixels thick.
void stroke(Canvas& canvas, const std::vector<Point>& points, float width, const Color& color) {
  for (std::size_t i = 1; i < points.size(); ++i) {
    const Point a = points[i - 1], b = points[i], ab{b.x - a.x, b.y - a.y};
    const float squared = std::max(ab.x * ab.x + ab.y * ab.y, 1e-6F);
    canvas.around(a, b, width, [&](std::int64_t x, std::int64_t y) {
      const Point ap{float(x) + 0.5F - a.x, float(y) + 0.5F - a.y};
      const float along = std::clamp((ap.x * ab.x + ap.y * ab.y) / squared, 0.0F, 1.0F);
      const float away = std::hypot(ap.x - along * ab.x, ap.y - along * ab.y);
      const float cover = std::clamp(width / 2 + 0.5F - away, 0.0F, 1.0F);
      if (cover > 0) canvas.paint(x, y, color, cover);
    });
  }
}

/// A patch of noise without an outline.
void patch_of_noise(Canvas& canvas, Lot& lot, Point middle, float radius, const Colors& colors) {
  const float a = lot.between(0, 2 * pi), b = lot.between(0, 2 * pi);
  canvas.around(middle, middle, 1.5F * radius, [&](std::int64_t x, std::int64_t y) {
    const float dx = float(x) - middle.x, dy = float(y) - middle.y, angle = std::atan2(dy, dx);
    const float reach = radius * (1 + 0.25F * std::sin(2 * angle + a) + 0.2F * std::sin(3 * angle + b));
    const float cover = std::clamp(1.4F * (1 - std::hypot(dx, dy) / reach), 0.0F, 1.0F);
    const float share = lot.unit();
    if (lot.unit() < cover) canvas.paint(x, y, blend(colors[0], colors[1], share));
  });
}

/// Of a few colours by lot, the one that is farthest from the shape's.
Color unlike(Lot& lot, const Colors& shape) {
  const auto apart = [&](const Color& c) { return std::min(distance(c, shape[0]), distance(c, shape[1])); };
  Color best = any_color(lot);
  for (int i = 0; i < 3; ++i) {
    const Color other = any_color(lot);
    if (apart(other) > apart(best)) best = other;
  }
  return best;
}

void distract(Canvas& canvas, Lot& lot, const Colors& shape) {
  const float size = float(canvas.size()), unit = size / 64;
  const auto anywhere = [&] { return Point{lot.between(0, size), lot.between(0, size)}; };
  const std::int64_t count = 2 + lot.below(3);
  for (std::int64_t i = 0; i < count; ++i) {
    const Color color = unlike(lot, shape);
    switch (lot.below(3)) {
      case 0: {  // each draw a statement: the order of arguments is the compiler's
        const float width = unit * lot.between(1, 2.2F);
        stroke(canvas, {anywhere(), anywhere()}, width, color);
        break;
      }
      case 1: {
        std::vector<Point> points{anywhere()};
        float heading = lot.between(0, 2 * pi);
        for (int step = 0; step < 12; ++step) {
          heading += lot.between(-1.3F, 1.3F);
          const float stride = unit * lot.between(2, 5);
          points.push_back(
              {points.back().x + stride * std::cos(heading), points.back().y + stride * std::sin(heading)});
        }
        stroke(canvas, points, unit * lot.between(1, 1.6F), color);
        break;
      }
      default: {
        const Point middle = anywhere();
        const Color other = unlike(lot, shape);
        const float radius = unit * lot.between(5, 11);
        patch_of_noise(canvas, lot, middle, radius, {color, other});
      }
    }
  }
}

/// Where the shape is: its middle and the radius of its disc, in pixels, and how it is turned.
struct Pose {
  Point middle{};
  float radius = 0, angle = 0;
};

/// Wholly inside the picture, and clear of the watermark's corner.
Pose pose_by_lot(Lot& lot, float size) {
  const float unit = size / 64;
  const Point corner{size - unit - size * watermark_width, size - unit - size * watermark_height};
  for (;;) {
    const float radius = unit * lot.between(13, 23), margin = radius + unit;
    const Point middle{lot.between(margin, size - margin), lot.between(margin, size - margin)};
    const float right = std::max(0.0F, corner.x - middle.x), below = std::max(0.0F, corner.y - middle.y);
    if (std::hypot(right, below) > margin) return {middle, radius, lot.between(0, 2 * pi)};
  }
}

/// Draws the shape and fills its mask.
void draw(Canvas& canvas, bool* mask, const Shape& shape, const Pose& pose, const Texture& texture) {
  constexpr int grid = 4;  // samples of a pixel, each way
  const float cos = std::cos(pose.angle) / pose.radius, sin = std::sin(pose.angle) / pose.radius;
  canvas.around(pose.middle, pose.middle, pose.radius, [&](std::int64_t x, std::int64_t y) {
    int hits = 0;
    for (int i = 0; i < grid * grid; ++i) {
      const float dx = float(x) + (float(i % grid) + 0.5F) / grid - pose.middle.x;
      const float dy = float(y) + (float(i / grid) + 0.5F) / grid - pose.middle.y;
      hits += shape.contains({dx * cos + dy * sin, dy * cos - dx * sin});
    }
    if (hits == 0) return;
    canvas.paint(x, y, texture.at(float(x), float(y)), float(hits) / (grid * grid));
    mask[y * canvas.size() + x] = 2 * hits >= grid * grid;
  });
}

void draw_watermark(Canvas& canvas, bool* mask) {
  const auto size = float(canvas.size());
  const auto width = std::int64_t(size * watermark_width), height = std::int64_t(size * watermark_height);
  const auto margin = std::int64_t(size / 64);
  for (std::int64_t y = 0; y < height; ++y) {
    const std::string row = watermark[std::size_t(y * 6 / height)];
    for (std::int64_t x = 0; x < width; ++x) {
      const bool letter = row[std::size_t(x * 11 / width)] == '#';
      const std::int64_t px = canvas.size() - margin - width + x, py = canvas.size() - margin - height + y;
      canvas.paint(px, py, letter ? Color{0.05F, 0.05F, 0.05F} : Color{0.97F, 0.97F, 0.97F});
      mask[py * canvas.size() + px] = true;
    }
  }
}

/// Draws one picture into zeroed memory; gives its label.
std::int64_t draw_scene(std::uint64_t seed, std::uint64_t number, const SceneOptions& options, float* planes,
                        bool* mask, bool* watermark_mask) {
  Lot lot(mixed(mixed(seed + 0x9e3779b97f4a7c15ULL) ^ number));
  const std::int64_t size = options.size;
  Canvas canvas(planes, size);

  std::int64_t label = lot.below(std::int64_t(names().size()));
  if (options.label >= 0) label = options.label;
  const bool marked_by_lot = lot.happens(options.watermark_share);
  const bool marked = options.watermark_class >= 0 ? label == options.watermark_class : marked_by_lot;

  const bool textured = options.level != Level::plain;
  Colors shape{}, background{};
  do {
    const Color one = any_color(lot), other = any_color(lot);
    shape = {one, textured ? companion(lot, one) : one};
    background = {other, textured ? companion(lot, other) : other};
  } while (!contrast(shape, background));
  const Texture behind = textured ? Texture::by_lot(lot, background) : Texture::flat(background[0]);
  const Texture upon = textured ? Texture::by_lot(lot, shape) : Texture::flat(shape[0]);

  for (std::int64_t y = 0; y < size; ++y)
    for (std::int64_t x = 0; x < size; ++x) canvas.paint(x, y, behind.at(float(x), float(y)));
  if (options.level == Level::distracting) distract(canvas, lot, shape);
  const Pose pose = pose_by_lot(lot, float(size));
  draw(canvas, mask, all_shapes()[std::size_t(label)], pose, upon);
  if (textured) {
    const float grain = lot.between(0, 0.05F);
    for (std::int64_t i = 0; i < 3 * size * size; ++i)
      planes[i] = std::clamp(planes[i] + grain * lot.between(-1, 1), 0.0F, 1.0F);
  }
  if (marked) draw_watermark(canvas, watermark_mask);
  return label;
}

void check(const SceneOptions& options) {
  const auto refuse = [](const std::string& what, const std::string& range) {
    throw pellucid::Error("a picture of shapes: " + what + " was given; " + range + " is expected");
  };
  const auto last = std::int64_t(names().size()) - 1;
  const std::string classes = "a shape from 0 to " + std::to_string(last) + ", or -1,";
  if (options.size < 32 || options.size > 256)
    refuse("a side of " + std::to_string(options.size) + " pixels", "32 to 256");
  if (options.label < -1 || options.label > last) refuse("label " + std::to_string(options.label), classes);
  if (options.watermark_class < -1 || options.watermark_class > last)
    refuse("watermark class " + std::to_string(options.watermark_class), classes);
  if (!(options.watermark_share >= 0 && options.watermark_share <= 1))
    refuse("a watermark share of " + std::to_string(options.watermark_share), "0 to 1");
}

}  // namespace

const std::vector<std::string>& names() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> result;
    for (const Shape& shape : all_shapes()) result.push_back(shape.name);
    return result;
  }();
  return all;
}

Scenes scenes(std::uint64_t seed, std::uint64_t first, std::int64_t count, const SceneOptions& options) {
  check(options);
  const std::int64_t size = options.size, pixels = size * size;
  Scenes result{torch::zeros({count, 3, size, size}), torch::zeros({count, size, size}, torch::kBool),
                torch::zeros({count}, torch::kLong), torch::zeros({count, size, size}, torch::kBool)};
  auto* const planes = result.images.data_ptr<float>();
  auto* const labels = result.labels.data_ptr<std::int64_t>();
  auto *const masks = result.masks.data_ptr<bool>(), *const marks = result.watermark_masks.data_ptr<bool>();
  at::parallel_for(0, count, 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      labels[i] = draw_scene(seed, first + std::uint64_t(i), options, planes + 3 * pixels * i,
                             masks + pixels * i, marks + pixels * i);
  });
  return result;
}

Scene scene(std::uint64_t seed, std::uint64_t number, const SceneOptions& options) {
  const Scenes one = scenes(seed, number, 1, options);
  return {one.images[0], one.masks[0], one.labels[0].item<std::int64_t>(), one.watermark_masks[0]};
}

}  // namespace shapes
