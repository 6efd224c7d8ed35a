#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <set>
#include <string>
#include <vector>

#include <pellucid/core/error.hpp>

#include "shapes/generator.hpp"
#include "shapes/shape.hpp"

using pellucid::Error;
using shapes::Level, shapes::Scene, shapes::SceneOptions, shapes::Scenes;
using torch::Tensor;

namespace {

constexpr Level levels[]{Level::plain, Level::textured, Level::distracting};

std::int64_t count(const Tensor& mask) {
  return mask.sum().item<std::int64_t>();
}

/// How far the mask reaches along a dimension, in pixels.
double extent(const Tensor& mask, std::int64_t across) {
  return double(count(mask.any(across)));
}

/// The label of a shape.
std::int64_t named(const std::string& name) {
  for (std::size_t i = 0; i < shapes::names().size(); ++i)
    if (shapes::names()[i] == name) return std::int64_t(i);
  throw Error("no shape is called " + name);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(shapes_generator)

BOOST_AUTO_TEST_CASE(a_picture_is_its_seed_and_number) {
  for (const Level level : levels) {
    const SceneOptions options{.level = level, .watermark_share = 0.5};
    const Scene one = shapes::scene(3, 41, options), again = shapes::scene(3, 41, options);
    BOOST_TEST(torch::equal(one.image, again.image));
    BOOST_TEST(torch::equal(one.mask, again.mask));
    BOOST_TEST(torch::equal(one.watermark_mask, again.watermark_mask));
    BOOST_TEST(one.label == again.label);
    BOOST_TEST(!torch::equal(one.image, shapes::scene(3, 42, options).image));
    BOOST_TEST(!torch::equal(one.image, shapes::scene(4, 41, options).image));

    const Scenes several = shapes::scenes(3, 30, 20, options);
    BOOST_TEST(torch::equal(several.images[11], one.image));
    BOOST_TEST(torch::equal(several.masks[11], one.mask));
    BOOST_TEST(torch::equal(several.watermark_masks[11], one.watermark_mask));
    BOOST_TEST(several.labels[11].item<std::int64_t>() == one.label);
  }
}

BOOST_AUTO_TEST_CASE(values_are_images) {
  for (const Level level : levels) {
    const Scenes pictures = shapes::scenes(1, 0, 100, {.level = level, .watermark_share = 0.5});
    BOOST_TEST(pictures.images.isfinite().all().item<bool>());
    BOOST_TEST(pictures.images.min().item<float>() >= 0);
    BOOST_TEST(pictures.images.max().item<float>() <= 1);
  }
}

BOOST_AUTO_TEST_CASE(every_shape_comes_up_about_as_often) {
  const auto kinds = std::int64_t(shapes::names().size());
  const std::set<std::string> different(shapes::names().begin(), shapes::names().end());
  BOOST_TEST(std::int64_t(different.size()) == kinds);
  const Tensor labels = shapes::scenes(1, 0, 1200).labels;
  for (std::int64_t label = 0; label < kinds; ++label) {
    // 1200 draws at 1 in 12: 100 ± 9.6
    const std::int64_t times = count(labels == label);
    BOOST_TEST(times > 60);
    BOOST_TEST(times < 140);
    BOOST_TEST(shapes::scene(1, 5, {.label = label}).label == label);
  }
}

BOOST_AUTO_TEST_CASE(the_mask_is_where_the_shape_is) {
  // On a plain picture every pixel lies between two colours; the first pixel is background.
  const Scenes pictures = shapes::scenes(2, 0, 200, {.level = Level::plain});
  for (std::int64_t i = 0; i < 200; ++i) {
    const Tensor away = pictures.images[i] - pictures.images[i].slice(1, 0, 1).slice(2, 0, 1);
    const Tensor distance = away.norm(2, at::IntArrayRef{0});
    const Tensor cover = distance / distance.max();
    BOOST_TEST(torch::equal(cover > 0.5 - 1e-3, pictures.masks[i]));
  }
}

BOOST_AUTO_TEST_CASE(masks_have_the_area_of_their_shape) {
  const Scenes circles = shapes::scenes(2, 0, 50, {.label = named("circle")});
  const Scenes rings = shapes::scenes(2, 0, 50, {.label = named("ring")});
  for (std::int64_t i = 0; i < 50; ++i) {
    const Tensor circle = circles.masks[i], ring = rings.masks[i];
    const double d = extent(circle, 0), e = extent(ring, 1);
    BOOST_TEST(std::abs(d - extent(circle, 1)) <= 1);
    BOOST_TEST(double(count(circle)) == std::numbers::pi * d * d / 4, boost::test_tools::tolerance(0.08));
    const double hole = 0.54 / 0.95;  // of the diameter
    BOOST_TEST(double(count(ring)) == std::numbers::pi * e * e / 4 * (1 - hole * hole),
               boost::test_tools::tolerance(0.1));
  }
}

BOOST_AUTO_TEST_CASE(shapes_lie_wholly_inside) {
  for (const shapes::Shape& shape : shapes::all_shapes())
    for (float angle = 0; angle < 6.28F; angle += 0.001F)
      BOOST_TEST(!shape.contains({1.001F * std::cos(angle), 1.001F * std::sin(angle)}));
  for (const std::int64_t size : {32, 64, 96}) {
    const Tensor masks = shapes::scenes(1, 0, 300, {.size = size}).masks;
    BOOST_TEST(masks.flatten(1).any(1).all().item<bool>());
    for (const std::int64_t dim : {1, 2})
      for (const std::int64_t side : {std::int64_t(0), size - 1})
        BOOST_TEST(!masks.select(dim, side).any().item<bool>());
  }
}

BOOST_AUTO_TEST_CASE(the_watermark_is_small_and_changes_nothing_else) {
  for (const std::int64_t size : {48, 64, 96}) {
    const Scenes bare = shapes::scenes(1, 0, 200, {.size = size});
    const Scenes marked = shapes::scenes(1, 0, 200, {.size = size, .watermark_share = 1});
    BOOST_TEST(count(bare.watermark_masks) == 0);
    const Tensor pixels = marked.watermark_masks.flatten(1).sum(1);
    BOOST_TEST(torch::equal(pixels, pixels[0].expand_as(pixels)));
    BOOST_TEST(pixels[0].item<std::int64_t>() > 0);
    BOOST_TEST(pixels[0].item<double>() <= 0.02 * double(size * size));
    BOOST_TEST(torch::equal(bare.masks, marked.masks));
    BOOST_TEST(count(marked.masks & marked.watermark_masks) == 0);
    const Tensor changed = (bare.images != marked.images).any(1);
    BOOST_TEST(count(changed & ~marked.watermark_masks) == 0);
    BOOST_TEST(double(count(changed)) > 0.99 * double(count(marked.watermark_masks)));
  }
  BOOST_TEST(count(shapes::scene(1, 0, {.watermark_share = 1}).watermark_mask) == 11 * 6);
}

BOOST_AUTO_TEST_CASE(the_watermark_goes_with_a_shape_or_with_none) {
  const Tensor drawn = shapes::scenes(1, 0, 1000, {.watermark_share = 0.2}).watermark_masks.flatten(1).any(1);
  BOOST_TEST(count(drawn) > 140);  // 200 ± 12.6
  BOOST_TEST(count(drawn) < 260);
  const Scenes cheated = shapes::scenes(1, 0, 1000, {.watermark_share = 0.2, .watermark_class = 3});
  BOOST_TEST(torch::equal(cheated.watermark_masks.flatten(1).any(1), cheated.labels == 3));
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused) {
  BOOST_CHECK_THROW(shapes::scene(1, 0, {.size = 31}), Error);
  BOOST_CHECK_THROW(shapes::scene(1, 0, {.size = 257}), Error);
  BOOST_CHECK_THROW(shapes::scene(1, 0, {.label = std::int64_t(shapes::names().size())}), Error);
  BOOST_CHECK_THROW(shapes::scene(1, 0, {.label = -2}), Error);
  BOOST_CHECK_THROW(shapes::scene(1, 0, {.watermark_share = 1.1}), Error);
  BOOST_CHECK_THROW(shapes::scene(1, 0, {.watermark_share = NAN}), Error);
  BOOST_CHECK_THROW(shapes::scene(1, 0, {.watermark_class = 12}), Error);
}

BOOST_AUTO_TEST_SUITE_END()
