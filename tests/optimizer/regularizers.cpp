// Each part alone and all together, on a network whose gradient is known: S = w · x, worked out by hand.
#include <boost/test/unit_test.hpp>

#include <pellucid/optimizer/ascent.hpp>
#include <pellucid/optimizer/optimizer.hpp>
#include <pellucid/optimizer/regularizers/alpha_norm.hpp>
#include <pellucid/optimizer/regularizers/blur.hpp>
#include <pellucid/optimizer/regularizers/clip_contribution.hpp>
#include <pellucid/optimizer/regularizers/clip_norm.hpp>
#include <pellucid/optimizer/regularizers/jitter.hpp>
#include <pellucid/optimizer/regularizers/l2.hpp>
#include <pellucid/optimizer/regularizers/random_contrast.hpp>
#include <pellucid/optimizer/regularizers/random_rotation.hpp>
#include <pellucid/optimizer/regularizers/random_scale.hpp>
#include <pellucid/optimizer/regularizers/total_variation.hpp>

#include <cmath>
#include <numbers>
#include <set>

#include "finite_differences.hpp"
#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;

namespace {

// Images of 4 pixels in a row. The mean image is 0.5 everywhere; what follows is told with it taken off.
Images row(std::vector<double> centered) {
  return torch::tensor(centered, torch::kFloat).view({1, 1, 1, -1}) + 0.5;
}

// S = x₀ − 2x₁ + 3x₃
const auto model = test::linear(torch::tensor({{1.0F, -2.0F, 0.0F, 3.0F}}));
// S = 0 · x: steps go nowhere, and only the regularizer moves the image.
const auto still = test::linear(torch::zeros({1, 4}));

template <class Parts>
Images after(std::int64_t steps, Parts parts, const Images& start, const decltype(model)& network = model) {
  return Optimizer<Ascent, Parts>({.steps = steps, .learning_rate = 0.1}, parts)(network, start, Class{0});
}

// After a step of 0.1 · w: (0.4, 0, 0, 0.2).
const Images start = row({0.3, 0.2, 0, -0.1});

}  // namespace

BOOST_AUTO_TEST_SUITE(optimizer_regularizers)

BOOST_AUTO_TEST_CASE(without_parts_it_is_plain_ascent) {
  BOOST_TEST(difference(after(1, Regularizer<>(), start), row({0.4, 0, 0, 0.2})) < 1e-6);
  BOOST_TEST(difference(after(2, Regularizer<>(), start), row({0.5, -0.2, 0, 0.5})) < 1e-6);
}

BOOST_AUTO_TEST_CASE(decay_takes_its_share_after_each_step) {
  BOOST_TEST(difference(after(1, Regularizer<L2>({.decay = 0.5}), start), row({0.2, 0, 0, 0.1})) < 1e-6);
  // (0.2 + 0.1, −0.2, 0, 0.1 + 0.3) / 2
  BOOST_TEST(difference(after(2, Regularizer<L2>({.decay = 0.5}), start), row({0.15, -0.1, 0, 0.2})) < 1e-6);
}

BOOST_AUTO_TEST_CASE(clip_norm_and_its_percentile_between_pixels) {
  // Norms 0, 0, 0.2, 0.4. The 50th percentile lies in the middle between the second and the third, 0.1; the
  // 75th a quarter of the way from the third to the fourth, 0.25; the 60th at 0.16; the 100th is 0.4 itself.
  const auto clipped = [](double percentile) {
    return after(1, Regularizer<ClipNorm>({.percentile = percentile}), start);
  };
  BOOST_TEST(difference(clipped(50), row({0.4, 0, 0, 0.2})) < 1e-6);
  BOOST_TEST(difference(clipped(60), row({0.4, 0, 0, 0.2})) < 1e-6);
  BOOST_TEST(difference(clipped(75), row({0.4, 0, 0, 0})) < 1e-6);
  BOOST_TEST(difference(clipped(100), row({0.4, 0, 0, 0})) < 1e-6);
}

BOOST_AUTO_TEST_CASE(the_norm_is_over_channels) {
  // Two channels: pixel norms 5 and 4; neither channel alone would say so.
  const Tensor x = torch::tensor({{{{0.03F, 0.0F}}, {{0.04F, 0.04F}}}});
  const Tensor clipped = ClipNorm{.percentile = 80}.after(x, {});
  BOOST_TEST(difference(clipped, torch::tensor({{{{0.03F, 0.0F}}, {{0.04F, 0.0F}}}})) == 0);
}

