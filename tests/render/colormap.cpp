#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include <pellucid/render/colormap.hpp>

using namespace pellucid;

namespace {

struct Lab {
  double lightness, a, b;
};

/// CIELAB of an sRGB colour under D65, by CIE 15:2004 and IEC 61966-2-1: a route that shares nothing with
/// Oklab.
Lab cielab(Rgb color) {
  const auto linear = [](int v) {
    const double e = v / 255.0;
    return e <= 0.04045 ? e / 12.92 : std::pow((e + 0.055) / 1.055, 2.4);
  };
  const double r = linear(color.r), g = linear(color.g), b = linear(color.b);
  const auto f = [](double t) { return t > 216.0 / 24389 ? std::cbrt(t) : (24389.0 / 27 * t + 16) / 116; };
  const double x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047);
  const double y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
  const double z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883);
  return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(render_colormap)

BOOST_AUTO_TEST_CASE(lightness_formula_knows_white_and_middle_grey) {
  BOOST_TEST(cielab({255, 255, 255}).lightness == 100, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(cielab({119, 119, 119}).lightness == 50.03, boost::test_tools::tolerance(1e-3));
}

BOOST_AUTO_TEST_CASE(oklab_gives_the_published_primaries) {
  // sRGB's primaries in Oklab, CSS Color Module Level 4.
  const auto near = [](Rgb given, Rgb expected) {
    return std::abs(given.r - expected.r) <= 1 && std::abs(given.g - expected.g) <= 1 &&
           std::abs(given.b - expected.b) <= 1;
  };
  BOOST_TEST(near(pellucid::detail::srgb({0.62796, 0.22486, 0.12585}), {255, 0, 0}));
  BOOST_TEST(near(pellucid::detail::srgb({0.86644, -0.23389, 0.17950}), {0, 255, 0}));
  BOOST_TEST(near(pellucid::detail::srgb({0.45201, -0.03246, -0.31153}), {0, 0, 255}));
  BOOST_TEST(near(pellucid::detail::srgb({1, 0, 0}), {255, 255, 255}));
}

BOOST_AUTO_TEST_CASE(a_colour_too_strong_for_the_screen_keeps_its_lightness) {
  const Rgb clipped = pellucid::detail::srgb({0.6, 0.4, 0.0}), grey = pellucid::detail::srgb({0.6, 0, 0});
  BOOST_TEST(std::abs(cielab(clipped).lightness - cielab(grey).lightness) < 6);
  BOOST_TEST(int(clipped.r) > int(clipped.g) + 100);
}

BOOST_AUTO_TEST_CASE(sequential_grows_evenly_from_black_to_nearly_white) {
  BOOST_TEST((sequential(0) == Rgb{0, 0, 0}));
  BOOST_TEST(cielab(sequential(1)).lightness > 95);
  double before = 0;
  for (int i = 1; i <= 255; ++i) {
    const double now = cielab(sequential(float(i) / 255)).lightness;
    BOOST_TEST(now >= before);
    BOOST_TEST(now - before < 2);
    if (i >= 8) BOOST_TEST(std::abs(now - 100.0 * i / 255) < 6);  // nearly a straight line
    before = now;
  }
}

BOOST_AUTO_TEST_CASE(diverging_grows_from_black_on_both_sides_alike) {
  BOOST_TEST((diverging(0) == Rgb{0, 0, 0}));
  for (const float side : {-1.0F, 1.0F}) {
    double before = 0;
    for (int i = 1; i <= 255; ++i) {
      const double now = cielab(diverging(side * float(i) / 255)).lightness;
      BOOST_TEST(now >= before);
      before = now;
    }
    BOOST_TEST(before > 80);
  }
  for (int i = 0; i <= 255; ++i)
    BOOST_TEST(std::abs(cielab(diverging(float(i) / 255)).lightness -
                        cielab(diverging(-float(i) / 255)).lightness) < 4);
}

BOOST_AUTO_TEST_CASE(diverging_is_blue_against_and_orange_for) {
  // b* is blue to yellow, which red-green colour blindness leaves alone.
  for (int i = 26; i <= 255; ++i) {
    BOOST_TEST(cielab(diverging(-float(i) / 255)).b < -8);
    BOOST_TEST(cielab(diverging(float(i) / 255)).b > 8);
  }
}

BOOST_AUTO_TEST_CASE(values_outside_are_clipped) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  BOOST_TEST((sequential(7) == sequential(1)));
  BOOST_TEST((sequential(-1) == sequential(0)));
  BOOST_TEST((sequential(inf) == sequential(1)));
  BOOST_TEST((sequential(nan) == Rgb{0, 0, 0}));
  BOOST_TEST((diverging(-7) == diverging(-1)));
  BOOST_TEST((diverging(7) == diverging(1)));
  BOOST_TEST((diverging(nan) == Rgb{0, 0, 0}));
  BOOST_TEST((color(Sign::both, -1) == diverging(-1)));
  BOOST_TEST((color(Sign::positive, 0.5F) == sequential(0.5F)));
}

BOOST_AUTO_TEST_SUITE_END()
