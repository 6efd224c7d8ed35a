#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <limits>

#include <pellucid/render/channel_grid.hpp>

using namespace pellucid;

namespace {

/// Whether the square of `side` pixels whose upper left corner is at (x, y) has one colour.
bool filled(const Picture& picture, int x, int y, int side, Rgb expected) {
  for (int row = y; row < y + side; ++row)
    for (int column = x; column < x + side; ++column)
      if (!(pixel(picture, column, row) == expected)) return false;
  return true;
}

/// Gap 8, title 20, or 10 where it is too long for that, gap 8; the next row is a tile, 5, a label of 10, a
/// gap of 8 lower.
constexpr int first_row = 36, under_long_title = 26;

}  // namespace

BOOST_AUTO_TEST_SUITE(render_channel_grid)

BOOST_AUTO_TEST_CASE(single_numbers_are_squares_strongest_first) {
  const Tensor numbers = torch::tensor({1.0, -2.0, 4.0, 0.0});
  for (const Tensor& given :
       {numbers, numbers.unsqueeze(0), numbers.reshape({4, 1, 1}), numbers.reshape({1, 4, 1, 1})}) {
    const Picture grid = channel_grid(given, {.percentile = 100});
    BOOST_TEST(filled(grid, 8, under_long_title, 32, diverging(1)));
    BOOST_TEST(filled(grid, 48, under_long_title, 32, diverging(0.25F)));
    BOOST_TEST(filled(grid, 8, under_long_title + 55, 32, diverging(0)));
    BOOST_TEST(filled(grid, 48, under_long_title + 55, 32, diverging(-0.5F)));
  }
}

BOOST_AUTO_TEST_CASE(channels_can_keep_their_order) {
  const Picture grid =
      channel_grid(torch::tensor({1.0, 4.0}), {.columns = 1, .strongest_first = false, .percentile = 100});
  BOOST_TEST(filled(grid, 8, first_row, 32, sequential(0.25F)));
  BOOST_TEST(filled(grid, 8, first_row + 55, 32, sequential(1)));
}

BOOST_AUTO_TEST_CASE(a_scale_is_shared_or_each_channels_own) {
  const Tensor two = torch::tensor({1.0, 2.0, 4.0, 8.0}).reshape({2, 1, 2});
  ChannelGridOptions options{.columns = 1, .strongest_first = false, .percentile = 100};
  const Picture shared = channel_grid(two, options);
  options.scale = Scale::own;
  const Picture own = channel_grid(two, options);
  // A tile of two pixels, 32 each.
  BOOST_TEST(filled(shared, 8, first_row, 32, sequential(0.125F)));
  BOOST_TEST(filled(shared, 40, first_row, 32, sequential(0.25F)));
  BOOST_TEST(filled(shared, 40, first_row + 55, 32, sequential(1)));
  for (const int y : {first_row, first_row + 55}) {
    BOOST_TEST(filled(own, 8, y, 32, sequential(0.5F)));
    BOOST_TEST(filled(own, 40, y, 32, sequential(1)));
  }
}

BOOST_AUTO_TEST_CASE(many_channels_are_cut_to_the_strongest) {
  Tensor many = torch::zeros({1000});
  many[777] = 3;
  const Picture grid = channel_grid(many, {.columns = 2, .max_channels = 2});
  BOOST_TEST(filled(grid, 8, under_long_title, 32, sequential(1)));
  BOOST_TEST(filled(grid, 48, under_long_title, 32, sequential(0)));
}

BOOST_AUTO_TEST_CASE(of_many_the_strongest_are_drawn_in_their_order_too) {
  // 1, 9, 2, 5: the two strongest are 1 and 3.
  const Tensor four = torch::tensor({1.0, 9.0, 2.0, 5.0});
  const Picture grid =
      channel_grid(four, {.columns = 2, .max_channels = 2, .strongest_first = false, .percentile = 100});
  BOOST_TEST(filled(grid, 8, under_long_title, 32, sequential(1)));
  BOOST_TEST(filled(grid, 48, under_long_title, 32, sequential(5.0F / 9)));
}