BOOST_AUTO_TEST_CASE(clip_contribution_weighs_the_new_image_with_the_old_gradient) {
  // |x · w| = 0.4, 0, 0, 0.6: here the fourth pixel counts most. 75th percentile: 0.45.
  BOOST_TEST(difference(after(1, Regularizer<ClipContribution>({.percentile = 75}), start),
                        row({0, 0, 0, 0.2})) < 1e-6);
  // The channels of a pixel are summed before the magnitude is taken: 1·2 − 2·1 = 0.
  const Tensor x = torch::tensor({{{{1.0F, 0.1F}}, {{-2.0F, 0.1F}}}}),
               g = torch::tensor({{{{2.0F, 1.0F}}, {{1.0F, 1.0F}}}});
  const Tensor clipped = ClipContribution{.percentile = 60}.after(x, {.gradient = g});
  BOOST_TEST(difference(clipped, torch::tensor({{{{0.0F, 0.1F}}, {{0.0F, 0.1F}}}})) == 0);
}

BOOST_AUTO_TEST_CASE(blur_at_each_kth_step) {
  // A Gaussian of width 0.5 cut at 2 pixels: e^−2d² for d = 0, 1, 2.
  const double near = std::exp(-2), far = std::exp(-8), sum = 1 + 2 * near + 2 * far;
  const Images spot = row({0, 0, 0.4, 0, 0, 0});
  const auto network = test::linear(torch::zeros({1, 6}));
  const Regularizer<Blur> blur({.width = 0.5, .every = 2});
  const Images once =
      row({0.4 * far / sum, 0.4 * near / sum, 0.4 / sum, 0.4 * near / sum, 0.4 * far / sum, 0});
  BOOST_TEST(difference(after(1, blur, spot, network), spot) < 1e-6);
  BOOST_TEST(difference(after(2, blur, spot, network), once) < 1e-6);
  BOOST_TEST(difference(after(3, blur, spot, network), once) < 1e-6);
  BOOST_TEST(difference(after(4, blur, spot, network), once) > 0.01);
}

BOOST_AUTO_TEST_CASE(all_together_in_yosinskis_order) {
  // Step: (0.4, 0, 0, 0.2). Decay by half: (0.2, 0, 0, 0.1). No blur at step 1. Norms 0, 0, 0.1, 0.2, whose
  // 60th percentile is 0.08: all stay. Contributions |x · w| = 0.2, 0, 0, 0.3, whose 75th percentile is
  // 0.225.
  using Four = Regularizer<L2, Blur, ClipNorm, ClipContribution>;
  BOOST_TEST(difference(after(1, Four({0.5}, {0.5, 2}, {60}, {75}), start), row({0, 0, 0, 0.1})) < 1e-6);
  // With the 75th percentile of the norms, 0.125, the first pixel alone stays; then of the contributions 0.2,
  // 0, 0, 0.
  BOOST_TEST(difference(after(1, Four({0.5}, {0.5, 2}, {75}, {75}), start), row({0.2, 0, 0, 0})) < 1e-6);
}

BOOST_AUTO_TEST_CASE(the_order_of_the_parts_is_that_of_the_pack) {
  // A clip behind the blur leaves pixels at the mean; a blur behind the clip leaves none beside the spot.
  const Images spot = row({0, 0.1, 0.4, 0});
  const Images clipped_last =
      after(1, Regularizer<Blur, ClipNorm>({.width = 0.5, .every = 1}, {.percentile = 70}), spot, still);
  const Images blurred_last =
      after(1, Regularizer<ClipNorm, Blur>({.percentile = 70}, {.width = 0.5, .every = 1}), spot, still);
  BOOST_TEST(((clipped_last - 0.5).abs() < 1e-6).sum().item<std::int64_t>() == 3);
  BOOST_TEST(((blurred_last - 0.5).abs() < 1e-6).sum().item<std::int64_t>() == 0);
}

BOOST_AUTO_TEST_CASE(parts_of_strength_zero_change_nothing) {
  const Images plain = after(3, Regularizer<>(), start);
  using All = Regularizer<L2, Blur, ClipNorm, ClipContribution, AlphaNorm, TotalVariation, Jitter,
                          RandomScale, RandomRotation, RandomContrast>;
  const All none({.decay = 0}, {.width = 0, .every = 1}, {.percentile = 0}, {.percentile = 0},
                 {.weight = 0.0}, {.weight = 0.0}, {.pixels = 0}, {.least = 1, .most = 1}, {.degrees = 0},
                 {.least = 1, .most = 1});
  BOOST_TEST(difference(after(3, none, start), plain) == 0);
}

BOOST_AUTO_TEST_CASE(penalties_by_hand) {
  const Tensor x = torch::tensor({{{{1.0, 2.0}, {4.0, 8.0}}}}, torch::kDouble);
  // Differences across and down: (1, 3), (0, 6), (4, 0), (0, 0).
  BOOST_TEST((TotalVariation{.weight = 1.0}.penalty(x).item<double>()) == 62);
  BOOST_TEST(
      (TotalVariation{.beta = 1, .weight = 2.0}.penalty(x).item<double>()) == 2 * (std::sqrt(10) + 6 + 4),
      boost::test_tools::tolerance(1e-6));
  BOOST_TEST((AlphaNorm{.weight = 1.0}.penalty(x).item<double>()) == 1 + 64 + 4096 + 262144);
  BOOST_TEST((AlphaNorm{.alpha = 1, .weight = 0.5}.penalty(-x).item<double>()) == 7.5);
}

