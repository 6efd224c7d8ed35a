#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <vector>

#include <pellucid/render/canvas.hpp>

using namespace pellucid;

namespace {

Picture grey(int width, int height, const std::vector<int>& values) {
  Picture out = blank(width, height);
  for (int i = 0; i < width * height; ++i) {
    const auto v = std::uint8_t(values[std::size_t(i)]);
    set_pixel(out, i % width, i / width, {v, v, v});
  }
  return out;
}

std::vector<int> red(const Picture& picture) {
  std::vector<int> out;
  for (std::size_t i = 0; i < picture.rgb.size(); i += 3) out.push_back(picture.rgb[i]);
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(render_canvas)

BOOST_AUTO_TEST_CASE(shrinking_averages_the_area) {
  BOOST_TEST(red(scaled(grey(2, 2, {0, 100, 100, 200}), 1, 1)) == (std::vector<int>{100}),
             boost::test_tools::per_element());
  // Three pixels to two: each new one covers one and a half.
  BOOST_TEST(red(scaled(grey(3, 1, {0, 30, 90}), 2, 1)) == (std::vector<int>{10, 70}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(enlarging_keeps_pixels_crisp) {
  BOOST_TEST(red(scaled(grey(2, 1, {10, 200}), 6, 2)) ==
                 (std::vector<int>{10, 10, 10, 200, 200, 200, 10, 10, 10, 200, 200, 200}),
             boost::test_tools::per_element());
  BOOST_TEST(red(scaled(grey(1, 2, {0, 90}), 1, 3)) == (std::vector<int>{0, 45, 90}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(channels_stay_apart) {
  Picture two = blank(2, 1);
  set_pixel(two, 0, 0, {10, 20, 30});
  set_pixel(two, 1, 0, {30, 60, 90});
  BOOST_TEST((pixel(scaled(two, 1, 1), 0, 0) == Rgb{20, 40, 60}));
}

BOOST_AUTO_TEST_CASE(fitting_keeps_the_shape) {
  const Picture wide = fitted(blank(40, 10), 20, 20), high = fitted(blank(3, 6), 60, 12);
  BOOST_TEST(wide.width == 20);
  BOOST_TEST(wide.height == 5);
  BOOST_TEST(high.width == 6);
  BOOST_TEST(high.height == 12);
  BOOST_TEST(fitted(blank(1000, 1), 10, 10).height == 1);
}

BOOST_AUTO_TEST_CASE(pasting_leaves_off_what_is_outside) {
  Picture onto = grey(3, 2, {0, 0, 0, 0, 0, 0});
  paste(onto, grey(2, 2, {1, 2, 3, 4}), -1, 1);
  BOOST_TEST(red(onto) == (std::vector<int>{0, 0, 0, 2, 0, 0}), boost::test_tools::per_element());
  paste(onto, grey(2, 2, {1, 2, 3, 4}), 2, -1);
  BOOST_TEST(red(onto) == (std::vector<int>{0, 0, 3, 2, 0, 0}), boost::test_tools::per_element());
  paste(onto, grey(1, 1, {9}), 3, 0);
  paste(onto, grey(1, 1, {9}), -1, -1);
  BOOST_TEST(red(onto) == (std::vector<int>{0, 0, 3, 2, 0, 0}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(pictures_without_pixels_are_refused) {
  BOOST_CHECK_THROW(blank(0, 4), Error);
  BOOST_CHECK_THROW(blank(1 << 20, 1 << 20), Error);
  BOOST_CHECK_THROW(scaled(Picture{}, 2, 2), Error);
  BOOST_CHECK_THROW(scaled(Picture{2, 2, {1, 2, 3}}, 2, 2), Error);
  BOOST_CHECK_THROW(scaled(blank(2, 2), 0, 2), Error);
}

BOOST_AUTO_TEST_SUITE_END()
