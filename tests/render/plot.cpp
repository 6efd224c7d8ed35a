#include <boost/test/unit_test.hpp>

#include <pellucid/image/write.hpp>
#include <pellucid/render/plot.hpp>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

using namespace pellucid;
using pellucid::detail::Axis;
using pellucid::detail::axis_of;
using pellucid::detail::Coat;
using pellucid::detail::draw_line;
using pellucid::detail::line_colors;
using pellucid::detail::PixelArea;
using pellucid::detail::Point;

namespace {

std::vector<std::string> numbers(const Axis& axis) {
  std::vector<std::string> all;
  for (const auto k : axis.multiples()) all.push_back(axis.number(k));
  return all;
}

using Words = std::vector<std::string>;

int count(const Picture& picture, Rgb color) {
  int found = 0;
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width; ++x) found += pixel(picture, x, y) == color;
  return found;
}

/// The message of the refusal of a plot.
std::string refusal(const std::vector<Series>& series, const PlotOptions& options = {}) {
  try {
    plot(series, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool has(const std::string& message, const Words& words) {
  for (const std::string& word : words)
    if (message.find(word) == std::string::npos) return false;
  return true;
}

/// Where the corners of the axes lie in a plot 480×320 without words and with numbers of three characters
/// "0.0" (5 + 1 + 2 + 1 + 5 columns or less): on the left 12, the number, 6, 4; over the top 12 and 6; under
/// the bottom 12, 10, 6, 4 and one, as the last row is 319; on the right 12, one and half a number.
struct Corners {
  int left, right, top = 18, bottom = 319 - 12 - 10 - 6 - 4;
};

Corners corners(int widest_y, int widest_x) {
  return {12 + widest_y + 6 + 4, 479 - 12 - widest_x / 2};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(render_plot)

BOOST_AUTO_TEST_CASE(steps_are_one_two_or_five_times_a_power_of_ten) {
  BOOST_TEST(pellucid::detail::round_step(1, 5) == 0.2, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(pellucid::detail::round_step(1, 10) == 0.1, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(pellucid::detail::round_step(1, 4) == 0.5, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(pellucid::detail::round_step(7, 1) == 10, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(pellucid::detail::round_step(0.0031, 10) == 0.0005, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(pellucid::detail::round_step(123456, 6) == 50000, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(numbers_are_round_and_as_short_as_they_can_be) {
  BOOST_TEST((numbers(axis_of(0, 1, 5, false)) == Words{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"}));
  BOOST_TEST((numbers(axis_of(-1, 1, 4, false)) == Words{"-1.0", "-0.5", "0.0", "0.5", "1.0"}));
  BOOST_TEST((numbers(axis_of(3, 17, 4, false)) == Words{"5", "10", "15"}));
  BOOST_TEST((numbers(axis_of(3, 17, 4, true)) == Words{"0", "5", "10", "15", "20"}));
  BOOST_TEST((numbers(axis_of(0, 0.03, 3, false)) == Words{"0.00", "0.01", "0.02", "0.03"}));
  BOOST_TEST((numbers(axis_of(0, 3e-5, 3, false)) == Words{"0", "1e-05", "2e-05", "3e-05"}));
  BOOST_TEST((numbers(axis_of(1e6, 3e6, 2, false)) == Words{"1e+06", "2e+06", "3e+06"}));
  // One value gets room on both sides: 4 ± 2; nothing, 0 ± 1.
  BOOST_TEST((numbers(axis_of(4, 4, 4, true)) == Words{"2", "3", "4", "5", "6"}));
  BOOST_TEST((numbers(axis_of(0, 0, 2, true)) == Words{"-1", "0", "1"}));
}

BOOST_AUTO_TEST_CASE(a_line_is_where_its_values_are) {
  const Picture drawn = plot({{.x = {0, 1, 2}, .y = {0, 1, 0}}});
  BOOST_TEST(drawn.width == 480);
  BOOST_TEST(drawn.height == 320);
  // (1, 1) is in the middle of the upper edge, (0.5, 0.5) half way up a quarter of the way along. Each has a
  // pixel within half a pixel of the line, which is two pixels wide.
  const Corners at = corners(text_width("0.0"), text_width("0.0"));
  const double middle = (at.left + at.right) / 2.0, quarter = (at.left + middle) / 2;
  const auto near = [&](double x, double y) {
    int found = 0;
    for (int row = -1; row <= 1; ++row)
      for (int column = -1; column <= 1; ++column)
        found += pixel(drawn, int(std::lround(x)) + column, int(std::lround(y)) + row) == line_colors[0];
    return found;
  };
  BOOST_TEST((pixel(drawn, int(std::lround(middle)), at.top) == line_colors[0]));
  BOOST_TEST(near(quarter, (at.top + at.bottom) / 2.0) >= 1);
  BOOST_TEST(near(quarter - 9, (at.top + at.bottom) / 2.0) == 0);
  BOOST_TEST(near(quarter, (at.top + at.bottom) / 2.0 - 9) == 0);
  BOOST_TEST((pixel(drawn, at.left, at.bottom) == line_colors[0]));
  BOOST_TEST((pixel(drawn, at.right, at.bottom) == line_colors[0]));
  BOOST_TEST((pixel(drawn, int(std::lround(middle)), at.bottom - 30) == paper));
}

BOOST_AUTO_TEST_CASE(few_points_are_marked) {
  Series many;
  for (int i = 0; i <= 100; ++i) many.x.push_back(i), many.y.push_back(0.5);
  const Corners at = corners(text_width("0.0"), text_width("100"));
  const int middle = (at.left + at.right) / 2;  // of the point 50
  const auto rows_of_line = [middle](const Picture& picture) {
    int rows = 0;
    for (int y = 0; y < picture.height; ++y) rows += pixel(picture, middle, y) == line_colors[0];
    return rows;
  };
  const PlotOptions whole{.y_low = 0.0, .y_high = 1.0};
  const int line = rows_of_line(plot({many}, whole));
  PlotOptions marked = whole;
  marked.most_marked = 101;  // a dot is higher than the line
  BOOST_TEST(line >= 1);
  BOOST_TEST(line <= 3);
  BOOST_TEST(rows_of_line(plot({many}, marked)) >= line + 3);
  // A single point is a dot, whatever the options: π·3² pixels and a rim.
  marked.most_marked = 0;
  const int dot = count(plot({{.x = {1}, .y = {1}}}, marked), line_colors[0]);
  BOOST_TEST(dot >= 21);
  BOOST_TEST(dot <= 49);
}

BOOST_AUTO_TEST_CASE(what_lies_outside_the_axis_is_cut_off) {
  const Picture cut = plot({{.x = {0, 1}, .y = {-10, 10}}}, {.y_low = 0.0, .y_high = 1.0, .most_marked = 0});
  const Corners at = corners(text_width("0.0"), text_width("0.0"));
  for (int y = 0; y < cut.height; ++y)
    for (int x = 0; x < cut.width; ++x)
      if (pixel(cut, x, y) == line_colors[0]) {
        BOOST_TEST(y >= at.top - 1);
        BOOST_TEST(y <= at.bottom + 1);
      }
  BOOST_TEST(count(cut, line_colors[0]) > at.bottom - at.top);
}

BOOST_AUTO_TEST_CASE(several_series_have_a_legend_and_colours_of_their_own) {
  std::vector<Series> series;
  for (int i = 0; i < 14; ++i)
    series.push_back({"line " + std::to_string(i), {0, 1}, {double(i), double(i)}});
  const std::vector<Series> first(series.begin(), series.begin() + 2);
  const Picture two = plot(first, {.most_marked = 0});
  // In the plot, and in the legend over it.
  for (const Rgb color : {line_colors[0], line_colors[1]}) {
    BOOST_TEST(count(two, color) > 300);
    int in_legend = 0;
    for (int x = 0; x < 480; ++x) in_legend += pixel(two, x, 16) == color;
    BOOST_TEST(in_legend >= 15);
  }
  // Line 7 has the colour of line 0, and is dashed: 7 of 11 pixels of it are seen, a little more with their
  // round ends.
  const Picture all = plot(series, {.height = 480, .y_low = -1.0, .y_high = 14.0, .most_marked = 0});
  std::vector<int> lengths;
  for (int y = 100; y < all.height; ++y) {
    int length = 0;
    for (int x = 0; x < all.width; ++x) length += pixel(all, x, y) == line_colors[0];
    if (length > 100) lengths.push_back(length);
  }
  BOOST_REQUIRE(lengths.size() >= 2U);
  BOOST_TEST(lengths.front() > 0.55 * lengths.back());
  BOOST_TEST(lengths.front() < 0.95 * lengths.back());
}

BOOST_AUTO_TEST_CASE(extreme_values_are_drawn) {
  for (const double size : {1e-300, 1e-12, 1.0, 1e12, 1e299}) {
    const Picture drawn = plot({{.x = {0, size}, .y = {-size, size}}});
    BOOST_TEST(count(drawn, line_colors[0]) > 100);
  }
  Series noise{.name = "many"};
  for (int i = 0; i < 20000; ++i) noise.x.push_back(i % 977), noise.y.push_back(i % 1009);
  BOOST_TEST(count(plot({noise}), line_colors[0]) > 1000);
}

BOOST_AUTO_TEST_CASE(lines_to_far_outside_cross_the_frame) {
  // From the middle of the lower edge straight up: the line to 1e20 leaves the frame where it began, whether
  // it is dashed or not, and one from below all to above all likewise.
  const PixelArea frame{0, 0, 100, 100};
  for (const double far : {1e3, 1e20, 1e200})
    for (const Point from : {Point{50, 100}, Point{50 - 1e-3, far}}) {
      double walked = 0;
      Coat solid(frame), dashes(frame);
      draw_line(solid, from, {50, -far}, frame, false, walked);
      draw_line(dashes, from, {50, -far}, frame, true, walked);
      Picture whole = blank(101, 101), dashed = whole;
      solid.paint(whole, line_colors[0]);
      dashes.paint(dashed, line_colors[0]);
      int in_whole = 0, in_dashed = 0;
      for (int y = 0; y <= 100; ++y) {
        in_whole += pixel(whole, 50, y) == line_colors[0];
        in_dashed += pixel(dashed, 50, y) == line_colors[0];
      }
      BOOST_TEST(in_whole == 101);
      BOOST_TEST(in_dashed > 0.55 * 101);  // 7 of 11 and their round ends
      BOOST_TEST(in_dashed < 0.95 * 101);
    }
  std::vector<Series> series;
  for (int i = 0; i < 8; ++i) series.push_back({"line " + std::to_string(i), {0, 1}, {-1e20, 1e20}});
  BOOST_TEST(plot(series, {.y_low = 0.0, .y_high = 1.0}).width == 480);
}

BOOST_AUTO_TEST_CASE(a_bound_beyond_all_values_leaves_an_empty_frame) {
  const Series below{"below", {0, 1}, {-2, -1}};
  BOOST_TEST(count(plot({below}, {.y_low = 0.0, .most_marked = 0}), line_colors[0]) == 0);
  BOOST_TEST(count(plot({below}, {.y_high = -3.0, .most_marked = 0}), line_colors[0]) == 0);
  BOOST_TEST(count(plot({below}, {.y_low = -3.0, .most_marked = 0}), line_colors[0]) > 300);
  // The largest value itself: a point on the edge.
  BOOST_TEST(count(plot({below}, {.y_low = -1.0}), line_colors[0]) > 0);
}

BOOST_AUTO_TEST_CASE(plots_without_meaning_are_refused) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = INFINITY;
  const Series good{"good", {0, 1}, {0, 1}};
  BOOST_TEST(has(refusal({}), {"no series", "at least one"}));
  BOOST_TEST(has(refusal({{.name = "bad", .x = {1, 2}, .y = {1}}}), {"'bad'", "2 values x and 1 values y"}));
  BOOST_TEST(has(refusal({{.name = "bad"}}), {"'bad'", "no points"}));
  BOOST_TEST(has(refusal({{.name = "bad", .x = {1, 2}, .y = {1, nan}}}), {"'bad'", "nan", "point 1"}));
  BOOST_TEST(has(refusal({{.x = {infinity, 2}, .y = {1, 1}}}), {"series 0", "inf", "point 0"}));
  BOOST_TEST(has(refusal({good, {.x = {1}, .y = {1}}}), {"series 1", "name", "legend"}));
  BOOST_TEST(has(refusal(std::vector<Series>(15, good)), {"15 series", "14", "several plots"}));
  BOOST_TEST(has(refusal({good}, {.width = 100}), {"100×320", "160×120"}));
  BOOST_TEST(has(refusal({good}, {.y_low = 1.0, .y_high = 1.0}), {"y_low 1", "below"}));
  BOOST_TEST(has(refusal({good}, {.y_high = nan}), {"nan", "finite"}));
  BOOST_TEST(
      has(refusal(std::vector<Series>(14, good), {.width = 160, .height = 120}), {"no room", "larger"}));
}

BOOST_AUTO_TEST_SUITE_END()
