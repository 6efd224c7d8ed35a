#include <boost/test/unit_test.hpp>

#include <pellucid/attack/methods/ifgsm.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;

namespace {

// Two classes: S₀ = w·x with w = (1, −2, 0, 3), S₁ = 0. Away from class 0 is against the sign of w; a step of
// α in each pixel takes 6α off S₀.
const std::vector<float> w{1, -2, 0, 3};

auto model(std::int64_t micro_batch = 8) {
  return test::linear(torch::tensor({{1.0F, -2.0F, 0.0F, 3.0F}, {0.0F, 0.0F, 0.0F, 0.0F}}), micro_batch);
}

Tensor row(std::vector<float> values) {
  return torch::tensor(values).unsqueeze(0);
}

const Images x = row({0.5F, 0.5F, 0.5F, 0.25F});  // S₀ = 0.5 − 1 + 0.75 = 0.25

auto attacked(IFGSM options, const Images& images = x, const Class& label = {0}) {
  return Attack<IFGSM>(options)(model(), images, label);
}

/// The softmax of two scores that differ by d.
double sigmoid(double d) {
  return 1 / (1 + std::exp(-d));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attack_ifgsm)

BOOST_AUTO_TEST_CASE(small_steps_away_from_the_label) {
  const auto found = attacked({.epsilon = 0.125, .step_size = 0.0625, .steps = 2});
  BOOST_TEST(difference(found.images, row({0.375F, 0.625F, 0.5F, 0.125F})) == 0);
  const auto one = attacked({.epsilon = 0.125, .step_size = 0.0625, .steps = 1});
  BOOST_TEST(difference(one.images, row({0.4375F, 0.5625F, 0.5F, 0.1875F})) == 0);
  const auto other = attacked({.epsilon = 0.125, .step_size = 0.0625, .steps = 2}, x, Class{1});
  BOOST_TEST(difference(other.images, row({0.625F, 0.375F, 0.5F, 0.375F})) == 0);
}

BOOST_AUTO_TEST_CASE(small_steps_towards_a_target) {
  const IFGSM to_one{.epsilon = 0.125, .step_size = 0.0625, .steps = 2, .target = 1};
  BOOST_TEST(difference(attacked(to_one).images, row({0.375F, 0.625F, 0.5F, 0.125F})) == 0);
  BOOST_TEST(difference(attacked(to_one, x, Class{1}).images, row({0.375F, 0.625F, 0.5F, 0.125F})) == 0);
  const IFGSM to_zero{.epsilon = 0.125, .step_size = 0.0625, .steps = 2, .target = 0};
  BOOST_TEST(difference(attacked(to_zero).images, row({0.625F, 0.375F, 0.5F, 0.375F})) == 0);
}

BOOST_AUTO_TEST_CASE(it_stays_in_the_ball_and_within_pixels) {
  // Steps of 1/8 in a ball of 3/16: at its end with the second.
  const auto ball = attacked({.epsilon = 0.1875, .step_size = 0.125, .steps = 3});
  BOOST_TEST(difference(ball.images, row({0.3125F, 0.6875F, 0.5F, 0.0625F})) == 0);
  const Images near_the_edge = row({0.0625F, 0.9375F, 0.5F, 0.03125F});
  const auto edge = attacked({.epsilon = 0.125, .step_size = 0.0625, .steps = 3}, near_the_edge);
  BOOST_TEST(difference(edge.images, row({0.0F, 1.0F, 0.5F, 0.0F})) == 0);
  // What lies outside of [0, 1] by rounding is clamped into it, and may be moved farther for that.
  const float over = 0.0078125F;
  const auto outside = attacked({.epsilon = over / 2, .steps = 4}, row({1 + over, -over, 1 + over, -over}));
  BOOST_TEST(difference(outside.images, row({1.0F, 0.0F, 1.0F, 0.0F})) == 0);
  BOOST_TEST(difference(attacked({.epsilon = 0}).images, x) == 0);
}

BOOST_AUTO_TEST_CASE(the_steps_alone_go_a_quarter_beyond_the_ball) {
  // α = 1.25 ε / steps = 5/64 for ε = 1/4 and 4 steps. Three of them go 15/64, the fourth ends at the ball's
  // 16/64.
  const double shares[] = {5.0 / 64, 10.0 / 64, 15.0 / 64, 16.0 / 64};
  const auto found = attacked({.epsilon = 0.25, .steps = 4});
  BOOST_REQUIRE(found.steps.at(0).size() == 5U);
  for (std::size_t i = 0; i < 4; ++i) BOOST_TEST(found.steps[0][i + 1].epsilon == shares[i]);
  BOOST_TEST(difference(found.images, row({0.25F, 0.75F, 0.5F, 0.0F})) == 0);
}

BOOST_AUTO_TEST_CASE(each_step_looks_at_the_gradient_anew) {
  // S₀ = 4 |x − 0.4|, S₁ = 0: away from class 0 is towards 0.4, and past it back again.
  const auto valley = test::model_of([](const Tensor& t) {
    const Tensor s = 4 * (t - 0.4F).abs();
    return torch::cat({s, torch::zeros_like(s)}, 1);
  });
  const Attack<IFGSM> attack({.epsilon = 0.25, .step_size = 0.0625, .steps = 3});
  const auto found = attack(valley, row({0.5F}), Class{0});  // 0.4375, 0.375, 0.4375
  BOOST_TEST(difference(found.images, row({0.4375F})) == 0);
  const double distances[] = {0.1, 0.0375, 0.025, 0.0375};
  for (std::size_t i = 0; i < 4; ++i)
    BOOST_TEST(found.steps[0][i].label_probability == sigmoid(4 * distances[i]),
               boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(the_table_of_the_iterations) {
  // S₀ = 0.25 − 6/32 · steps = 0.25, 0.0625, −0.125, −0.3125.
  const auto found = attacked({.epsilon = 0.5, .step_size = 1.0 / 32, .steps = 3});
  const std::vector<AttackStep>& table = found.steps.at(0);
  BOOST_REQUIRE(table.size() == 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    const double score = 0.25 - 0.1875 * double(i);
    BOOST_TEST(table[i].step == std::int64_t(i));
    BOOST_TEST(table[i].predicted == (score > 0 ? 0 : 1));
    BOOST_TEST(table[i].reached == (score < 0));
    BOOST_TEST(table[i].probability == sigmoid(std::abs(score)), boost::test_tools::tolerance(1e-6));
    BOOST_TEST(table[i].label_probability == sigmoid(score), boost::test_tools::tolerance(1e-6));
    BOOST_TEST(!table[i].target_probability);
    BOOST_TEST(table[i].epsilon == double(i) / 32);
  }
  BOOST_TEST(found.before.at(0).label == 0);
  BOOST_TEST(found.before[0].probability == table[0].probability);
  BOOST_TEST(found.after.at(0).label == 1);
  BOOST_TEST(found.after[0].probability == table[3].probability);
  BOOST_TEST(found.passes.at(0).forward == 4);
  BOOST_TEST(found.passes[0].backward == 3);
  BOOST_TEST(found.minimal_epsilon.empty());
  const auto targeted = attacked({.epsilon = 0.5, .step_size = 1.0 / 32, .steps = 2, .target = 1});
  for (std::size_t i = 0; i < 3; ++i) {
    BOOST_TEST(*targeted.steps.at(0)[i].target_probability == 1 - table[i].label_probability,
               boost::test_tools::tolerance(1e-6));
    BOOST_TEST(targeted.steps[0][i].reached == (i == 2));
  }
}

BOOST_AUTO_TEST_CASE(an_image_that_is_done_leaves_the_batch) {
  // S₀ = 0.25, 1.75 and −0.25, 0.1875 less with each step of 1/32: below 0 after 2, after 10 and without a
  // step.
  const Images three = torch::cat({x, 1 - x, row({0.25F, 0.75F, 0.5F, 1.0F / 3})});
  std::vector<std::int64_t> batches;
  const auto counting = [&](const Tensor& images) {
    batches.push_back(images.size(0));
    return images.matmul(torch::tensor({{1.0F, 0.0F}, {-2.0F, 0.0F}, {0.0F, 0.0F}, {3.0F, 0.0F}}));
  };
  const IFGSM options{.epsilon = 0.5, .step_size = 1.0 / 32, .steps = 12, .stop_early = true};
  const auto found = Attack<IFGSM>(options)(counting, three, Class{0});
  BOOST_TEST(batches == (std::vector<std::int64_t>{3, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1}),
             boost::test_tools::per_element());
  const std::size_t steps[] = {2, 10, 0};
  for (std::size_t i = 0; i < 3; ++i) {
    BOOST_TEST(found.steps.at(i).size() == steps[i] + 1);
    BOOST_TEST(found.steps[i].back().reached);
    BOOST_TEST(found.passes.at(i).forward == std::int64_t(steps[i]) + 1);
    const Tensor moved = three[std::int64_t(i)] - float(steps[i]) / 32 * torch::tensor(w).sign();
    BOOST_TEST(difference(found.images[std::int64_t(i)], moved) < 1e-6);
  }
  BOOST_TEST(found.unmoved.empty());
  // Without it all steps are made.
  batches.clear();
  IFGSM to_the_end = options;
  to_the_end.stop_early = false;
  BOOST_TEST(Attack<IFGSM>(to_the_end)(counting, three, Class{0}).steps.at(2).size() == 13U);
  BOOST_TEST(batches == std::vector<std::int64_t>(13, 3), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(each_image_of_a_batch_by_itself) {
  auto net = std::make_shared<test::SmallNet>();
  net->to(torch::kDouble);
  const Images images = test::some_images({5, 3, 9, 9}).to(torch::kDouble);
  const Class labels{{0, 1, 2, 3, 4}};
  for (const bool stop_early : {false, true}) {
    const IFGSM options{.epsilon = 0.1, .steps = 6, .target = {{1, 1, 4, 0, 2}}, .stop_early = stop_early};
    const auto together = Attack<IFGSM>(options)(adapt(net), images, labels);
    for (const std::int64_t micro_batch : {1, 2, 3}) {
      const auto parts = adapt(net, unchanged(), {.micro_batch = micro_batch});
      BOOST_TEST(difference(Attack<IFGSM>(options)(parts, images, labels).images, together.images) < 1e-9);
    }
    for (std::int64_t i = 0; i < 5; ++i) {
      IFGSM alone = options;
      alone.target = options.target.select({i});
      const auto found = Attack<IFGSM>(alone)(adapt(net), images.narrow(0, i, 1), labels.select({i}));
      BOOST_TEST(difference(found.images, together.images.narrow(0, i, 1)) < 1e-9);
      BOOST_TEST(found.steps.at(0).size() == together.steps.at(std::size_t(i)).size());
    }
  }
}

BOOST_AUTO_TEST_CASE(it_says_which_images_it_could_not_move) {
  // S₀ = relu(Σx − 1): off in the second image. In the third it goes off after a step.
  const auto off = test::model_of([](const Tensor& t) {
    const Tensor s = torch::relu(t.sum(1, true) - 1);
    return torch::cat({s, torch::zeros_like(s)}, 1);
  });
  const Images images = torch::cat({x, x / 10, torch::full({1, 4}, 0.26F)});
  const auto found = Attack<IFGSM>({.epsilon = 0.04, .step_size = 0.02, .steps = 2})(off, images, Class{0});
  BOOST_TEST(found.unmoved == std::vector<std::int64_t>{1}, boost::test_tools::per_element());
  BOOST_TEST(difference(found.images[1], images[1]) == 0);
  BOOST_TEST(difference(found.images[2], images[2] - 0.02F) < 1e-6);
}

BOOST_AUTO_TEST_CASE(cancelling_progress_and_memory) {
  const auto tight = test::model_of([](const Tensor& t) {
    if (t.size(0) > 2) throw std::bad_alloc();
    return t.matmul(torch::tensor({{1.0F, 0.0F}, {-2.0F, 0.0F}, {0.0F, 0.0F}, {3.0F, 0.0F}}));
  });
  const Images seven = x.repeat({7, 1});
  std::vector<double> fractions;
  const auto note = [&](const Progress& progress) { fractions.push_back(progress.fraction); };
  const Attack<IFGSM> attack({.epsilon = 0.125, .step_size = 0.0625, .steps = 2});
  const auto found = attack(tight, seven, Class{0}, note);
  BOOST_TEST(difference(found.images, row({0.375F, 0.625F, 0.5F, 0.125F}).repeat({7, 1})) == 0);
  BOOST_TEST(found.steps.size() == 7U);
  for (const auto& table : found.steps) BOOST_TEST(table.size() == 3U);
  BOOST_TEST(std::is_sorted(fractions.begin(), fractions.end()));
  BOOST_TEST(fractions.front() > 0);
  BOOST_TEST(fractions.back() == 1);
  BOOST_TEST(std::count(fractions.begin(), fractions.end(), 1.0) == 1);
  int calls = 0;
  const auto second = [&](const Progress&) { return ++calls < 2; };
  BOOST_CHECK_THROW(attack(tight, seven, Class{0}, second), Cancelled);
}

BOOST_AUTO_TEST_CASE(wrong_requests) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  BOOST_CHECK_EXCEPTION(Attack<IFGSM>({.epsilon = -0.1}), Error,
                        says({"IFGSM: epsilon is -0.1", "0 or more"}));
  BOOST_CHECK_EXCEPTION(Attack<IFGSM>({.epsilon = nan}), Error, says({"epsilon is nan"}));
  BOOST_CHECK_EXCEPTION(Attack<IFGSM>({.step_size = -1}), Error, says({"step_size is -1", "above 0"}));
  BOOST_CHECK_EXCEPTION(Attack<IFGSM>({.step_size = nan}), Error, says({"step_size is nan"}));
  BOOST_CHECK_EXCEPTION(Attack<IFGSM>({.steps = 0}), Error, says({"steps is 0", "at least 1"}));
  BOOST_CHECK_EXCEPTION(attacked({}, x, Class{2}), Error, says({"class 2", "0 to 1"}));
  BOOST_CHECK_EXCEPTION(attacked({.target = 5}), Error, says({"class 5", "0 to 1"}));
  BOOST_CHECK_EXCEPTION(attacked({.target = {{0, 1}}}), Error, says({"2 numbers", "1 images"}));
  BOOST_CHECK_EXCEPTION(attacked({.target = 1}, x, Class{{0, 1}}), Error, says({"2 numbers", "1 images"}));
  const auto constant = test::model_of([](const Tensor& t) { return torch::zeros({t.size(0), 2}); });
  BOOST_CHECK_EXCEPTION(Attack<IFGSM>()(constant, x), Error, says({"does not depend on the images"}));
  // √x at 0 has an infinite slope.
  const auto root = test::model_of([](const Tensor& t) {
    return torch::cat({t.sqrt().sum(1, true), torch::ones({t.size(0), 1})}, 1);
  });
  BOOST_CHECK_EXCEPTION(Attack<IFGSM>()(root, torch::cat({x, 0 * x}), Class{0}), Error,
                        says({"gradient", "NaN or infinity", "image 1"}));
}

BOOST_AUTO_TEST_SUITE_END()
