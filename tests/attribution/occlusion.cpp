#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/occlusion.hpp>
#include <pellucid/attribution/methods/smoothed.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include "attribution/quarters.hpp"
#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;
using test::square;

namespace {

/// The drops of a linear model with these weights, for an image of ones covered with black: a window's is the
/// sum of its weights.
Tensor of_weights(const Tensor& weights, std::int64_t window, std::int64_t stride) {
  const auto model = test::linear(weights.flatten().unsqueeze(0));
  return Attribution<Occlusion>({window, stride, Baseline::black()})(model, torch::ones_like(weights))
      .attribution;
}

Tensor count_to(std::int64_t last, std::vector<std::int64_t> shape) {
  return torch::arange(1, last + 1, torch::kFloat).view(shape);
}

/// How many questions a model is asked about an image.
std::int64_t questions(const Occlusion& options, std::vector<std::int64_t> shape) {
  std::int64_t asked = 0;
  const auto model = [&](const Tensor& x) {
    asked += x.size(0);
    return x.flatten(1);
  };
  Attribution<Occlusion>{options}(model, test::some_images(std::move(shape)), Class{0});
  return asked;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attribution_occlusion)

BOOST_AUTO_TEST_CASE(a_network_worked_by_hand) {
  // A black quarter has a₀ = 0 and a₁ = 3. S = 0 as it is; with the quarters black one after the other
  //   4 + (−9 + 1) = −4,  5 + (−6 + 3) = 2,  5 + (−6 + 1 + 6) = 6,  1 + (−6 + 1 + 12) = 8
  const auto found = Attribution<Occlusion>({.window = 2, .stride = 2, .baseline = Baseline::black()})(
      test::quarters(), test::quarters_image, Class{0});
  BOOST_TEST(difference(found.attribution, test::in_quarters(square(4, -2, -6, -8))) < 1e-5);
}

BOOST_AUTO_TEST_CASE(windows_that_overlap) {
  // Weights 1 to 9: windows of 2 drop 1 + 2 + 4 + 5 = 12, 16, 24 and 28; each pixel has the mean of its own.
  const Tensor expected =
      torch::tensor({12.0F, 14.0F, 16.0F, 18.0F, 20.0F, 22.0F, 24.0F, 26.0F, 28.0F}).view({1, 1, 3, 3});
  BOOST_TEST(difference(of_weights(count_to(9, {1, 1, 3, 3}), 2, 1), expected) < 1e-5);
}

BOOST_AUTO_TEST_CASE(windows_cut_off_at_the_edge) {
  // Stride 2: the second window of each direction has one pixel left. 12, 3 + 6, 7 + 8 and 9.
  const Tensor expected =
      torch::tensor({12.0F, 12.0F, 9.0F, 12.0F, 12.0F, 9.0F, 15.0F, 15.0F, 9.0F}).view({1, 1, 3, 3});
  BOOST_TEST(difference(of_weights(count_to(9, {1, 1, 3, 3}), 2, 2), expected) < 1e-5);
}

BOOST_AUTO_TEST_CASE(windows_that_overlap_and_are_cut_off) {
  // Of six values in windows of 3, at 0, 2 and 4: 1 + 2 + 3, 3 + 4 + 5 and 5 + 6.
  const std::vector<float> expected{6, 6, 9, 12, 11.5F, 11};
  BOOST_TEST(difference(of_weights(count_to(6, {1, 1, 6}), 3, 2), torch::tensor(expected).view({1, 1, 6})) <
             1e-5);
  // The same of N×K, and of an image of one row.
  BOOST_TEST(difference(of_weights(count_to(6, {1, 6}), 3, 2), torch::tensor(expected).view({1, 6})) < 1e-5);
  BOOST_TEST(difference(of_weights(count_to(6, {1, 1, 1, 6}), 3, 2),
                        torch::tensor(expected).view({1, 1, 1, 6})) < 1e-5);
}

BOOST_AUTO_TEST_CASE(channels_are_covered_together) {
  const Tensor weights = count_to(12, {1, 3, 2, 2});  // each pixel: w, w + 4 and w + 8
  BOOST_TEST(difference(of_weights(weights, 1, 1), square(15, 18, 21, 24)) < 1e-5);
}

BOOST_AUTO_TEST_CASE(what_covers_is_the_mean_colour_or_what_is_given) {
  // x = (1, 2; 3, 6), mean 3, weights (1, 1; 1, 2): a pixel's drop is w (x − b).
  const auto model = test::linear(torch::tensor({{1.0F, 1.0F, 1.0F, 2.0F}}));
  const Images x = square(1, 2, 3, 6);
  const auto found = [&](Occlusion options) {
    options.window = 1;
    return Attribution<Occlusion>{options}(model, x).attribution;
  };
  BOOST_TEST(difference(found({}), square(-2, -1, 0, 6)) < 1e-6);
  BOOST_TEST(difference(found({.baseline = Baseline::image(torch::ones({1, 1, 2, 2}))}),
                        square(0, 1, 2, 10)) < 1e-6);
}

BOOST_AUTO_TEST_CASE(a_loop_over_pixels_finds_the_same) {
  auto net = std::make_shared<test::SmallNet>();
  net->to(torch::kDouble);
  const Images x = test::some_images({2, 3, 8, 7}).to(torch::kDouble);
  const Tensor found =
      Attribution<Occlusion>({.window = 3, .stride = 2})(adapt(net), x, Class{{1, 4}}).attribution;
  const torch::NoGradGuard no_grad;
  for (std::int64_t n = 0; n < 2; ++n) {
    const Images image = x.narrow(0, n, 1);
    const auto score = [&](const Images& of) { return net->forward(of)[0][n == 0 ? 1 : 4].item<double>(); };
    for (const auto& [y, column] : {std::pair(0, 0), {2, 3}, {7, 6}, {4, 4}, {5, 6}}) {
      double sum = 0;
      int count = 0;
      for (int top = 0; top < 8; top += 2)         // 6 and 7 are the last rows: the last window is of two
        for (int left = 0; left < 6; left += 2) {  // 4 to 6 are the last columns
          if (y < top || y >= top + 3 || column < left || column >= left + 3) continue;
          Images covered = image.clone();
          for (int c = 0; c < 3; ++c)
            for (int i = top; i < std::min(top + 3, 8); ++i)
              for (int j = left; j < std::min(left + 3, 7); ++j)
                covered[0][c][i][j] = image[0][c].mean().item<double>();
          sum += score(image) - score(covered);
          ++count;
        }
      BOOST_TEST(found[n][0][y][column].item<double>() == sum / count, boost::test_tools::tolerance(1e-9));
    }
  }
}

BOOST_AUTO_TEST_CASE(left_out_the_window_is_an_eighth_and_moves_by_half) {
  // 64×48: windows of 6, every 3 pixels: (48 − 6)/3 + 1 = 15 across; of 64 rows 58 are left behind the first
  // window, 20 steps: 21. And the image as it is.
  BOOST_TEST(questions({}, {1, 3, 64, 48}) == 15 * 21 + 1);
  BOOST_TEST(questions({}, {2, 1, 5, 5}) == 2 * (25 + 1));  // one pixel at least
  BOOST_TEST(questions({.window = 4}, {1, 1, 8, 8}) == 3 * 3 + 1);
}

BOOST_AUTO_TEST_CASE(each_image_of_a_batch_by_itself) {
  const Images x = test::some_images({3, 3, 9, 10});
  const Occlusion options{.window = 4, .stride = 3};
  std::vector<Tensor> alone;
  for (std::int64_t n = 0; n < 3; ++n)
    alone.push_back(
        Attribution<Occlusion>{options}(test::small_net(1), x.narrow(0, n, 1), Class{n}).attribution);
  for (const std::int64_t micro_batch : {1, 3, 8}) {
    const auto found = Attribution<Occlusion>{options}(test::small_net(micro_batch), x, Class{{0, 1, 2}});
    BOOST_TEST(difference(found.attribution, torch::cat(alone)) < 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(within_another_method) {
  const auto found = Attribution<Smoothed<Occlusion>>({.samples = 2, .noise = 0, .base = {.window = 1}})(
      test::linear(torch::ones({1, 4})), square(1, 2, 3, 6));
  BOOST_TEST(difference(found.attribution, square(-2, -1, 0, 3)) < 1e-5);
}

BOOST_AUTO_TEST_CASE(windows_that_cannot_be) {
  BOOST_CHECK_EXCEPTION(Attribution<Occlusion>({.window = -1}), Error, says({"window -1", "give pixels"}));
  BOOST_CHECK_EXCEPTION(Attribution<Occlusion>({.stride = -3}), Error, says({"stride -3"}));
  BOOST_CHECK_EXCEPTION(Attribution<Occlusion>({.window = 4, .stride = 5}), Error,
                        says({"stride of 5", "window of 4", "at most 4"}));
  const auto model = test::sum_of([](const Tensor& x) { return x; });
  BOOST_CHECK_EXCEPTION(Attribution<Occlusion>({.window = 9})(model, test::some_images({1, 3, 8, 9})), Error,
                        says({"window of 9", "[1, 3, 8, 9]", "less than 9"}));
  BOOST_CHECK_EXCEPTION(Attribution<Occlusion>({.stride = 4})(model, test::some_images({1, 3, 16, 16})),
                        Error, says({"stride of 4", "window of 2"}));
}

BOOST_AUTO_TEST_SUITE_END()
