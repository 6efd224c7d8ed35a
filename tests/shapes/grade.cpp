#include <boost/test/unit_test.hpp>

#include <cmath>

#include "shapes/grade.hpp"

using shapes::Estimate, shapes::Grade;
using torch::Tensor;

namespace {

Tensor mask(std::initializer_list<int> values) {
  return torch::tensor(std::vector<std::int64_t>(values.begin(), values.end())).view({2, 2}).to(torch::kBool);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(shapes_grade)

BOOST_AUTO_TEST_CASE(shares_of_the_absolute_values) {
  // |a| over the channels: 1+0+0 = 1, 2+1+0 = 3, 0, 1+2+1 = 4, of 8
  const Tensor attribution = torch::tensor({1.0, -2.0, 0.0, 1.0,  //
                                            0.0, 1.0, 0.0, -2.0,  //
                                            0.0, 0.0, 0.0, 1.0})
                                 .view({3, 2, 2});
  const Grade grade = shapes::grade(attribution, mask({0, 1, 1, 1}), mask({1, 0, 0, 0}));
  BOOST_TEST(grade.pointed);
  BOOST_TEST(grade.pointed_on);
  BOOST_TEST(grade.inside == 7.0 / 8);
  BOOST_TEST(grade.on_watermark == 1.0 / 8);
  const Grade other = shapes::grade(attribution, mask({1, 1, 1, 0}), mask({0, 0, 0, 0}));
  BOOST_TEST(!other.pointed_on);
  BOOST_TEST(other.inside == 0.5);
  BOOST_TEST(other.on_watermark == 0);
}

BOOST_AUTO_TEST_CASE(near_is_15_of_224_pixels) {
  // The strongest pixel is (10, 20) of 64×64, where near is 4: a shape 4 rows away is, one 3 and 3 away is
  // not.
  Tensor attribution = torch::zeros({3, 64, 64});
  attribution[1][10][20] = -1;
  const auto shape_at = [&](std::int64_t y, std::int64_t x) {
    Tensor shape = torch::zeros({64, 64}, torch::kBool);
    shape[y][x] = true;
    return shapes::grade(attribution, shape, torch::zeros({64, 64}, torch::kBool));
  };
  BOOST_TEST((shape_at(10, 20).pointed && shape_at(10, 20).pointed_on));
  BOOST_TEST((shape_at(14, 20).pointed && !shape_at(14, 20).pointed_on));
  BOOST_TEST(!shape_at(13, 23).pointed);
  BOOST_TEST(!shape_at(10, 25).pointed);
}

BOOST_AUTO_TEST_CASE(chance_of_being_near) {
  // The 49 pixels of a disc with radius 4 around one pixel; at a corner of the picture the quarter of it.
  Tensor shape = torch::zeros({64, 64}, torch::kBool);
  shape[30][30] = true;
  BOOST_TEST(std::abs(shapes::share_near(shape) - 49.0 / 4096) < 1e-12);
  shape[30][30] = false;
  shape[0][0] = true;
  BOOST_TEST(std::abs(shapes::share_near(shape) - 17.0 / 4096) < 1e-12);
}

BOOST_AUTO_TEST_CASE(a_map_of_zeros_points_nowhere) {
  const Grade grade = shapes::grade(torch::zeros({3, 2, 2}), mask({1, 1, 1, 1}), mask({1, 1, 1, 1}));
  BOOST_TEST(!grade.pointed);
  BOOST_TEST(grade.inside == 0);
  BOOST_TEST(grade.on_watermark == 0);
}

BOOST_AUTO_TEST_CASE(wilson_s_interval_of_a_proportion) {
  // 8 of 10, with z = 1.96: (0.8 + 0.19208 ± 1.96·√(0.016 + 0.009604)) / 1.38416
  const Estimate eight = shapes::proportion(8, 10);
  BOOST_TEST(eight.mean == 0.8);
  BOOST_TEST(std::abs(eight.low - 0.490161) < 1e-4);
  BOOST_TEST(std::abs(eight.high - 0.943323) < 1e-4);
  // All of 10 say nothing of certainty: from 10 / (10 + z²) to 1.
  const Estimate all = shapes::proportion(10, 10);
  BOOST_TEST(std::abs(all.low - 10 / (10 + 1.96 * 1.96)) < 1e-12);
  BOOST_TEST(std::abs(all.high - 1) < 1e-12);
}

BOOST_AUTO_TEST_CASE(the_interval_of_a_mean) {
  // 1, 2, 3: variance 1, so ± 1.96 / √3
  const Estimate estimate = shapes::mean_of({1, 2, 3});
  BOOST_TEST(estimate.mean == 2);
  BOOST_TEST(std::abs(estimate.high - (2 + 1.96 / std::sqrt(3.0))) < 1e-12);
  BOOST_TEST(std::abs(estimate.low - (2 - 1.96 / std::sqrt(3.0))) < 1e-12);
}

BOOST_AUTO_TEST_SUITE_END()
