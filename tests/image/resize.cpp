#include <boost/test/unit_test.hpp>
#include <pellucid/image/eight_bits.hpp>

#include <cmath>
#include <limits>

#include "temporary.hpp"

using namespace pellucid;

namespace {

/// One row as an image 1×1×1×W.
Tensor row(std::vector<double> values) {
  const auto width = int64_t(values.size());
  return torch::tensor(values, torch::kFloat64).view({1, 1, 1, width});
}

void check_row(const Tensor& image, std::vector<double> expected) {
  BOOST_REQUIRE_EQUAL(image.numel(), int64_t(expected.size()));
  const Tensor flat = image.reshape({-1});
  for (std::size_t i = 0; i < expected.size(); ++i) {
    BOOST_TEST(flat[int64_t(i)].item<double>() == expected[i], boost::test_tools::tolerance(1e-6));
  }
}

/// Each pixel is 100·y + x, so that a crop shows where it comes from.
Tensor coordinates(int64_t height, int64_t width) {
  const Tensor y = torch::arange(height, torch::kFloat).view({1, 1, height, 1});
  const Tensor x = torch::arange(width, torch::kFloat).view({1, 1, 1, width});
  return 100 * y + x;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(image_resize)

BOOST_AUTO_TEST_CASE(halving_bilinear_weighs_with_a_triangle_of_twice_the_width) {
  // The first pixel's centre lies at 1, the inputs' at 0.5, 1.5, 2.5: weights 3/4, 3/4, 1/4 of a sum of 7/4.
  check_row(resize(row({7, 0, 0, 0}), 1, 2), {3, 0});
  check_row(resize(row({0, 7, 0, 0}), 1, 2), {3, 1});
  check_row(resize(row({0, 0, 7, 0}), 1, 2), {1, 3});
  check_row(resize(row({0, 0, 0, 7}), 1, 2), {0, 3});
}

BOOST_AUTO_TEST_CASE(halving_bicubic_weighs_with_keys_kernel_of_one_half) {
  // w(1/4) = 0.8671875 twice, w(3/4) = 0.2265625, w(5/4) = -0.0703125; their sum is 1.890625.
  const double sum = 1.890625;
  const double near = 0.8671875 / sum, middle = 0.2265625 / sum, far = -0.0703125 / sum;
  check_row(resize(row({1, 0, 0, 0}), 1, 2, Interpolation::bicubic), {near, far});
  check_row(resize(row({0, 0, 1, 0}), 1, 2, Interpolation::bicubic), {middle, near});
}

BOOST_AUTO_TEST_CASE(doubling_and_nearest) {
  check_row(resize(row({0, 4}), 1, 4), {0, 1, 3, 4});
  check_row(resize(row({10, 20, 30, 40}), 1, 2, Interpolation::nearest), {20, 40});
  check_row(resize(row({10, 20}), 1, 4, Interpolation::nearest), {10, 10, 20, 20});
  // 9 to 6: the centres lie at 0.75, 2.25, 3.75, 5.25, 6.75, 8.25; 3 to 2: at 0.75 and 2.25.
  check_row(resize(row({0, 1, 2, 3, 4, 5, 6, 7, 8}), 1, 6, Interpolation::nearest), {0, 2, 3, 5, 6, 8});
}

BOOST_AUTO_TEST_CASE(rows_columns_batch_and_layout) {
  // A plane that rises evenly keeps its middle: the resize of a product is the product of the resizes.
  const Tensor across = row({7, 0, 0, 0}), down = row({0, 0, 7, 0}).transpose(2, 3);
  const Tensor small = resize(across * down, 2, 2);
  check_row(small, {3, 0, 9, 0});

  torch::manual_seed(1);
  const Tensor images = torch::rand({3, 3, 17, 23});
  const Tensor expected = resize(images, 9, 11);
  BOOST_TEST(expected.sizes() == (at::IntArrayRef{3, 3, 9, 11}));
  const Tensor last = resize(images.contiguous(at::MemoryFormat::ChannelsLast), 9, 11);
  BOOST_TEST((last - expected).abs().max().item<float>() < 1e-6f);
  const Tensor turned = resize(images.transpose(2, 3).contiguous().transpose(2, 3), 9, 11);
  BOOST_TEST((turned - expected).abs().max().item<float>() < 1e-6f);
  for (int64_t n = 0; n < 3; ++n) {
    BOOST_TEST((resize(images.narrow(0, n, 1), 9, 11) - expected.narrow(0, n, 1)).abs().max().item<float>() <
               1e-6f);
  }
}

BOOST_AUTO_TEST_CASE(same_size_is_exact_and_types_stay) {
  const Tensor images = torch::rand({1, 3, 5, 6});
  BOOST_TEST(resize(images, 5, 6, Interpolation::bicubic).equal(images));
  for (const auto type : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16}) {
    const Tensor typed = torch::ones({1, 3, 8, 8}).to(type);
    const Tensor small = resize(typed, 4, 4);
    BOOST_TEST((small.scalar_type() == type));
    BOOST_TEST((small.to(at::kFloat) - 1).abs().max().item<float>() < 1e-2f);
  }
}

BOOST_AUTO_TEST_CASE(gradients_are_the_weights) {
  const Tensor image = row({1, 2, 3, 4}).set_requires_grad(true);
  resize(image, 1, 2).select(3, 0).sum().backward();
  check_row(image.grad(), {3. / 7, 3. / 7, 1. / 7, 0});

  const Tensor padded = row({1, 2, 3, 4}).set_requires_grad(true);
  center_crop(padded, 2).sum().backward();
  check_row(padded.grad(), {0, 1, 1, 0});
}

BOOST_AUTO_TEST_CASE(eight_bits_are_rounded_after_each_pass) {
  BOOST_TEST(has_eight_bits(torch::arange(256, torch::kFloat).div(255).view({1, 1, 16, 16})));
  BOOST_TEST(!has_eight_bits(row({0, 0.5, 1})));
  BOOST_TEST(!has_eight_bits(row({0, 1, 2})));
  BOOST_TEST(!has_eight_bits(row({-1 / 255.})));

  // Halving weighs 3/7, 3/7, 1/7: 1 becomes 0.43 and 2 becomes 0.86.
  const auto bytes = [](std::vector<double> values) { return row(std::move(values)).div(255); };
  const auto across = [&](std::vector<double> values) {
    return resize_eight_bits(bytes(std::move(values)), 1, 2).mul(255);
  };
  check_row(across({1, 0, 0, 0}), {0, 0});
  check_row(across({2, 0, 0, 7}), {1, 3});
  // Four equal rows of 0.43 would stay 0.43; rounded before they are averaged, nothing is left.
  const Tensor faint = bytes({1, 0, 0, 0}).expand({1, 1, 4, 4});
  check_row(resize_eight_bits(faint, 2, 2).mul(255), {0, 0, 0, 0});
  BOOST_TEST(resize(faint, 2, 2).max().item<double>() > 0.4 / 255);
  // A half goes up: doubling gives 0, 0.25, 0.75, 1 of the way, from 0 to 2.
  check_row(resize_eight_bits(bytes({0, 2}), 1, 4).mul(255), {0, 1, 2, 2});
  // Bicubic leaves the range; bytes do not.
  const Tensor edge = resize_eight_bits(bytes({0, 0, 255, 255}), 1, 8, Interpolation::bicubic);
  BOOST_TEST(edge.min().item<double>() == 0);
  BOOST_TEST(edge.max().item<double>() == 1);
}

BOOST_AUTO_TEST_CASE(eight_bits_have_the_gradient_of_resize) {
  const Tensor image = row({1, 0, 0, 1}).set_requires_grad(true);
  resize_eight_bits(image, 1, 2).select(3, 0).sum().backward();
  check_row(image.grad(), {3. / 7, 3. / 7, 1. / 7, 0});
}

BOOST_AUTO_TEST_CASE(short_side_rounds_the_long_side_down) {
  const auto sizes = [](int64_t height, int64_t width, int64_t side) {
    const auto size = short_side_size(torch::zeros({1, 1, height, width}), side);
    return std::vector<int64_t>(size.begin(), size.end());
  };
  BOOST_TEST(sizes(375, 500, 256) == (std::vector<int64_t>{256, 341}), boost::test_tools::per_element());
  BOOST_TEST(sizes(500, 375, 256) == (std::vector<int64_t>{341, 256}), boost::test_tools::per_element());
  BOOST_TEST(sizes(10, 10, 7) == (std::vector<int64_t>{7, 7}), boost::test_tools::per_element());
  BOOST_TEST(sizes(3, 10, 2) == (std::vector<int64_t>{2, 6}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(crop_offsets_round_halves_to_even) {
  const auto corner = [](int64_t side, int64_t size) {
    return center_crop(coordinates(side, side), size)[0][0][0][0].item<float>();
  };
  BOOST_TEST(corner(6, 4) == 101);                        // 1
  BOOST_TEST(corner(5, 4) == 0);                          // 0.5 → 0
  BOOST_TEST(corner(7, 4) == 202);                        // 1.5 → 2
  BOOST_TEST(corner(9, 4) == 202);                        // 2.5 → 2
  BOOST_TEST(corner(11, 4) == 404);                       // 3.5 → 4
  const Tensor crop = center_crop(coordinates(6, 9), 4);  // 1 down, 2.5 → 2 across
  BOOST_TEST(crop.sizes() == (at::IntArrayRef{1, 1, 4, 4}));
  BOOST_TEST(crop[0][0][0][0].item<float>() == 102);
  BOOST_TEST(crop[0][0][3][3].item<float>() == 405);
}

BOOST_AUTO_TEST_CASE(crop_of_a_smaller_image_pads_with_zeros) {
  // 2 rows short: one above, one below; 3 columns short: one on the left, two on the right.
  const Tensor crop = center_crop(coordinates(2, 1) + 1, 4);
  BOOST_TEST(crop.sizes() == (at::IntArrayRef{1, 1, 4, 4}));
  BOOST_TEST(crop[0][0][1][1].item<float>() == 1);
  BOOST_TEST(crop[0][0][2][1].item<float>() == 101);
  BOOST_TEST(crop.sum().item<float>() == 102);
  // Smaller one way, larger the other.
  const Tensor mixed = center_crop(coordinates(2, 8) + 1, 4);
  BOOST_TEST(mixed[0][0][1][0].item<float>() == 3);
  BOOST_TEST(mixed[0][0][0].abs().sum().item<float>() == 0);
}

BOOST_AUTO_TEST_CASE(refusals) {
  const Tensor images = torch::zeros({1, 3, 4, 4});
  BOOST_CHECK_EXCEPTION(resize(images, 0, 4), Error, says({"0×4"}));
  BOOST_CHECK_EXCEPTION(resize(images, 4, -1), Error, says({"4×-1"}));
  BOOST_CHECK_EXCEPTION(resize(images, 20'000, 20'000), Error, says({"20000×20000", "100 megapixels"}));
  BOOST_CHECK_THROW(resize(images, std::numeric_limits<int64_t>::max(), 2), Error);
  BOOST_CHECK_THROW(short_side_size(images, 0), Error);
  BOOST_CHECK_THROW(center_crop(images, 0), Error);
  BOOST_CHECK_EXCEPTION(resize(images[0], 2, 2), Error, says({"[3, 4, 4]", "N×C×H×W"}));
  BOOST_CHECK_THROW(resize(images.to(at::kByte), 2, 2), Error);
  BOOST_CHECK_THROW(resize(Tensor(), 2, 2), Error);
  BOOST_CHECK_THROW(center_crop(torch::zeros({0, 3, 4, 4}), 2), Error);
}

BOOST_AUTO_TEST_SUITE_END()
