#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include <pellucid/render/overlay.hpp>

using namespace pellucid;

namespace {

const OverlayOptions plain{.opacity = 1, .brightness = 1, .grey = false, .heat = {.percentile = 100}};

/// (1 − v) white + v color(v), worked out apart.
Rgb over_white(double v) {
  const Rgb c = sequential(float(v));
  const auto mix = [v](int channel) { return std::uint8_t(std::lround(255 - v * (255 - channel))); };
  return {mix(c.r), mix(c.g), mix(c.b)};
}

bool near(Rgb a, Rgb b) {
  return std::abs(a.r - b.r) <= 1 && std::abs(a.g - b.g) <= 1 && std::abs(a.b - b.b) <= 1;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(render_overlay)

BOOST_AUTO_TEST_CASE(nothing_leaves_the_photo) {
  const Tensor image = torch::tensor({0.0, 1.0, 0.2, 0.4, 0.6, 0.8}).reshape({3, 1, 2});
  const Picture out = overlay(image, torch::zeros({3, 1, 2}), plain);
  BOOST_TEST(out.width == 2);
  BOOST_TEST(out.height == 1);
  BOOST_TEST((pixel(out, 0, 0) == Rgb{0, 51, 153}));
  BOOST_TEST((pixel(out, 1, 0) == Rgb{255, 102, 204}));
  const Picture clipped = overlay(image * 2 - 0.5, torch::zeros({3, 1, 2}), plain);
  BOOST_TEST((pixel(clipped, 0, 0) == Rgb{0, 0, 179}));  // 0.6 · 2 − 0.5 = 0.7
}

BOOST_AUTO_TEST_CASE(the_photo_is_greyed_and_dimmed) {
  const Tensor red = torch::tensor({1.0, 0.0, 0.0}).reshape({3, 1, 1});
  const Picture out = overlay(red, torch::zeros({1, 1}), {.brightness = 0.5});
  BOOST_TEST((pixel(out, 0, 0) == Rgb{27, 27, 27}));  // 0.2126 · 0.5 · 255 = 27.1
}

BOOST_AUTO_TEST_CASE(strength_is_colour_and_opacity) {
  const Picture out = overlay(torch::ones({3, 1, 3}), torch::tensor({{0.0, 1.0, 2.0}}), plain);
  BOOST_TEST((pixel(out, 0, 0) == Rgb{255, 255, 255}));
  BOOST_TEST((pixel(out, 1, 0) == over_white(0.5)));
  BOOST_TEST((pixel(out, 2, 0) == sequential(1)));
  OverlayOptions half = plain;
  half.opacity = 0.5;
  const Rgb top = sequential(1);
  BOOST_TEST((pixel(overlay(torch::zeros({3, 1, 3}), torch::tensor({{0.0, 1.0, 2.0}}), half), 2, 0) ==
              Rgb{std::uint8_t(std::lround(top.r / 2.0)), std::uint8_t(std::lround(top.g / 2.0)),
                  std::uint8_t(std::lround(top.b / 2.0))}));
}

BOOST_AUTO_TEST_CASE(both_signs_are_equally_opaque) {
  OverlayOptions both = plain;
  both.heat.sign = Sign::both;
  const Picture out = overlay(torch::ones({1, 3, 1, 2}), torch::tensor({{-3.0, 3.0}}), both);
  BOOST_TEST((pixel(out, 0, 0) == diverging(-1)));
  BOOST_TEST((pixel(out, 1, 0) == diverging(1)));
}

BOOST_AUTO_TEST_CASE(a_smaller_attribution_is_enlarged_bilinearly) {
  // Two areas over four pixels, whose centres lie at −1/4, 1/4, 3/4 and 5/4 of the areas' centres.
  const double share[4] = {0, 0.25, 0.75, 1};
  const Picture row = overlay(torch::ones({3, 1, 4}), torch::tensor({{0.0, 6.0}}), plain);
  for (int x = 0; x < 4; ++x) BOOST_TEST(near(pixel(row, x, 0), over_white(share[x])));
  const Picture square = overlay(torch::ones({3, 4, 4}), torch::tensor({{0.0, 0.0}, {0.0, 6.0}}), plain);
  for (int y = 0; y < 4; ++y)
    for (int x = 0; x < 4; ++x) BOOST_TEST(near(pixel(square, x, y), over_white(share[x] * share[y])));
}

BOOST_AUTO_TEST_CASE(the_bar_shows_the_blend) {
  const Picture bar = overlay_bar(plain, {.low = "l", .high = "l", .width = 100});
  BOOST_TEST((pixel(bar, 7, 5) == Rgb{128, 128, 128}));
  BOOST_TEST((pixel(bar, 92, 5) == sequential(1)));
}

BOOST_AUTO_TEST_CASE(requests_without_meaning_are_refused) {
  const Tensor image = torch::ones({3, 2, 2}), a = torch::ones({2, 2});
  BOOST_CHECK_THROW(overlay(torch::ones({1, 2, 2}), a), Error);
  BOOST_CHECK_THROW(overlay(torch::ones({2, 3, 2, 2}), a), Error);
  BOOST_CHECK_THROW(overlay((image * 255).to(torch::kUInt8), a), Error);
  BOOST_CHECK_THROW(overlay(image, torch::ones({3, 2})), Error);
  BOOST_CHECK_THROW(overlay(image * std::numeric_limits<float>::quiet_NaN(), a), Error);
  BOOST_CHECK_THROW(overlay(image, a * std::numeric_limits<float>::infinity()), Error);
  BOOST_CHECK_THROW(overlay(image, a, {.opacity = 1.1}), Error);
  BOOST_CHECK_THROW(overlay(image, a, {.brightness = -0.1}), Error);
  BOOST_CHECK_THROW(overlay(image, a, {.heat = {.percentile = 101}}), Error);
}

BOOST_AUTO_TEST_SUITE_END()
