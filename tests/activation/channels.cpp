#include <boost/test/unit_test.hpp>

#include <pellucid/activation/channels.hpp>

#include <limits>

#include "image/temporary.hpp"

using namespace pellucid;

namespace {

Tensor counted(std::vector<std::int64_t> shape) {
  return torch::arange(c10::multiply_integers(shape), torch::kFloat).view(shape);
}

using Sizes = std::vector<std::int64_t>;

Sizes sizes_of(const Sizes& output, const Sizes& images) {
  return channels_of(torch::zeros(output), torch::zeros(images)).sizes().vec();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(activation_channels)

BOOST_AUTO_TEST_CASE(every_output_is_a_list_of_maps) {
  const Sizes image{1, 3, 64, 64};
  BOOST_TEST((sizes_of({1, 5, 8, 8}, image) == Sizes{5, 8, 8}));
  BOOST_TEST((sizes_of({1, 10}, image) == Sizes{10, 1, 1}));
  BOOST_TEST((sizes_of({10}, image) == Sizes{10, 1, 1}));
  BOOST_TEST((sizes_of({}, image) == Sizes{1, 1, 1}));
  BOOST_TEST((sizes_of({4, 10}, image) == Sizes{1, 4, 10}));
  BOOST_TEST((sizes_of({1, 40, 8}, image) == Sizes{1, 40, 8}));
  BOOST_TEST((sizes_of({4, 2, 5, 6}, image) == Sizes{8, 5, 6}));
  BOOST_TEST((sizes_of({1, 2, 3, 5, 6}, image) == Sizes{6, 5, 6}));
  const Tensor five = counted({1, 5, 2, 2});
  BOOST_TEST(channels_of(five, torch::zeros(image)).equal(five[0]));
}

BOOST_AUTO_TEST_CASE(channels_may_come_last) {
  const Sizes square{1, 3, 64, 64}, wide{1, 3, 40, 60};
  BOOST_TEST((sizes_of({1, 8, 8, 96}, square) == Sizes{96, 8, 8}));
  BOOST_TEST((sizes_of({1, 96, 8, 8}, square) == Sizes{96, 8, 8}));
  BOOST_TEST((sizes_of({1, 8, 8, 8}, square) == Sizes{8, 8, 8}));  // either way: first, as LibTorch has it
  BOOST_TEST((sizes_of({1, 1, 1, 96}, square) == Sizes{96, 1, 1}));
  BOOST_TEST((sizes_of({1, 4, 6, 6}, wide) == Sizes{6, 4, 6}));
  BOOST_TEST((sizes_of({1, 6, 4, 6}, wide) == Sizes{6, 4, 6}));
  BOOST_TEST((sizes_of({1, 8, 8, 96}, {1, 100}) == Sizes{8, 8, 96}));  // no image whose shape could tell
  const Tensor last = counted({1, 2, 2, 5}), maps = channels_of(last, torch::zeros(square));
  BOOST_TEST(maps[3][1][0].item<float>() == last[0][1][0][3].item<float>());
}

BOOST_AUTO_TEST_CASE(tokens_are_maps_of_their_grid) {
  // A class token (0, 1, 2), then the places (3, 4, 5), (6, 7, 8); (9, 10, 11), (12, 13, 14).
  const Tensor maps = channels_of(counted({1, 5, 3}), torch::zeros({1, 3, 64, 64}));
  BOOST_TEST((maps.sizes().vec() == Sizes{3, 2, 2}));
  BOOST_TEST(maps[1].equal(torch::tensor({{4.0F, 7.0F}, {10.0F, 13.0F}})));
  BOOST_TEST((sizes_of({1, 33, 8}, {1, 3, 32, 64}) == Sizes{8, 4, 8}));
}

BOOST_AUTO_TEST_CASE(the_strongest_place_counts) {
  // The largest values are 3, 1, 0, 3, 2: of 0 and 3 channel 0 has the lower number. Channel 1 has the
  // largest |value|, and channel 4 the largest mean.
  const Tensor maps = torch::tensor({{0., 3.}, {-5., 1.}, {0., 0.}, {3., 0.}, {2., 2.}}).view({5, 1, 2});
  const StrongestChannels four = strongest_channels(maps, 4);
  BOOST_TEST((four.channels == std::vector<std::int64_t>{0, 3, 4, 1}));
  BOOST_TEST((four.values == std::vector<double>{3, 3, 2, 1}));
  BOOST_TEST((strongest_channels(maps, 99).channels == std::vector<std::int64_t>{0, 3, 4, 1, 2}));
  BOOST_TEST((four.by_number().channels == std::vector<std::int64_t>{0, 1, 3, 4}));
  BOOST_TEST((four.by_number().values == std::vector<double>{3, 1, 3, 2}));
}

BOOST_AUTO_TEST_CASE(what_is_no_number_has_no_order) {
  Tensor maps = torch::ones({3, 2, 2});
  maps[1][0][1] = std::numeric_limits<float>::quiet_NaN();
  BOOST_CHECK_EXCEPTION(strongest_channels(maps, 2), Error, says({"NaN or infinity", "damaged"}));
}

BOOST_AUTO_TEST_SUITE_END()