BOOST_AUTO_TEST_CASE(gradients_of_penalties_agree_with_finite_differences) {
  const Tensor x =
      torch::rand({2, 3, 5, 4}, at::make_generator<at::CPUGeneratorImpl>(1), torch::kDouble) - 0.5;
  const auto check = [&](const auto& part) {
    const Tensor leaf = x.clone().set_requires_grad(true);
    const Tensor gradient = torch::autograd::grad({part.penalty(leaf).sum()}, {leaf})[0];
    const auto sum = [&](const Tensor& at) { return part.penalty(at).sum(); };
    BOOST_TEST(difference(gradient, test::finite_differences(sum, x)) < 1e-7);
  };
  check(AlphaNorm{.weight = 3.0});
  check(AlphaNorm{.alpha = 2.5, .weight = 3.0});
  check(TotalVariation{.weight = 2.0});
  check(TotalVariation{.beta = 1.5, .weight = 2.0});
}

BOOST_AUTO_TEST_CASE(a_penalty_takes_off_the_gradient) {
  // One step: 0.1 · (w − 2 · 0.5 · x), x the centred start.
  BOOST_TEST(difference(after(1, Regularizer<AlphaNorm>({.alpha = 2, .weight = 0.5}), start),
                        row({0.4 - 0.03, 0 - 0.02, 0, 0.2 + 0.01})) < 1e-6);
}

