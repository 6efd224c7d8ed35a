#include <boost/test/unit_test.hpp>

#include <pellucid/attack/methods/fgsm.hpp>
#include <pellucid/attack/methods/ifgsm.hpp>
#include <pellucid/attack/methods/pgd.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;

namespace {

Tensor row(std::vector<float> values) {
  return torch::tensor(values).unsqueeze(0);
}

/// Two classes: S₀ = w·x, S₁ = 0. The steepest way away from class 0 is −sign(w) in L∞ and −w/‖w‖ in L2.
auto linear(std::vector<float> w, std::int64_t micro_batch = 8) {
  return test::linear(torch::stack({torch::tensor(w), torch::zeros({std::int64_t(w.size())})}), micro_batch);
}

/// Scores with a ReLU that is off: nothing of the gradient reaches the images.
auto off() {
  return test::model_of([](const Tensor& t) {
    const Tensor s = torch::relu(t.flatten(1).sum(1, true) - 1e9F);
    return torch::cat({s, torch::zeros_like(s)}, 1);
  });
}

/// Images of n values 1/2 each, where a random start left them: change from the middle as a share of ε = 1/4.
Tensor starts(std::int64_t images, std::int64_t n, Norm norm, std::uint64_t seed = 0) {
  const Images middle = torch::full({images, n}, 0.5F);
  const PGD options{.epsilon = 0.25, .steps = 1, .norm = norm, .seed = seed};
  return (Attack<PGD>(options)(off(), middle, Class{0}).images - middle).to(torch::kDouble) * 4;
}

double average_of(const Tensor& values) {
  return values.to(torch::kDouble).mean().item<double>();
}

/// ‖a − b‖₂ of each image, in double precision, and the largest of them.
double farthest(const Images& a, const Images& b) {
  return (a.to(torch::kDouble) - b.to(torch::kDouble)).flatten(1).norm(2, 1).max().item<double>();
}

/// One value in [0, 1] with two ways downhill from 0.6: S₁ = 0, and S₀ = start − slope · |x − 0.6|, with
/// another slope on either side.
auto ridge(float start, float left, float right) {
  return test::model_of([=](const Tensor& t) {
    const Tensor far = t - 0.6F;
    const Tensor s = start - torch::where(far < 0, -far * left, far * right);
    return torch::cat({s, torch::zeros_like(s)}, 1);
  });
}

/// Where the restarts of 40 images, all of one value 1/2, begin in a ball of 0.4. Their seed is mixed, so
/// that at seed 0, which SmoothGrad has, too, they are not its noise.
std::vector<std::vector<double>> starts_on_the_ridge(std::int64_t restarts, std::uint64_t seed) {
  std::vector<std::vector<double>> all;
  for (std::int64_t image = 0; image < 40; ++image) {
    all.emplace_back();
    for (std::int64_t k = 0; k < restarts; ++k)
      all.back().push_back(0.5 +
                           0.4 * (2 * uniform_noise({1}, {mixed(seed), image, k})[0].item<double>() - 1));
  }
  return all;
}

const Images on_the_ridge = torch::full({40, 1}, 0.5F);

}  // namespace

BOOST_AUTO_TEST_SUITE(attack_pgd)

BOOST_AUTO_TEST_CASE(the_corner_of_a_linear_model_from_any_start) {
  const auto model = linear({1, -2, 0, 3});
  const Images x = row({0.5F, 0.5F, 0.5F, 0.25F});
  for (const std::uint64_t seed : {0, 1, 2}) {
    const auto found = Attack<PGD>({.epsilon = 0.125, .seed = seed})(model, x, Class{0});
    BOOST_TEST(difference(found.images.index({torch::indexing::Slice(), torch::tensor({0, 1, 3})}),
                          row({0.375F, 0.625F, 0.125F})) == 0);
    // Where the gradient is zero, sign(0) = 0 leaves the start.
    const double untouched = found.images[0][2].item<double>() - 0.5;
    BOOST_TEST(std::abs(untouched) <= 0.125);
    BOOST_TEST(untouched != 0);
    const auto target = Attack<PGD>({.epsilon = 0.125, .seed = seed, .target = 0})(model, x, Class{1});
    BOOST_TEST(difference(target.images.index({torch::indexing::Slice(), torch::tensor({0, 1, 3})}),
                          row({0.625F, 0.375F, 0.375F})) == 0);
  }
  const auto clamped = Attack<PGD>({.epsilon = 0.5, .random_start = false})(model, x, Class{0});
  BOOST_TEST(difference(clamped.images, row({0.0F, 1.0F, 0.5F, 0.0F})) == 0);
}