BOOST_AUTO_TEST_CASE(labels_have_the_numbers_and_what_is_strongest) {
  // One channel -2 of single numbers, given as the layer's channel 40: the label is at 8, under the tile
  // and 5.
  const Picture one = channel_grid(torch::tensor({-2.0}), {.first_number = 40});
  const Picture label = text("40  -2");
  bool same = true;
  for (int y = 0; y < label.height; ++y)
    for (int x = 0; x < label.width; ++x)
      same &= pixel(one, 8 + x, first_row + 32 + 5 + y) == pixel(label, x, y);
  BOOST_TEST(same);
  // With scales of their own: up to which value the colours go, not the largest. Of 1, 1, 1, 1, 5 the
  // percentile 75 is 1.
  const Tensor five = torch::tensor({1.0, 1.0, 1.0, 1.0, 5.0}).view({1, 1, 5});
  const Picture scaled = channel_grid(five, {.scale = Scale::own, .percentile = 75});
  const Picture scale = text("0  to 1");
  for (int y = 0; y < scale.height; ++y)
    for (int x = 0; x < scale.width; ++x)
      same &= pixel(scaled, 8 + x, first_row + 32 + 5 + y) == pixel(scale, x, y);
  BOOST_TEST(same);
  // In their own order and with one scale, channels have their numbers alone.
  const Picture plain = channel_grid(torch::ones({1, 2, 2}), {.strongest_first = false});
  const Picture number = text("0");
  int ink_dots = 0;
  for (int x = 8; x < 8 + 64; ++x) ink_dots += pixel(plain, x, first_row + 64 + 5) == ink;
  int expected = 0;
  for (int x = 0; x < number.width; ++x) expected += pixel(number, x, 0) == ink;
  BOOST_TEST(ink_dots == expected);
}

BOOST_AUTO_TEST_CASE(the_width_is_kept) {
  for (const int side : {1, 7, 14, 54, 109, 224, 2000})
    BOOST_TEST(channel_grid(torch::rand({side > 500 ? 2 : 30, side, side}), {.width = 500}).width <= 500);
}

BOOST_AUTO_TEST_CASE(all_zero_is_black) {
  const Picture grid = channel_grid(torch::zeros({3, 2, 2}), {.scale = Scale::own});
  BOOST_TEST(filled(grid, 8, under_long_title, 64, Rgb{0, 0, 0}));
}

BOOST_AUTO_TEST_CASE(numbers_are_short) {
  BOOST_TEST(pellucid::detail::number(2016.4) == "2016");
  BOOST_TEST(pellucid::detail::number(0.12345) == "0.123");
  BOOST_TEST(pellucid::detail::number(-2.75) == "-2.75");
  BOOST_TEST(pellucid::detail::number(3e-9) == "3e-09");
}

BOOST_AUTO_TEST_CASE(requests_without_meaning_are_refused) {
  const Tensor good = torch::ones({4, 2, 2});
  BOOST_CHECK_THROW(channel_grid(torch::ones({2, 4, 2, 2})), Error);
  BOOST_CHECK_THROW(channel_grid(torch::ones({2, 4})), Error);
  BOOST_CHECK_THROW(channel_grid(torch::ones({0, 2, 2})), Error);
  BOOST_CHECK_THROW(channel_grid(Tensor{}), Error);
  BOOST_CHECK_THROW(channel_grid(good * std::numeric_limits<float>::quiet_NaN()), Error);
  BOOST_CHECK_THROW(channel_grid(good, {.max_channels = 0}), Error);
  BOOST_CHECK_THROW(channel_grid(good, {.columns = -1}), Error);
  BOOST_CHECK_THROW(channel_grid(good, {.percentile = 101}), Error);
  BOOST_CHECK_THROW(channel_grid(good, {.width = 0}), Error);
}

BOOST_AUTO_TEST_SUITE_END()
