#include <boost/test/unit_test.hpp>
#include <limits>
#include <vector>

#include <pellucid/render/heatmap.hpp>

using namespace pellucid;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN(),
                 inf = std::numeric_limits<double>::infinity();

void same(const Plane& given, const std::vector<double>& expected) {
  BOOST_TEST(std::vector<double>(given.begin(), given.end()) == expected, boost::test_tools::per_element());
}

bool black(const Picture& picture) {
  return std::all_of(picture.rgb.begin(), picture.rgb.end(), [](int v) { return v == 0; });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(render_heatmap, *boost::unit_test::tolerance(1e-12))

BOOST_AUTO_TEST_CASE(arrays_and_tensors_hold_the_same_numbers) {
  const Tensor given = torch::arange(6, torch::kFloat32).reshape({3, 2}).t();  // not contiguous
  const auto array = to_xtensor<float, 2>(given);
  BOOST_TEST(array.shape(0) == 2u);
  BOOST_TEST(array.shape(1) == 3u);
  BOOST_TEST(array(1, 2) == 5.0F);
  BOOST_TEST(array(0, 1) == 2.0F);
  BOOST_TEST(torch::equal(to_tensor(array), given));
  BOOST_CHECK_THROW((to_xtensor<float, 3>(given)), Error);
  BOOST_CHECK_THROW((to_xtensor<float, 1>(Tensor{})), Error);
}

BOOST_AUTO_TEST_CASE(percentiles_are_numpys_linear_ones) {
  const std::vector<double> values{3, 1, 4, 2};
  BOOST_TEST(percentile(values, 0) == 1);
  BOOST_TEST(percentile(values, 25) == 1.75);
  BOOST_TEST(percentile(values, 50) == 2.5);
  BOOST_TEST(percentile(values, 99) == 3.97);
  BOOST_TEST(percentile(values, 100) == 4);
  BOOST_TEST(percentile({7}, 99) == 7);
  BOOST_TEST(percentile({1, 2, 3}, 50) == 2);
  BOOST_CHECK_THROW(percentile({}, 50), Error);
}

BOOST_AUTO_TEST_CASE(channels_are_summed_as_the_sign_says) {
  const Tensor a = torch::tensor({1, -2, 0, 3, 1, 2, -4, 0}, torch::kFloat32).reshape({2, 2, 2});
  same(summed(a, Sign::magnitude), {2, 4, 4, 3});
  same(summed(a, Sign::both), {2, 0, -4, 3});
  same(summed(a, Sign::positive), {2, 0, 0, 3});
  same(summed(a.unsqueeze(0), Sign::both), {2, 0, -4, 3});
  same(summed(a[0], Sign::both), {1, -2, 0, 3});
  same(summed(a.to(torch::kBFloat16), Sign::both), {2, 0, -4, 3});
  same(summed(a.to(torch::kInt64), Sign::both), {2, 0, -4, 3});
}

BOOST_AUTO_TEST_CASE(values_are_clipped_at_the_percentile) {
  const Tensor a = torch::tensor({1, 2, 3, 4}, torch::kFloat64).reshape({1, 2, 2});
  same(heat(a, {.percentile = 50}), {0.4, 0.8, 1, 1});
  same(heat(a, {.percentile = 100}), {0.25, 0.5, 0.75, 1});
  const Tensor mixed = torch::tensor({-1, 2, -3, 4}, torch::kFloat64).reshape({1, 2, 2});
  same(heat(mixed, {Sign::both, 50}), {-0.4, 0.8, -1, 1});
  same(heat(mixed, {Sign::positive, 100}), {0, 0.5, 0, 1});
}

BOOST_AUTO_TEST_CASE(a_single_strong_place_is_seen) {
  Tensor a = torch::zeros({3, 3});
  a[1][2] = -5;
  same(heat(a), {0, 0, 0, 0, 0, 1, 0, 0, 0});  // linear: 99 % lies at place 7.92 of 0 to 8, at 4.6
  same(heat(a, {.percentile = 50}), {0, 0, 0, 0, 0, 1, 0, 0, 0});
  same(heat(a, {Sign::both, 50}), {0, 0, 0, 0, 0, -1, 0, 0, 0});
}

BOOST_AUTO_TEST_CASE(pictures_have_the_colours_of_their_values) {
  const Tensor a = torch::tensor({0, -1, 2, 4, 4, -4}, torch::kFloat32).reshape({1, 2, 3});
  const Picture strength = heat_map(a, {.percentile = 100});
  BOOST_TEST(strength.width == 3);
  BOOST_TEST(strength.height == 2);
  BOOST_TEST((pixel(strength, 0, 0) == Rgb{0, 0, 0}));
  BOOST_TEST((pixel(strength, 1, 0) == sequential(0.25F)));
  BOOST_TEST((pixel(strength, 0, 1) == sequential(1)));
  BOOST_TEST((pixel(strength, 2, 1) == sequential(1)));
  const Picture both = heat_map(a, {Sign::both, 100});
  BOOST_TEST((pixel(both, 2, 0) == diverging(0.5F)));
  BOOST_TEST((pixel(both, 2, 1) == diverging(-1)));
}

BOOST_AUTO_TEST_CASE(all_zero_is_black) {
  for (const Sign sign : {Sign::magnitude, Sign::positive, Sign::both})
    BOOST_TEST(black(heat_map(torch::zeros({3, 4, 5}), {.sign = sign})));
  BOOST_TEST(black(heat_map(-torch::ones({1, 2, 2}), {.sign = Sign::positive})));
}

BOOST_AUTO_TEST_CASE(very_small_and_very_large_values_are_drawn) {
  same(heat(torch::tensor({{1e-300, 2e-300}}, torch::kFloat64), {.percentile = 100}), {0.5, 1});
  same(heat(torch::full({3, 1, 1}, 3e38, torch::kFloat32)), {1});
}

BOOST_AUTO_TEST_CASE(requests_without_meaning_are_refused) {
  for (const double bad : {not_a_number, inf, -inf}) {
    Tensor a = torch::zeros({1, 2, 2});
    a[0][1][0] = bad;
    BOOST_CHECK_THROW(heat_map(a), Error);
  }
  for (const double bad : {-1.0, 100.5, not_a_number})
    BOOST_CHECK_THROW(heat_map(torch::ones({1, 2, 2}), {.percentile = bad}), Error);
  BOOST_CHECK_THROW(heat_map(torch::ones({2, 3, 4, 4})), Error);
  BOOST_CHECK_THROW(heat_map(torch::ones({7})), Error);
  BOOST_CHECK_THROW(heat_map(torch::ones({3, 0, 4})), Error);
  BOOST_CHECK_THROW(heat_map(Tensor{}), Error);
}

BOOST_AUTO_TEST_SUITE_END()