BOOST_AUTO_TEST_CASE(the_shortest_way_of_a_linear_model_in_l2) {
  // w = (3, 4): a change of 1/4 against it is −(0.15, 0.2).
  const auto model = linear({3, 4});
  const Images x = row({0.5F, 0.5F});
  const PGD once{.epsilon = 0.25, .step_size = 1, .steps = 1, .norm = Norm::two, .random_start = false};
  BOOST_TEST(difference(Attack<PGD>(once)(model, x, Class{0}).images, row({0.35F, 0.3F})) < 1e-7);
  BOOST_TEST(difference(Attack<PGD>(once)(model, x, Class{1}).images, row({0.65F, 0.7F})) < 1e-7);
  PGD towards = once;
  towards.target = 0;
  BOOST_TEST(difference(Attack<PGD>(towards)(model, x, Class{1}).images, row({0.65F, 0.7F})) < 1e-7);
  // A step that ends in the ball ends where it ends: 0.125 of (0.6, 0.8).
  PGD inside = once;
  inside.step_size = 0.125;
  BOOST_TEST(difference(Attack<PGD>(inside)(model, x, Class{0}).images, row({0.425F, 0.4F})) < 1e-7);
  // From a random start: a step of ε and the way back to the ball take at least half of what lies across.
  const PGD from_anywhere{.epsilon = 0.25, .step_size = 0.25, .norm = Norm::two};
  BOOST_TEST(difference(Attack<PGD>(from_anywhere)(model, x, Class{0}).images, row({0.35F, 0.3F})) < 1e-6);
  // Into the ball first, then into [0, 1]: (0.1, 0.5) − (0.15, 0.2).
  BOOST_TEST(difference(Attack<PGD>(once)(model, row({0.1F, 0.5F}), Class{0}).images, row({0.0F, 0.3F})) <
             1e-7);
  BOOST_TEST(difference(Attack<PGD>(once)(model, row({0.9F, 0.9F}), Class{1}).images, row({1.0F, 1.0F})) <
             1e-7);
}

