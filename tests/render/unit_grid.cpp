#include <boost/test/unit_test.hpp>

#include <pellucid/render/unit_grid.hpp>

using namespace pellucid;

namespace {

bool filled(const Picture& picture, int x, int y, int side, Rgb expected) {
  for (int row = y; row < y + side; ++row)
    for (int column = x; column < x + side; ++column)
      if (!(pixel(picture, column, row) == expected)) return false;
  return true;
}

/// Two units of a layer N×K, for a red image 2×2. Σ_c |gradient|: 4, 2, 0, 0 and 1, 0, 0, 0.
UnitGradients two_units() {
  UnitGradients units{.image = torch::zeros({1, 3, 2, 2}), .gradients = torch::zeros({2, 3, 2, 2})};
  units.image[0][0] = 1;
  units.gradients[0][0][0][0] = -3;
  units.gradients[0][2][0][0] = 1;
  units.gradients[0][1][0][1] = 2;
  units.gradients[1][1][0][0] = -1;
  units.units = {7, 9};
  units.values = {0.5, -2};
  return units;
}

/// Tiles 80 pixels wide with gaps of 12, so pixels 40 wide.
const UnitGridOptions row{.columns = 3, .tile_width = 80, .percentile = 100};
constexpr int first = 12, second = first + 92, third = second + 92;

}  // namespace

BOOST_AUTO_TEST_SUITE(render_unit_grid)

BOOST_AUTO_TEST_CASE(the_image_and_a_map_for_each_unit) {
  const Picture grid = unit_grid(two_units(), row);
  BOOST_TEST(filled(grid, first, 12, 80, Rgb{255, 0, 0}));
  BOOST_TEST(filled(grid, second, 12, 40, sequential(1)));
  BOOST_TEST(filled(grid, second + 40, 12, 40, sequential(0.5F)));
  BOOST_TEST(filled(grid, second, 52, 40, sequential(0)));
  BOOST_TEST(filled(grid, third, 12, 40, sequential(0.25F)));
}

BOOST_AUTO_TEST_CASE(scales_of_their_own) {
  UnitGridOptions own = row;
  own.scale = Scale::own;
  const Picture grid = unit_grid(two_units(), own);
  BOOST_TEST(filled(grid, second, 12, 40, sequential(1)));
  BOOST_TEST(filled(grid, second + 40, 12, 40, sequential(0.5F)));
  BOOST_TEST(filled(grid, third, 12, 40, sequential(1)));
}

BOOST_AUTO_TEST_CASE(the_scale_is_that_of_the_pixels_that_count) {
  // A unit that sees 4 of 400 pixels: the median of all pixels is 0, that of the four (1, 2, 4, 8) is 3.
  UnitGradients units{.image = torch::zeros({1, 1, 20, 20}), .gradients = torch::zeros({1, 1, 20, 20})};
  for (int i = 0; i < 4; ++i) units.gradients[0][0][0][i] = 1 << i;
  units.units = {0};
  units.values = {1};
  const Picture grid = unit_grid(units, {.tile_width = 80, .percentile = 50});
  // An image of one channel is no photo: the map comes first. Its pixels are 4 wide.
  BOOST_TEST(filled(grid, 12, 12, 4, sequential(1.0F / 3)));
  BOOST_TEST(filled(grid, 16, 12, 4, sequential(2.0F / 3)));
  for (const int x : {20, 24}) BOOST_TEST(filled(grid, x, 12, 4, sequential(1)));
}

BOOST_AUTO_TEST_CASE(nothing_is_black_and_places_are_named) {
  UnitGradients units = two_units();
  units.gradients.zero_();
  units.y = {0, 1}, units.x = {1, 0};
  const Picture grid = unit_grid(units, row);
  BOOST_TEST(filled(grid, second, 12, 80, sequential(0)));
  BOOST_TEST(filled(grid, third, 12, 80, sequential(0)));
}

BOOST_AUTO_TEST_CASE(requests_without_meaning_are_refused) {
  UnitGradients units = two_units();
  BOOST_CHECK_THROW(unit_grid(units, {.percentile = -1}), Error);
  BOOST_CHECK_THROW(unit_grid(units, {.tile_width = 0}), Error);
  units.gradients = units.gradients.flatten(1);
  BOOST_CHECK_THROW(unit_grid(units), Error);
  BOOST_CHECK_THROW(unit_grid({}), Error);
}

BOOST_AUTO_TEST_SUITE_END()