BOOST_AUTO_TEST_CASE(published_weights_are_taken_where_none_is_given) {
  using Both = Regularizer<AlphaNorm, TotalVariation>;
  const auto weights = [](const Both& parts, double depth, std::int64_t values) {
    const Both fitted = parts.fitted({depth, values});
    return std::pair(*std::get<0>(fitted.parts()).weight, *std::get<1>(fitted.parts()).weight);
  };
  constexpr std::int64_t published = 227 * 227 * 3;
  BOOST_TEST(weights(Both(), 0.2, published).first == 2.16e8);
  BOOST_TEST(weights(Both(), 0.2, published).second == 0.5);
  BOOST_TEST(weights(Both(), 0.5, published).second == 5);
  BOOST_TEST(weights(Both(), 1.0, published).second == 50);
  // An image of twice the values of norm 1 has values smaller by √2, whose sixth powers are smaller by 8: 2 ·
  // 1/8.
  BOOST_TEST(weights(Both(), 0.2, 2 * published).first == 4 * 2.16e8, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(weights(Both({.weight = 7.0}, {.weight = 8.0}), 0.2, published).first == 7);
  BOOST_TEST(weights(Both({.weight = 7.0}, {.weight = 8.0}), 0.2, published).second == 8);
  BOOST_CHECK_EXCEPTION(after(1, Both(), start), Error, says({"AlphaNorm", "no weight", "Inversion"}));
}

BOOST_AUTO_TEST_CASE(jitter_shifts_by_whole_pixels) {
  const Images ramp = torch::arange(20, torch::kFloat).view({1, 1, 1, 20}).expand({1, 1, 20, 20}) / 20;
  std::set<std::int64_t> shifts;
  for (std::int64_t number = 1; number <= 60; ++number) {
    const Images shown = Jitter{.pixels = 2}.shown(ramp, {.number = number});
    const Tensor shift = ((shown - ramp) * 20).slice(3, 4, 16);
    BOOST_TEST(difference(shift, shift[0][0][0][0].expand_as(shift)) < 1e-5);
    shifts.insert(std::llround(shift[0][0][0][0].item<double>()));
  }
  BOOST_TEST(shifts == (std::set<std::int64_t>{-2, -1, 0, 1, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(turning_and_sizing_about_the_middle) {
  const Images image = test::some_images({1, 3, 8, 8});
  const auto turned = [&](double scale, double angle) {
    return pellucid::detail::turned(image, scale, angle);
  };
  BOOST_TEST(difference(turned(1, 0), image) < 1e-5);
  // A quarter turn anticlockwise is rot90.
  BOOST_TEST(difference(turned(1, std::numbers::pi / 2), torch::rot90(image, 1, {2, 3})) < 1e-5);
  // At twice the size a pixel boundary stays in the middle: the colour there is that of its four neighbours
  // mixed.
  const Images ramp = torch::arange(8, torch::kFloat).view({1, 1, 1, 8}).expand({1, 1, 8, 8});
  const Images twice = pellucid::detail::turned(ramp, 2, 0);
  BOOST_TEST(difference(twice[0][0][0], 3.5 + (torch::arange(8, torch::kFloat) - 3.5) / 2) < 1e-5);
  // A rectangle keeps its angles: a horizontal ramp turned by a quarter rises upwards, one step a pixel.
  const Images wide = torch::arange(16, torch::kFloat).view({1, 1, 1, 16}).expand({1, 1, 8, 16});
  const Images up = pellucid::detail::turned(wide, 1, std::numbers::pi / 2);
  BOOST_TEST(difference(up[0][0].select(1, 5), 7.5 - (torch::arange(8, torch::kFloat) - 3.5)) < 1e-4);
}

BOOST_AUTO_TEST_CASE(contrast_is_lowered_about_grey) {
  const Images image = torch::tensor({0.0F, 0.5F, 1.0F}).view({1, 1, 1, 3});
  std::set<double> shares;
  for (std::int64_t number = 1; number <= 200; ++number) {
    const Images shown = RandomContrast{.least = 0.2, .most = 0.6}.shown(image, {.number = number});
    const double share = 1 - 2 * shown[0][0][0][0].item<double>();
    BOOST_TEST(difference(shown, 0.5 + (image - 0.5) * share) < 1e-6);
    shares.insert(share);
  }
  // Of 200 draws from [0.2, 0.6] the ends are nearer than 0.02 to some with odds of 30,000 to 1.
  BOOST_TEST(*shares.begin() >= 0.2 - 1e-6);
  BOOST_TEST(*shares.begin() < 0.22);
  BOOST_TEST(*shares.rbegin() <= 0.6 + 1e-6);
  BOOST_TEST(*shares.rbegin() > 0.58);
}

BOOST_AUTO_TEST_CASE(what_is_drawn_depends_on_seed_part_and_step) {
  const Images image = test::some_images({2, 3, 16, 16});
  using Two = Regularizer<RandomScale, RandomRotation, Jitter>;
  const auto shown = [&](std::uint64_t seed, std::int64_t number) {
    return Two().shown(image, {.number = number, .seed = seed});
  };
  BOOST_TEST(difference(shown(1, 1), shown(1, 1)) == 0);
  BOOST_TEST(difference(shown(1, 1), shown(2, 1)) > 0.01);
  BOOST_TEST(difference(shown(1, 1), shown(1, 2)) > 0.01);
}

namespace {
/// A part of somebody's own: the left half is kept at the mean.
struct LeftIsGrey {
  Tensor after(const Tensor& centered, const Step&) const {
    Tensor result = centered.clone();
    result.slice(3, 0, centered.size(3) / 2).zero_();
    return result;
  }
};
}  // namespace

BOOST_AUTO_TEST_CASE(a_part_of_ones_own_fits_in) {
  BOOST_TEST(difference(after(1, Regularizer<L2, LeftIsGrey>({.decay = 0.5}, {}), start),
                        row({0, 0, 0, 0.1})) < 1e-6);
}

BOOST_AUTO_TEST_CASE(refusals_come_at_construction) {
  BOOST_CHECK_EXCEPTION(Regularizer<L2>({.decay = 2}), Error, says({"L2", "2.0", "0 to 1"}));
  BOOST_CHECK_EXCEPTION(Regularizer<Blur>({.width = -1}), Error, says({"Blur", "-1", "0 or more"}));
  BOOST_CHECK_EXCEPTION(Regularizer<Blur>({.every = 0}), Error, says({"every 0 steps", "1 or more"}));
  BOOST_CHECK_EXCEPTION(Regularizer<ClipNorm>({.percentile = 101}), Error, says({"ClipNorm", "101", "100"}));
  BOOST_CHECK_EXCEPTION(Regularizer<ClipContribution>({.percentile = NAN}), Error,
                        says({"ClipContribution", "nan"}));
  BOOST_CHECK_EXCEPTION(Regularizer<AlphaNorm>({.alpha = 0}), Error, says({"alpha", "6 is usual"}));
  BOOST_CHECK_EXCEPTION(Regularizer<TotalVariation>({.weight = -1.0}), Error, says({"weight", "0 or more"}));
  BOOST_CHECK_EXCEPTION(Regularizer<Jitter>({.pixels = -1}), Error, says({"-1 pixels"}));
  BOOST_CHECK_EXCEPTION(Regularizer<RandomScale>({.least = 0}), Error, says({"above 0"}));
  BOOST_CHECK_EXCEPTION(Regularizer<RandomContrast>({.most = 1.5}), Error,
                        says({"RandomContrast", "1.5", "up to 1"}));
  BOOST_CHECK_EXCEPTION(Regularizer<RandomRotation>({.degrees = 200}), Error, says({"0 to 180"}));
}

BOOST_AUTO_TEST_SUITE_END()
