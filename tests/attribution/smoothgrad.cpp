#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/input_x_gradient.hpp>
#include <pellucid/attribution/methods/integrated_gradients.hpp>
#include <pellucid/attribution/methods/smoothgrad.hpp>
#include <pellucid/attribution/methods/smoothgrad_squared.hpp>
#include <pellucid/attribution/methods/vargrad.hpp>

#include <cmath>
#include <fstream>
#include <limits>
#include <string>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;

namespace {

const auto relu = [](const Tensor& x) { return x.relu(); };
const auto square = [](const Tensor& x) { return x.square(); };

/// 1×1000 values from −0.5 to 0.5: with noise 0.5, σ is 0.5.
Images line() {
  return torch::linspace(-0.5, 0.5, 1000).unsqueeze(0);
}

auto smoothgrad(const auto& model, const Images& images, SmoothGrad options = {}) {
  return Attribution<SmoothGrad>(options)(model, images, Class{0});
}

double root_mean_square(const Tensor& x) {
  return x.to(torch::kDouble).square().mean().sqrt().item<double>();
}

/// The largest resident size of this process so far, in KiB; counting can begin anew.
class PeakMemory {
 public:
  PeakMemory() { std::ofstream("/proc/self/clear_refs") << "5"; }
  double kibibytes() const {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("VmHWM:")) return std::stod(line.substr(6));
    return 0;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(attribution_smoothgrad)

BOOST_AUTO_TEST_CASE(of_a_linear_function_it_is_the_weights) {
  const Tensor weights = torch::randn({2, 12});
  const Images x = test::some_images({3, 3, 2, 2});
  for (const bool antithetic : {false, true}) {
    const auto found = smoothgrad(test::linear(weights), x, {.samples = 21, .antithetic = antithetic});
    BOOST_TEST(difference(found.attribution, weights[0].view({1, 3, 2, 2}).expand_as(x)) < 1e-6);
    BOOST_TEST(test::largest(found.standard_error) < 1e-6);
    BOOST_TEST(found.samples == (std::vector<std::int64_t>{21, 21, 21}), boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(of_squares_it_is_twice_the_image) {
  // In pairs the noise cancels; without, 2x + 2ε̄ with the standard error 2σ/√n.
  const Images x = line();
  const auto model = test::sum_of(square, 50);
  const auto pairs = smoothgrad(model, x, {.samples = 10, .noise = 0.5});
  BOOST_TEST(difference(pairs.attribution, 2 * x) < 1e-6);
  BOOST_TEST(test::largest(pairs.standard_error) < 1e-6);
  const auto single = smoothgrad(model, x, {.samples = 2500, .noise = 0.5, .antithetic = false});
  BOOST_TEST(root_mean_square(single.attribution - 2 * x) == 2 * 0.5 / 50, boost::test_tools::tolerance(0.1));
  BOOST_TEST(single.standard_error.mean().item<double>() == 2 * 0.5 / 50, boost::test_tools::tolerance(0.01));
}

BOOST_AUTO_TEST_CASE(of_relu_it_is_the_normal_distribution_at_the_known_rate) {
  // E[x + ε > 0] = Φ(x/σ); the error of n independent samples has the size √(Φ(1 − Φ)/n).
  const Images x = line();
  const auto model = test::sum_of(relu, 50);
  const Tensor truth = test::normal_cdf(x / 0.5);
  const double spread = (truth * (1 - truth)).mean().sqrt().item<double>();
  const auto error = [&](std::int64_t samples) {
    const auto found = smoothgrad(model, x, {.samples = samples, .noise = 0.5, .antithetic = false});
    return root_mean_square(found.attribution - truth);
  };
  const double few = error(100), many = error(10'000);
  BOOST_TEST(few == spread / 10, boost::test_tools::tolerance(0.1));
  BOOST_TEST(many == spread / 100, boost::test_tools::tolerance(0.1));
  BOOST_TEST(few / many == 10.0, boost::test_tools::tolerance(0.1));
  BOOST_TEST_MESSAGE("error at n = 100: " << few << ", at n = 10000: " << many << ", ratio " << few / many);
}

BOOST_AUTO_TEST_CASE(antithetic_pairs_have_the_same_expectation_and_a_smaller_error) {
  const Images x = line();
  const Tensor truth = test::normal_cdf(x / 0.5);
  const auto found = smoothgrad(test::sum_of(relu, 50), x, {.samples = 1000, .noise = 0.5});
  const auto without =
      smoothgrad(test::sum_of(relu, 50), x, {.samples = 1000, .noise = 0.5, .antithetic = false});
  // A pair's mean is 1/2 unless both signs of ε fall on one side: variance (2Φ(|x|/σ) − 1)(2 − 2Φ(|x|/σ))/4.
  const Tensor inside = 2 * test::normal_cdf(x.abs() / 0.5) - 1;
  const double expected = (inside * (1 - inside) / 4 / 500).mean().sqrt().item<double>();
  BOOST_TEST(root_mean_square(found.attribution - truth) == expected, boost::test_tools::tolerance(0.1));
  BOOST_TEST(root_mean_square(found.standard_error) == expected, boost::test_tools::tolerance(0.02));
  BOOST_TEST(root_mean_square(without.attribution - truth) > 1.3 * expected);
}

BOOST_AUTO_TEST_CASE(the_standard_error_covers_the_truth) {
  // 1,000 values are 1,000 runs, independent of each other; ten seeds make 10,000.
  const auto coverage = [](test::Function f, const Images& x, const Tensor& truth, std::int64_t samples,
                           bool antithetic) {
    const auto model = test::sum_of(std::move(f), 50);
    double covered = 0;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      const auto found =
          smoothgrad(model, x, {.samples = samples, .noise = 0.5, .seed = seed, .antithetic = antithetic});
      const Tensor off = (found.attribution - truth).abs() / found.standard_error;
      covered += (off <= 1.96).to(torch::kDouble).mean().item<double>() / 10;
    }
    return covered;
  };
  for (const bool antithetic : {false, true}) {
    BOOST_TEST_CONTEXT("antithetic " << antithetic) {
      // relu, away from the places where its gradient hardly ever changes: x from σ/4 to 5σ/4, and two values
      // that make the range 1.
      const Images x =
          torch::cat({torch::linspace(0.125, 0.625, 998), torch::tensor({-0.2F, 0.8F})}).unsqueeze(0);
      const double of_relu = coverage(relu, x, test::normal_cdf(x / 0.5), 400, antithetic);
      BOOST_TEST(std::abs(of_relu - 0.95) < 0.02);
      // Σx³: E[3(x + ε)²] = 3x² + 3σ². With an odd number the last pair is a single.
      const double of_cubes = coverage([](const Tensor& t) { return t.pow(3); }, line(),
                                       3 * line().square() + 3 * 0.25, antithetic ? 401 : 201, antithetic);
      BOOST_TEST(std::abs(of_cubes - 0.95) < 0.02);
      // Σx²: 2x. (In pairs there is nothing left to cover.)
      if (!antithetic) BOOST_TEST(std::abs(coverage(square, line(), 2 * line(), 50, false) - 0.95) < 0.02);
      BOOST_TEST_MESSAGE("antithetic " << antithetic << ": relu " << of_relu << ", cubes " << of_cubes);
    }
  }
}

BOOST_AUTO_TEST_CASE(sigma_is_a_share_of_each_images_range) {
  // Σx³ without pairs of one sample: the attribution is 3(x + ε)², so ε = √(A/3) − x, and ε/σ is N(0, 1).
  const Images x = torch::stack({torch::linspace(100, 101, 5000), torch::linspace(50, 90, 5000)});
  const auto model = test::sum_of([](const Tensor& t) { return t.pow(3); });
  const auto found =
      smoothgrad(model, x.to(torch::kDouble), {.samples = 1, .noise = 0.1, .antithetic = false});
  const Tensor noise = (found.attribution / 3).sqrt() - x;
  BOOST_TEST(noise[0].std().item<double>() == 0.1, boost::test_tools::tolerance(0.04));
  BOOST_TEST(noise[1].std().item<double>() == 4.0, boost::test_tools::tolerance(0.04));
  BOOST_TEST(difference(noise[0], 0.1 * gaussian({5000}, {0, 0, 0})) < 1e-5);
  BOOST_TEST(difference(noise[1], 4.0 * gaussian({5000}, {0, 1, 0})) < 1e-4);
  BOOST_TEST(!found.standard_error.defined());
}

BOOST_AUTO_TEST_CASE(without_noise_it_is_the_gradient) {
  const Images x = test::some_images({2, 3, 8, 8});
  const Tensor plain = Attribution<Gradient>()(test::small_net(), x, Class{0}).attribution;
  BOOST_TEST(test::relative_difference(
                 smoothgrad(test::small_net(), x, {.samples = 3, .noise = 0}).attribution, plain) < 1e-6);
  const Images even = torch::full({2, 3, 8, 8}, 0.5F);  // no range, no noise
  const Tensor of_even = Attribution<Gradient>()(test::small_net(), even, Class{0}).attribution;
  BOOST_TEST(test::relative_difference(smoothgrad(test::small_net(), even, {.samples = 3}).attribution,
                                       of_even) < 1e-6);
}

BOOST_AUTO_TEST_CASE(it_is_the_same_for_every_micro_batch) {
  const Images x = test::some_images({3, 3, 12, 12});
  for (const bool antithetic : {false, true}) {
    const SmoothGrad options{.samples = 50, .antithetic = antithetic};
    const auto expected = smoothgrad(test::small_net(1), x, options);
    for (const std::int64_t micro_batch : {3, 7, 16, 50}) {
      const auto found = smoothgrad(test::small_net(micro_batch), x, options);
      BOOST_TEST(test::relative_difference(found.attribution, expected.attribution) < 1e-5);
      BOOST_TEST(test::relative_difference(found.standard_error, expected.standard_error) < 1e-4);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_noise_of_an_image_is_its_numbers) {
  const auto model = test::small_net();
  const Images x = test::some_images({3, 3, 8, 8});
  const Tensor all = smoothgrad(model, x, {.samples = 6}).attribution;
  // The first of a batch is what it is alone; the third is not, unless it keeps its number.
  BOOST_TEST(test::relative_difference(smoothgrad(model, x.narrow(0, 0, 1), {.samples = 6}).attribution[0],
                                       all[0]) < 1e-5);
  const Images third = x.narrow(0, 2, 1);
  BOOST_TEST(test::relative_difference(smoothgrad(model, third, {.samples = 6}).attribution[0], all[2]) >
             1e-3);
  Silent silent;
  const Subject<Class> numbered{third, Class{0}, {2}, Reporter<Silent>(silent)};
  BOOST_TEST(test::relative_difference(
                 Attribution<SmoothGrad>({.samples = 6})(model, numbered).attribution[0], all[2]) < 1e-5);
  // The same image at two places of a call gets two noises; another seed gives a third.
  const Tensor twice = smoothgrad(model, x.narrow(0, 0, 1).repeat({2, 1, 1, 1}), {.samples = 6}).attribution;
  BOOST_TEST(test::relative_difference(twice[1], twice[0]) > 1e-3);
  BOOST_TEST(test::relative_difference(smoothgrad(model, x, {.samples = 6, .seed = 1}).attribution, all) >
             1e-3);
}

BOOST_AUTO_TEST_CASE(a_mean_can_be_gone_on_with) {
  const auto model = test::small_net();
  const Images x = test::some_images({2, 3, 8, 8});
  for (const bool antithetic : {false, true}) {
    const auto of = [&](std::int64_t first, std::int64_t samples) {
      return smoothgrad(model, x, {.samples = samples, .antithetic = antithetic, .first = first}).attribution;
    };
    BOOST_TEST(test::relative_difference((6 * of(0, 6) + 4 * of(6, 4)) / 10, of(0, 10)) < 1e-5);
    BOOST_TEST(test::relative_difference(of(6, 6), of(0, 6)) > 1e-3);
  }
}

BOOST_AUTO_TEST_CASE(it_goes_on_until_the_error_is_small) {
  const Images x = line();
  const auto model = test::sum_of(relu, 7);
  for (const bool antithetic : {false, true}) {
    const auto found =
        smoothgrad(model, x, {.samples = 10, .noise = 0.5, .antithetic = antithetic, .until = 0.02});
    const double ratio = (found.standard_error.norm() / found.attribution.norm()).item<double>();
    BOOST_TEST(ratio < 0.02);
    BOOST_TEST(ratio > 0.018);  // and no further than it must
    BOOST_TEST(found.samples[0] > 100);
    // It is what so many samples give.
    const auto same =
        smoothgrad(model, x, {.samples = found.samples[0], .noise = 0.5, .antithetic = antithetic});
    BOOST_TEST(difference(same.attribution, found.attribution) < 1e-6);
  }
  const auto most = smoothgrad(model, x, {.samples = 10, .noise = 0.5, .until = 1e-6, .most_samples = 33});
  BOOST_TEST(most.samples[0] == 33);
}

BOOST_AUTO_TEST_CASE(smoothgrad_squared) {
  const Tensor weights = torch::randn({1, 1000});
  const Images x = line();
  const auto squared = [&](const auto& model, SmoothGradSquared options) {
    return Attribution<SmoothGradSquared>(options)(model, x, Class{0});
  };
  BOOST_TEST(difference(squared(test::linear(weights), {}).attribution, weights.square()) < 1e-5);
  // The square of relu's gradient is the gradient.
  const Tensor truth = test::normal_cdf(x / 0.5);
  const auto found = squared(test::sum_of(relu, 50), {.samples = 2500, .noise = 0.5, .antithetic = false});
  const double expected = (truth * (1 - truth) / 2500).mean().sqrt().item<double>();
  BOOST_TEST(root_mean_square(found.attribution - truth) == expected, boost::test_tools::tolerance(0.1));
}

BOOST_AUTO_TEST_CASE(vargrad) {
  const Tensor weights = torch::randn({1, 1000});
  const Images x = line();
  const auto variance = [&](const auto& model, VarGrad options) {
    return Attribution<VarGrad>(options)(model, x, Class{0});
  };
  const auto flat = variance(test::linear(weights), {});
  BOOST_TEST(test::largest(flat.attribution) < 1e-10);
  // Unbiased: the mean over many seeds of the variance of 3 samples is Φ(1 − Φ), not 2/3 of it.
  const Tensor truth = test::normal_cdf(x / 0.5) * (1 - test::normal_cdf(x / 0.5));
  Tensor sum = torch::zeros_like(truth);
  for (std::uint64_t seed = 0; seed < 400; ++seed)
    sum += variance(test::sum_of(relu), {.samples = 3, .noise = 0.5, .seed = seed}).attribution;
  BOOST_TEST((sum / 400).mean().item<double>() == truth.mean().item<double>(),
             boost::test_tools::tolerance(0.01));
  const auto many = variance(test::sum_of(relu, 50), {.samples = 2500, .noise = 0.5});
  BOOST_TEST(root_mean_square(many.attribution - truth) < 0.01);
  // Σx²: the variance of 2ε is 4σ².
  const auto squares = variance(test::sum_of(square, 50), {.samples = 1000, .noise = 0.5});
  BOOST_TEST(squares.attribution.mean().item<double>() == 1.0, boost::test_tools::tolerance(0.01));
}

BOOST_AUTO_TEST_CASE(vargrad_and_squares_are_the_same_for_every_micro_batch) {
  const Images x = test::some_images({2, 3, 12, 12});
  const auto both = [&](std::int64_t micro_batch) {
    return std::pair{
        Attribution<VarGrad>({.samples = 13})(test::small_net(micro_batch), x, Class{0}).attribution,
        Attribution<SmoothGradSquared>({.samples = 13})(test::small_net(micro_batch), x, Class{0})
            .attribution};
  };
  const auto [variance, squares] = both(1);
  for (const std::int64_t micro_batch : {3, 7, 50}) {
    const auto [other_variance, other_squares] = both(micro_batch);
    BOOST_TEST(test::relative_difference(other_variance, variance) < 1e-4);
    BOOST_TEST(test::relative_difference(other_squares, squares) < 1e-5);
  }
}

BOOST_AUTO_TEST_CASE(smoothed_integrated_gradients_is_the_loop_by_hand) {
  const auto model = test::small_net();
  const Images x = test::some_images({2, 3, 6, 6});
  const IntegratedGradients base{.steps = 4, .baseline = Baseline::mean()};
  const auto found = Attribution<Smoothed<IntegratedGradients>>(
      {.samples = 5, .noise = 0.2, .seed = 3, .antithetic = false, .base = base})(model, x, Class{1});
  Tensor sum = torch::zeros_like(x);
  for (std::int64_t sample = 0; sample < 5; ++sample) {
    Tensor noisy = x.clone();
    for (std::int64_t image = 0; image < 2; ++image) {
      const double range = (x[image].max() - x[image].min()).item<double>();
      noisy[image] += 0.2 * range * gaussian({3, 6, 6}, {3, image, sample});
    }
    sum += Attribution<IntegratedGradients>(base)(model, noisy, Class{1}).attribution;
  }
  BOOST_TEST(test::relative_difference(found.attribution, sum / 5) < 1e-5);
  BOOST_TEST((found.standard_error.sizes() == x.sizes()));
}

BOOST_AUTO_TEST_CASE(noise_within_noise_is_another) {
  // Σx², 2x: ∂/∂x = 2(x + ε + η), where ε and η are drawn by the two methods: the mean of n·m draws of 2η and
  // n of 2ε. Were η the same for every ε, its part of the error would not fall with n.
  const auto model = test::sum_of([](const Tensor& x) { return x.square(); });
  const Images x = torch::cat({torch::zeros({1, 1000}), torch::ones({1, 1})}, 1);  // σ = noise
  const Attribution<Smoothed<SmoothGrad>> nested({.samples = 400,
                                                  .noise = 1e-6,
                                                  .antithetic = false,
                                                  .base = {.samples = 1, .noise = 1, .antithetic = false}});
  const Tensor error = nested(model, x, Class{0}).attribution - 2 * x;
  // 2/√400 = 0.1; 1000 pixels give it to 2 or 3 %.
  BOOST_TEST(error.square().mean().sqrt().item<double>() == 0.1, boost::test_tools::tolerance(0.1));
}

BOOST_AUTO_TEST_CASE(options_are_checked_at_construction) {
  const double nan = std::numeric_limits<double>::quiet_NaN(),
               infinite = std::numeric_limits<double>::infinity();
  BOOST_CHECK_EXCEPTION(Attribution<SmoothGrad>({.samples = 0}), Error, says({"samples is 0", "at least 1"}));
  BOOST_CHECK_EXCEPTION(Attribution<SmoothGrad>({.samples = -3}), Error,
                        says({"samples is -3", "at least 1"}));
  BOOST_CHECK_EXCEPTION(Attribution<SmoothGrad>({.noise = -0.1}), Error,
                        says({"noise is -0.1", "0 or more"}));
  BOOST_CHECK_EXCEPTION(Attribution<SmoothGrad>({.noise = nan}), Error, says({"noise is nan"}));
  BOOST_CHECK_EXCEPTION(Attribution<SmoothGrad>({.noise = infinite}), Error, says({"noise is inf"}));
  BOOST_CHECK_EXCEPTION(Attribution<SmoothGrad>({.until = -1}), Error, says({"until is -1"}));
  BOOST_CHECK_EXCEPTION(Attribution<SmoothGrad>({.until = nan}), Error, says({"until is nan"}));
  BOOST_CHECK_EXCEPTION(Attribution<SmoothGrad>({.samples = 50, .until = 0.1, .most_samples = 20}), Error,
                        says({"most_samples is 20", "50 samples"}));
  BOOST_CHECK_EXCEPTION(Attribution<SmoothGrad>({.first = -2}), Error, says({"first is -2", "even"}));
  BOOST_CHECK_EXCEPTION(Attribution<SmoothGrad>({.first = 3}), Error, says({"first is 3", "even"}));
  BOOST_CHECK_EXCEPTION(Attribution<VarGrad>({.samples = 1}), Error,
                        says({"VarGrad", "samples is 1", "at least 2"}));
  BOOST_CHECK_EXCEPTION(Attribution<SmoothGradSquared>({.noise = -1}), Error, says({"noise is -1"}));
  BOOST_CHECK_EXCEPTION(Attribution<Smoothed<IntegratedGradients>>({.base = {.steps = 0}}), Error,
                        says({"steps is 0"}));
}

BOOST_AUTO_TEST_CASE(memory_does_not_grow_with_the_number_of_samples) {
  const auto model = test::small_net();
  const Images x = test::some_images({1, 3, 64, 64});
  smoothgrad(model, x, {.samples = 50});  // what LibTorch allocates once
  const auto peak = [&](std::int64_t samples) {
    const PeakMemory memory;
    smoothgrad(model, x, {.samples = samples});
    return memory.kibibytes();
  };
  const double few = peak(50), many = peak(1000);
  BOOST_TEST(few > 0);
  BOOST_TEST(many < 1.05 * few);
  BOOST_TEST_MESSAGE("peak memory at n = 50: " << few << " KiB, at n = 1000: " << many << " KiB");
}

BOOST_AUTO_TEST_SUITE_END()
