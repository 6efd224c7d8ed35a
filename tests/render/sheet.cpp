#include <boost/test/unit_test.hpp>
#include <vector>

#include <pellucid/render/color_bar.hpp>
#include <pellucid/render/sheet.hpp>

using namespace pellucid;

namespace {

constexpr Rgb red{255, 0, 0}, green{0, 255, 0}, blue{0, 0, 255};

bool filled(const Picture& sheet, int x, int y, int width, int height, Rgb color) {
  for (int row = y; row < y + height; ++row)
    for (int column = x; column < x + width; ++column)
      if (!(pixel(sheet, column, row) == color)) return false;
  return true;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(render_sheet)

BOOST_AUTO_TEST_CASE(tiles_stand_in_rows) {
  const Picture sheet = contact_sheet({{blank(5, 5, red)}, {blank(20, 20, green)}, {blank(1, 1, blue)}},
                                      {.columns = 2, .tile_width = 10, .gap = 4});
  BOOST_TEST(sheet.width == 4 + 10 + 4 + 10 + 4);
  BOOST_TEST(sheet.height == 4 + 10 + 4 + 10 + 4);
  BOOST_TEST(filled(sheet, 4, 4, 10, 10, red));
  BOOST_TEST(filled(sheet, 18, 4, 10, 10, green));
  BOOST_TEST(filled(sheet, 4, 18, 10, 10, blue));
  BOOST_TEST(filled(sheet, 18, 18, 10, 10, paper));
  BOOST_TEST(filled(sheet, 0, 0, 32, 4, paper));
}

BOOST_AUTO_TEST_CASE(a_wide_picture_stands_on_its_label) {
  const Picture sheet = contact_sheet({{blank(20, 10, red), "l"}, {blank(10, 10, green)}},
                                      {.columns = 2, .tile_width = 10, .gap = 4});
  BOOST_TEST(sheet.height == 4 + 10 + 5 + 10 + 4);
  BOOST_TEST(filled(sheet, 4, 9, 10, 5, red));
  BOOST_TEST(filled(sheet, 4, 4, 10, 5, paper));
  BOOST_TEST(filled(sheet, 4, 19, 1, 8, ink));  // the stem of the l
  BOOST_TEST(filled(sheet, 5, 14, 9, 15, paper));
}

BOOST_AUTO_TEST_CASE(title_and_footer_stand_over_and_under_all) {
  const Picture sheet = contact_sheet(
      {{blank(1, 1, red)}}, {.tile_width = 10, .gap = 4, .title = "l", .footer = blank(50, 7, blue)});
  BOOST_TEST(sheet.width == 4 + 50 + 4);
  BOOST_TEST(sheet.height == 4 + 20 + 4 + 10 + 4 + 7 + 4);
  BOOST_TEST(filled(sheet, 4, 4, 2, 16, ink));
  BOOST_TEST(filled(sheet, 4, 28, 10, 10, red));
  BOOST_TEST(filled(sheet, 4, 42, 50, 7, blue));
}

BOOST_AUTO_TEST_CASE(columns_left_out_make_a_square) {
  const std::vector<Tile> five(5, Tile{blank(1, 1, red), ""});
  BOOST_TEST(contact_sheet(five, {.tile_width = 2, .gap = 1}).width == 1 + 3 * 3);
  BOOST_TEST(contact_sheet(five, {.columns = 50, .tile_width = 2, .gap = 1}).width == 1 + 5 * 3);
}

BOOST_AUTO_TEST_CASE(requests_without_meaning_are_refused) {
  const std::vector<Tile> one{{blank(1, 1), ""}};
  BOOST_CHECK_THROW(contact_sheet({}), Error);
  BOOST_CHECK_THROW(contact_sheet({Tile{}}), Error);
  BOOST_CHECK_THROW(contact_sheet(one, {.columns = -1}), Error);
  BOOST_CHECK_THROW(contact_sheet(one, {.tile_width = 0}), Error);
  BOOST_CHECK_THROW(contact_sheet(one, {.gap = -1}), Error);
  BOOST_CHECK_THROW(contact_sheet(one, {.text_scale = 0}), Error);
}

BOOST_AUTO_TEST_CASE(a_color_bar_runs_from_the_lowest_to_the_highest) {
  const Picture low_high = color_bar({.low = "l", .high = "l", .width = 100});
  BOOST_TEST(low_high.width == 100);
  BOOST_TEST((pixel(low_high, 7, 5) == sequential(0)));
  BOOST_TEST((pixel(low_high, 92, 5) == sequential(1)));
  BOOST_TEST((pixel(low_high, 6, 5) == paper));
  BOOST_TEST((pixel(low_high, 93, 5) == paper));
  const Picture both = color_bar({.sign = Sign::both, .low = "l", .high = "l", .width = 101});
  BOOST_TEST((pixel(both, 7, 5) == diverging(-1)));
  BOOST_TEST((pixel(both, 50, 5) == diverging(0)));
  BOOST_TEST((pixel(both, 93, 5) == diverging(1)));
  BOOST_TEST(color_bar({.width = 1}).width >= 48);
}

BOOST_AUTO_TEST_SUITE_END()
