#include <boost/test/unit_test.hpp>

#include <pellucid/render/tour_sheet.hpp>

#include <string>

using namespace pellucid;

namespace {

/// A stop at a layer 1×C×h×w, or 1×C, whose channels are all shown, in the order given.
Stop stop_of(const std::string& name, const Tensor& maps, std::vector<double> values) {
  Stop stop{{name, "Conv2d", {1, maps.size(0), maps.size(1), maps.size(2)}, 0}};
  stop.channels = maps.size(0);
  for (std::int64_t c = 0; c < maps.size(0); ++c) stop.strongest.channels.push_back(c + 10);
  stop.strongest.values = std::move(values);
  stop.maps = maps.to(torch::kFloat);
  stop.least = maps.min().item<double>();
  stop.most = maps.max().item<double>();
  stop.mean = maps.mean().item<double>();
  return stop;
}

Picture row_of(const Stop& stop, const TourSheetOptions& options = {}, int tile = 64) {
  return pellucid::detail::drawn_row({stop.layer.name, &stop}, options, tile, 8);
}

bool filled(const Picture& picture, int x, int y, int side, Rgb expected) {
  for (int row = y; row < y + side; ++row)
    for (int column = x; column < x + side; ++column)
      if (!(pixel(picture, column, row) == expected)) return false;
  return true;
}

/// The maps of a row begin behind 190 pixels of words and a gap of 8; each is followed by a gap of 8.
int place(int tile, int side = 64) {
  return 198 + tile * (side + 8);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(render_tour_sheet)

BOOST_AUTO_TEST_CASE(a_row_has_one_scale_or_each_map_its_own) {
  // Two channels 1×2, drawn 64×32, at the foot of their squares: 4 and 2, 1 and 0.5.
  const Stop stop = stop_of("conv", torch::tensor({4.0, 2.0, 1.0, 0.5}).view({2, 1, 2}), {4, 1});
  const Picture shared = row_of(stop, {.percentile = 100});
  BOOST_TEST(filled(shared, place(0), 32, 32, sequential(1)));
  BOOST_TEST(filled(shared, place(0) + 32, 32, 32, sequential(0.5F)));
  BOOST_TEST(filled(shared, place(1), 32, 32, sequential(0.25F)));
  BOOST_TEST(filled(shared, place(1) + 32, 32, 32, sequential(0.125F)));
  const Picture own = row_of(stop, {.scale = Scale::own, .percentile = 100});
  for (const int tile : {0, 1}) {
    BOOST_TEST(filled(own, place(tile), 32, 32, sequential(1)));
    BOOST_TEST(filled(own, place(tile) + 32, 32, 32, sequential(0.5F)));
  }
  BOOST_TEST(own.height > shared.height);  // the strongest value stands under each number
}

BOOST_AUTO_TEST_CASE(values_below_zero_are_blue_wherever_the_layer_has_one) {
  Stop stop = stop_of("conv", torch::tensor({4.0, -2.0}).view({2, 1, 1}), {4, -2});
  const Picture both = row_of(stop, {.percentile = 100}, 32);
  BOOST_TEST(filled(both, place(0, 32), 0, 32, diverging(1)));
  BOOST_TEST(filled(both, place(1, 32), 0, 32, diverging(-0.5F)));
  // None of the maps shown has one, but the layer has.
  stop = stop_of("conv", torch::tensor({4.0, 2.0}).view({2, 1, 1}), {4, 2});
  stop.least = -1;
  BOOST_TEST(filled(row_of(stop, {.percentile = 100}, 32), place(0, 32), 0, 32, diverging(1)));
}

BOOST_AUTO_TEST_CASE(a_row_that_does_not_lie_as_the_picture_says_so) {
  // Name, kind and scale take the first three lines of 14 pixels; the words are on the fourth.
  Stop stop = stop_of("attention", torch::ones({2, 4, 4}), {1, 1});
  const Picture plain = row_of(stop);
  stop.spatial = false;
  const Picture told = row_of(stop);
  const Picture words = text("not laid out as the picture", {1, pellucid::faint_ink});
  bool same = true, empty = true;
  for (int y = 0; y < words.height; ++y)
    for (int x = 0; x < words.width; ++x) {
      same &= pixel(told, x, 3 * line_height() + y) == pixel(words, x, y);
      empty &= pixel(plain, x, 3 * line_height() + y) == paper;
    }
  BOOST_TEST(same);
  BOOST_TEST(empty);
  BOOST_TEST(words.width <= 190);
  // A single number lies nowhere, and nobody takes it for a picture.
  Stop single = stop_of("fc", torch::ones({2, 1, 1}), {1, 1});
  const Picture before = row_of(single);
  single.spatial = false;
  BOOST_TEST((row_of(single).rgb == before.rgb));
}

BOOST_AUTO_TEST_CASE(layers_that_hand_on_the_same_values_share_a_row) {
  const Tensor ones = torch::ones({2, 2, 2});
  const std::vector<Stop> stops{stop_of("a", ones, {1, 1}), stop_of("a.last", ones, {1, 1}),
                                stop_of("b", 2 * ones, {2, 2}), stop_of("c", ones, {1, 1})};
  const auto rows = pellucid::detail::tour_rows(stops);
  BOOST_REQUIRE(rows.size() == 3U);
  BOOST_TEST(rows[0].names == "a = a.last");
  BOOST_TEST(rows[1].names == "b");
  BOOST_TEST(rows[2].names == "c");
  // The same channels shown, but not the same layer.
  std::vector<Stop> others{stops[0], stops[0]};
  others[1].mean = 0.5;
  BOOST_TEST(pellucid::detail::tour_rows(others).size() == 2U);
}

BOOST_AUTO_TEST_CASE(long_tours_have_smaller_maps_then_several_columns) {
  std::vector<Stop> stops;
  for (int i = 0; i < 600; ++i)
    stops.push_back(
        stop_of("layer" + std::to_string(i), torch::full({8, 2, 2}, i + 1.0), std::vector(8, 1.0)));
  const std::vector<Stop> ten(stops.begin(), stops.begin() + 10), hundred(stops.begin(), stops.begin() + 100);
  constexpr int limit = 5000, head = 400;
  const TourSheetOptions options{.height = limit};
  const Picture small = tour_sheet(ten, options), middle = tour_sheet(hundred, options),
                large = tour_sheet(stops, options);
  // Rows of 64 + 4 + 14 + 8 pixels; at 48, 74 pixels each, a hundred are too high; at 32, three lines of 14
  // and 8 are higher than 32 + 4 + 14 + 8: 58.
  BOOST_TEST(small.height > 10 * 90);
  BOOST_TEST(small.height < 10 * 90 + head);
  BOOST_TEST(small.width == 2 * 16 + 198 + 8 * 72);
  BOOST_TEST(middle.height > 50 * 58);  // 100 · 58 in two columns
  BOOST_TEST(middle.height < 50 * 58 + head);
  BOOST_TEST(middle.width == 2 * 16 + 2 * (198 + 8 * 40) + 24);
  BOOST_TEST(large.height > 600 * 58 / 7);  // 34800 in seven
  BOOST_TEST(large.height < limit + head);
}

BOOST_AUTO_TEST_CASE(photo_and_title_are_at_the_top) {
  const Stop stop = stop_of("conv", torch::ones({1, 2, 2}), {1});
  const Rgb red{200, 0, 0};
  const Picture sheet = tour_sheet({stop}, {.title = "a network", .photo = blank(20, 20, red)});
  BOOST_TEST(filled(sheet, 16, 16, 160, red));
  BOOST_TEST(sheet.height > 16 + 160 + 86);
}

BOOST_AUTO_TEST_CASE(layers_of_any_kind_are_drawn) {
  Stop empty{{"empty", "Slice", {1, 0, 4, 4}, 0}};
  const Stop long_name = stop_of(std::string(300, 'x'), torch::ones({1, 1, 5000}), {1});
  const Stop zeros = stop_of("zeros", torch::zeros({3, 2, 2}), {0, 0, 0});
  const Picture sheet = tour_sheet({empty, long_name, zeros, stop_of("fc", torch::ones({8, 1, 1}), {8, 1})});
  BOOST_TEST(sheet.width > 0);
  BOOST_TEST(filled(row_of(zeros), place(2), 0, 64, sequential(0)));
}

BOOST_AUTO_TEST_CASE(numbers_fit_under_their_maps) {
  using pellucid::detail::number_within;
  BOOST_TEST(number_within(0.333333, 69) == "0.333");
  BOOST_TEST(number_within(-0.000123456, 69) == "-0.000123");
  BOOST_TEST(number_within(-0.000123456, 45) == "-0.00012");
  BOOST_TEST(number_within(-0.000123456, 37) == "-1e-04");
}

BOOST_AUTO_TEST_CASE(tours_without_meaning_are_refused) {
  const Stop stop = stop_of("conv", torch::ones({1, 2, 2}), {1});
  BOOST_CHECK_THROW(tour_sheet({}), Error);
  BOOST_CHECK_THROW(tour_sheet({stop}, {.percentile = 101}), Error);
  BOOST_CHECK_THROW(tour_sheet({stop}, {.height = 10}), Error);
}

BOOST_AUTO_TEST_SUITE_END()