BOOST_AUTO_TEST_CASE(each_image_has_its_own_ball_and_its_own_gradient) {
  // S₀ = 3x + 4y, weighed by the image's third value; 1e−30 is a gradient whose squares vanish in a float.
  const auto model = test::model_of([](const Tensor& t) {
    const Tensor s = (3 * t.select(1, 0) + 4 * t.select(1, 1)) * t.select(1, 2).detach();
    return torch::stack({s, torch::zeros_like(s)}, 1);
  });
  const Images x = torch::tensor({{0.5F, 0.5F, 1.0F}, {0.5F, 0.5F, 1e-30F}, {0.5F, 0.75F, 0.0F}});
  const PGD once{.epsilon = 0.25, .steps = 1, .norm = Norm::two, .random_start = false};
  const auto found = Attack<PGD>(once)(model, x, Class{0});
  BOOST_TEST(difference(found.images,
                        torch::tensor({{0.35F, 0.3F, 1.0F}, {0.35F, 0.3F, 1e-30F}, {0.5F, 0.75F, 0.0F}})) <
             1e-7);
  BOOST_TEST(found.unmoved == std::vector<std::int64_t>{2}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(starts_are_evenly_spread_over_the_ball) {
  // In the cube each coordinate is even over ±1: mean 0, square 1/3 (its variance 4/45), a quarter beyond
  // 1/2. In the ball of n dimensions the square of a coordinate is 1/(n + 2) and rⁿ is even over [0, 1]: mean
  // 1/2, square 1/3. Bounds: four standard errors.
  const Tensor cube = starts(2000, 4, Norm::infinity);
  BOOST_TEST(test::largest(cube) <= 1);
  BOOST_TEST(std::abs(average_of(cube)) < 4 * std::sqrt(1.0 / 3 / 8000));
  BOOST_TEST(std::abs(average_of(cube.square()) - 1.0 / 3) < 4 * std::sqrt(4.0 / 45 / 8000));
  BOOST_TEST(std::abs(average_of(cube > 0.5) - 0.25) < 4 * std::sqrt(0.25 * 0.75 / 8000));
  for (const std::int64_t n : {1, 3, 8}) {
    const Tensor ball = starts(4000, n, Norm::two);
    const Tensor volume = ball.norm(2, 1).pow(double(n));
    BOOST_TEST_CONTEXT("dimensions " << n) {
      BOOST_TEST(test::largest(volume) <= 1);
      BOOST_TEST(std::abs(average_of(ball)) < 4 * std::sqrt(1.0 / double(n + 2) / double(4000 * n)));
      BOOST_TEST(std::abs(average_of(volume) - 0.5) < 4 * std::sqrt(1.0 / 12 / 4000));
      BOOST_TEST(std::abs(average_of(volume.square()) - 1.0 / 3) < 4 * std::sqrt(4.0 / 45 / 4000));
      // The mean of an image's squares is r²/n, of variance (n/(n + 4) − (n/(n + 2))²)/n².
      const double d = double(n), variance = (d / (d + 4) - std::pow(d / (d + 2), 2)) / (d * d);
      BOOST_TEST(std::abs(average_of(ball.square()) - 1 / (d + 2)) < 4 * std::sqrt(variance / 4000));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_start_is_a_function_of_seed_number_and_restart) {
  for (const Norm norm : {Norm::infinity, Norm::two}) {
    const Tensor three = starts(3, 6, norm), five = starts(5, 6, norm);
    BOOST_TEST(difference(three, five.narrow(0, 0, 3)) == 0);
    BOOST_TEST(difference(five[0], five[1]) > 0.01);
    BOOST_TEST(difference(five, starts(5, 6, norm, 1)) > 0.01);
    // The image's number, not its place, and the restart.
    Silent nobody;
    auto subject = begin(torch::full({1, 6}, 0.5F), Class{0}, nobody);
    subject.numbers = {4};
    const pellucid::detail::Ball ball(subject.images, 0.25, norm);
    BOOST_TEST(difference((ball.start(subject, 0, 0) - 0.5F).to(torch::kDouble) * 4, five.narrow(0, 4, 1)) ==
               0);
    BOOST_TEST(difference(ball.start(subject, 0, 0), ball.start(subject, 0, 1)) > 0.001);
  }
}

BOOST_AUTO_TEST_CASE(of_several_restarts_one_that_succeeds_is_kept) {
  // To the left of 0.6 the way down ends at 0.1 with S₀ = 0.05 − 0.025 > 0, to the right at 0.9 with −0.25.
  const auto model = ridge(0.05F, 0.05F, 1.0F);
  for (const std::int64_t restarts : {1, 3}) {
    const auto begin = starts_on_the_ridge(restarts, 5);
    for (const bool stop_early : {false, true}) {
      const PGD options{.epsilon = 0.4, .restarts = restarts, .seed = 5, .stop_early = stop_early};
      const auto found = Attack<PGD>(options)(model, on_the_ridge, Class{0});
      int both = 0;
      for (std::size_t i = 0; i < 40; ++i) {
        const auto first =
            std::find_if(begin[i].begin(), begin[i].end(), [](double place) { return place > 0.6; });
        const bool falls = first != begin[i].end();
        both |= falls ? 1 : 2;
        BOOST_TEST(found.steps.at(i).back().reached == falls);
        const double place = found.images[std::int64_t(i)].item<double>();
        if (!falls) BOOST_TEST(place == 0.1, boost::test_tools::tolerance(1e-6));
        if (falls && !stop_early) BOOST_TEST(place == 0.9, boost::test_tools::tolerance(1e-6));
        if (falls && stop_early) BOOST_TEST(place > 0.65 - 1e-6);  // where S₀ < 0
        // A pass about the image itself, and 41 for each restart that is made to its end.
        if (!stop_early) BOOST_TEST(found.passes.at(i).forward == 1 + 41 * restarts);
        if (stop_early && falls)
          BOOST_TEST(found.passes.at(i).forward <= 1 + 41 * (first - begin[i].begin() + 1));
      }
      BOOST_TEST(both == 3);  // some fall, some do not
    }
  }
}

BOOST_AUTO_TEST_CASE(of_restarts_that_fail_the_one_with_the_highest_loss_is_kept) {
  // S₀ = 1 − 0.025 on the left, 1 − 0.15 on the right: neither is enough.
  const auto model = ridge(1.0F, 0.05F, 0.5F);
  const auto begin = starts_on_the_ridge(2, 7);
  const auto found = Attack<PGD>({.epsilon = 0.4, .restarts = 2, .seed = 7})(model, on_the_ridge, Class{0});
  for (std::size_t i = 0; i < 40; ++i) {
    const bool right = begin[i][0] > 0.6 || begin[i][1] > 0.6;
    BOOST_TEST(found.images[std::int64_t(i)].item<double>() == (right ? 0.9 : 0.1),
               boost::test_tools::tolerance(1e-6));
    BOOST_TEST(found.steps.at(i).back().label_probability == 1 / (1 + std::exp(right ? -0.85 : -0.975)),
               boost::test_tools::tolerance(1e-6));
  }
  // Towards a target the lowest loss: class 1 is most likely where S₀ is least.
  const auto target =
      Attack<PGD>({.epsilon = 0.4, .restarts = 2, .seed = 7, .target = 1})(model, on_the_ridge, Class{0});
  BOOST_TEST(difference(target.images, found.images) == 0);
}

BOOST_AUTO_TEST_CASE(the_table_begins_with_the_image_itself) {
  const auto model = linear({1, -2, 0, 3});
  const Images x = row({0.5F, 0.5F, 0.5F, 0.25F});  // S₀ = 0.25
  const auto found = Attack<PGD>({.epsilon = 0.125, .steps = 5})(model, x, Class{0});
  BOOST_REQUIRE(found.steps.at(0).size() == 6U);
  BOOST_TEST(found.steps[0][0].label_probability == 1 / (1 + std::exp(-0.25)),
             boost::test_tools::tolerance(1e-6));
  for (std::int64_t i = 0; i < 6; ++i) {
    BOOST_TEST(found.steps[0][std::size_t(i)].step == i);
    BOOST_TEST(found.steps[0][std::size_t(i)].epsilon == (i == 0 ? 0 : 0.125));
  }
  BOOST_TEST(found.steps[0][5].label_probability == 1 / (1 + std::exp(0.5)),  // S₀ = 0.25 − 6/8
             boost::test_tools::tolerance(1e-6));
  BOOST_TEST(found.passes.at(0).forward == 7);
  BOOST_TEST(found.passes[0].backward == 5);
  // An answer that is as wished before the first step needs none, and no start either.
  const auto done = Attack<PGD>({.stop_early = true})(model, x, Class{1});
  BOOST_TEST(difference(done.images, x) == 0);
  BOOST_TEST(done.steps.at(0).size() == 1U);
  BOOST_TEST(done.passes.at(0).forward == 1);
  BOOST_TEST(done.passes[0].backward == 0);
  BOOST_TEST(done.unmoved.empty());
}

BOOST_AUTO_TEST_CASE(nothing_leaves_the_ball) {
  // Values of all sizes, the ends among them. |x' − x| is looked at in the images' own arithmetic and in
  // doubles.
  Images images = test::some_images({4, 3, 16, 16});
  images[1] = images[1].pow(20);
  images[2] = images[2].round();
  const auto model = test::small_net();
  const auto largest = [](const Images& a, const Images& b) {
    return std::max((a - b).abs().max().item<double>(),
                    (a.to(torch::kDouble) - b.to(torch::kDouble)).abs().max().item<double>());
  };
  for (const double epsilon : {1.0 / 255, 4.0 / 255, 8.0 / 255, 1e-4, 0.03, 0.1, 1.0 / 3, 1e-9}) {
    BOOST_TEST_CONTEXT("epsilon " << epsilon) {
      const Images cube[] = {Attack<FGSM>({.epsilon = epsilon})(model, images).images,
                             Attack<IFGSM>({.epsilon = epsilon, .steps = 4})(model, images).images,
                             Attack<PGD>({.epsilon = epsilon, .steps = 5})(model, images).images};
      for (const Images& one : cube) {
        BOOST_TEST(largest(one, images) <= epsilon);
        BOOST_TEST(one.min().item<float>() >= 0);
        BOOST_TEST(one.max().item<float>() <= 1);
        // …and it goes as far as it may.
        if (epsilon > 1e-6) BOOST_TEST(largest(one, images) > epsilon * 0.999);
      }
      for (const std::int64_t steps : {1, 5}) {
        const PGD l2{.epsilon = 20 * epsilon, .steps = steps, .norm = Norm::two};
        for (const Images& all : {images, images.to(torch::kDouble)}) {
          if (all.scalar_type() == torch::kDouble && steps == 1) continue;
          auto net = std::make_shared<test::SmallNet>();
          net->to(all.scalar_type());
          const Images found = Attack<PGD>(l2)(adapt(net), all).images;
          BOOST_TEST(farthest(found, all) <= 20 * epsilon);
          BOOST_TEST(found.min().item<double>() >= 0);
          BOOST_TEST(found.max().item<double>() <= 1);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(nor_in_doubles) {
  // Small values beside a large step: their distance is rounded in doubles, but not in 64 bits, of which
  // values of 53 bits from [1/256, 1] have none below 2⁻⁶⁰.
  using Long = long double;
  static_assert(std::numeric_limits<Long>::digits >= 64);
  const auto generator = at::make_generator<at::CPUGeneratorImpl>(5);
  const Images images = 1.0 / 256 + 255.0 / 256 * torch::rand({2, 3000}, generator, torch::kDouble).pow(4);
  const Tensor weights = torch::randn({2, 3000}, generator, torch::kDouble);
  const auto model = test::linear(weights);
  for (const double epsilon : {1.0 / 255, 4.0 / 255, 0.03, 0.1, 1.0 / 3}) {
    BOOST_TEST_CONTEXT("epsilon " << epsilon) {
      for (const Images& found : {Attack<FGSM>({.epsilon = epsilon})(model, images).images,
                                  Attack<IFGSM>({.epsilon = epsilon, .steps = 4})(model, images).images,
                                  Attack<PGD>({.epsilon = epsilon, .steps = 4})(model, images).images}) {
        const double *const now = found.data_ptr<double>(), *const before = images.data_ptr<double>();
        Long most = 0;
        for (std::int64_t i = 0; i < images.numel(); ++i)
          most = std::max(most, std::abs(Long(now[i]) - Long(before[i])));
        BOOST_TEST(most <= epsilon);
        BOOST_TEST(most > epsilon * 0.999);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_random_start_may_be_enough) {
  // S₀ = 0.05 − |x − 0.6|: from 0.6, class 0, most starts are class 1 already.
  const auto model = ridge(0.05F, 1, 1);
  const Images x = torch::full({40, 1}, 0.6F);
  const auto begin = starts_on_the_ridge(1, 3);  // around 0.5
  const auto found =
      Attack<PGD>({.epsilon = 0.4, .steps = 5, .seed = 3, .stop_early = true})(model, x, Class{0});
  int enough = 0;
  for (std::size_t i = 0; i < 40; ++i) {
    const double start = begin[i][0] + 0.1;
    if (std::abs(start - 0.6) < 0.0501) continue;
    ++enough;
    BOOST_TEST(found.images[std::int64_t(i)].item<double>() == start, boost::test_tools::tolerance(1e-6));
    BOOST_REQUIRE(found.steps.at(i).size() == 2U);
    BOOST_TEST(found.steps[i][1].step == 0);
    BOOST_TEST(found.steps[i][1].epsilon == 0.4);
    BOOST_TEST(found.steps[i][1].reached);
    BOOST_TEST(found.steps[i][1].label_probability == 1 / (1 + std::exp(std::abs(start - 0.6) - 0.05)),
               boost::test_tools::tolerance(1e-5));
    BOOST_TEST(found.passes.at(i).forward == 2);  // about the image, and about the start
  }
  BOOST_TEST(enough > 20);  // of 40, each with a chance of 7/8
  BOOST_TEST(found.unmoved.empty());
  // Without stop_early it is a beginning like any other.
  const auto all = Attack<PGD>({.epsilon = 0.4, .steps = 5, .seed = 3})(model, x, Class{0});
  for (std::size_t i = 0; i < 40; ++i) BOOST_TEST(all.steps.at(i).size() == 6U);
}

BOOST_AUTO_TEST_CASE(each_image_of_a_batch_by_itself) {
  auto net = std::make_shared<test::SmallNet>();
  net->to(torch::kDouble);
  const Images images = test::some_images({4, 3, 9, 9}).to(torch::kDouble);
  for (const Norm norm : {Norm::infinity, Norm::two})
    for (const bool stop_early : {false, true}) {
      const PGD options{.epsilon = norm == Norm::two ? 2 : 0.2,
                        .steps = 5,
                        .norm = norm,
                        .restarts = 2,
                        .stop_early = stop_early};
      const auto together = Attack<PGD>(options)(adapt(net), images);
      for (const std::int64_t micro_batch : {1, 3}) {
        const auto parts = adapt(net, unchanged(), {.micro_batch = micro_batch});
        BOOST_TEST(difference(Attack<PGD>(options)(parts, images).images, together.images) < 1e-9);
      }
      BOOST_TEST(difference(Attack<PGD>(options)(adapt(net), images.narrow(0, 0, 2)).images,
                            together.images.narrow(0, 0, 2)) < 1e-9);
    }
}

BOOST_AUTO_TEST_CASE(it_does_more_than_one_step_of_the_same_size) {
  const auto model = test::small_net();
  const Images images = test::some_images({4, 3, 16, 16});
  const Class labels = TopClass{}.resolve(model, images);
  const auto loss = [&](const Images& of) { return CrossEntropy{labels.label}.of(model(of)); };
  const Tensor once = loss(Attack<FGSM>({.epsilon = 0.05})(model, images, labels).images);
  const Tensor often =
      loss(Attack<PGD>({.epsilon = 0.05, .random_start = false})(model, images, labels).images);
  BOOST_TEST((once > loss(images)).all().item<bool>());
  BOOST_TEST((often >= once).all().item<bool>());
}

BOOST_AUTO_TEST_CASE(wrong_requests) {
  BOOST_CHECK_EXCEPTION(Attack<PGD>({.epsilon = -0.5}), Error, says({"PGD: epsilon is -0.5", "per pixel"}));
  BOOST_CHECK_EXCEPTION(Attack<PGD>({.epsilon = -0.5, .norm = Norm::two}), Error,
                        says({"epsilon is -0.5", "whole image"}));
  BOOST_CHECK_EXCEPTION(Attack<PGD>({.steps = -3}), Error, says({"steps is -3", "at least 1"}));
  BOOST_CHECK_EXCEPTION(Attack<PGD>({.restarts = 0}), Error, says({"restarts is 0", "at least 1"}));
  BOOST_CHECK_EXCEPTION(Attack<PGD>({.restarts = 2, .random_start = false}), Error,
                        says({"restarts is 2", "random_start = true"}));
  const auto model = linear({1, 2});
  BOOST_CHECK_EXCEPTION(Attack<PGD>()(model, row({0.5F, 0.5F}), Class{3}), Error,
                        says({"class 3", "0 to 1"}));
  const auto broken = test::model_of([](const Tensor& t) {
    return torch::stack({t.sum(1), t.sum(1) * std::numeric_limits<float>::infinity()}, 1);
  });
  BOOST_CHECK_EXCEPTION(Attack<PGD>()(broken, torch::full({2, 2}, 0.5F), Class{0}), Error,
                        says({"NaN or infinite scores", "image 0"}));
}

BOOST_AUTO_TEST_SUITE_END()
