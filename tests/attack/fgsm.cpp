#include <boost/test/unit_test.hpp>

#include <pellucid/attack/methods/fgsm.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;

namespace {

// Two classes: S₀ = w·x with w = (1, −2, 0, 3), S₁ = 0. ∂CE(x, 0)/∂x = −p₁w, ∂CE(x, 1)/∂x = p₀w: away from
// class 0 is against the sign of w, in all pixels but the third.
auto model(std::int64_t micro_batch = 8) {
  return test::linear(torch::tensor({{1.0F, -2.0F, 0.0F, 3.0F}, {0.0F, 0.0F, 0.0F, 0.0F}}), micro_batch);
}

Tensor row(std::vector<float> values) {
  return torch::tensor(values).unsqueeze(0);
}

const Images x = row({0.5F, 0.5F, 0.5F, 0.25F});  // S₀ = 0.5 − 1 + 0.75 = 0.25

Tensor attacked(FGSM options, const Class& label = {0}) {
  return Attack<FGSM>(options)(model(), x, label).images;
}

/// A method of one's own, which keeps no table.
struct Darker {
  template <class M, class S>
  Adversarial operator()(const M&, const S& subject) const {
    return {subject.images - 0.125F};
  }
};

/// A method of one's own that gives what it is told to.
struct Given {
  Adversarial found{};
  template <class M, class S>
  Adversarial operator()(const M&, const S&) const {
    return found;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(attack_fgsm)

BOOST_AUTO_TEST_CASE(one_step_away_from_the_label) {
  BOOST_TEST(difference(attacked({.epsilon = 0.125}), row({0.375F, 0.625F, 0.5F, 0.125F})) == 0);
  BOOST_TEST(difference(attacked({.epsilon = 0.125}, Class{1}), row({0.625F, 0.375F, 0.5F, 0.375F})) == 0);
}

BOOST_AUTO_TEST_CASE(one_step_towards_a_target) {
  BOOST_TEST(difference(attacked({.epsilon = 0.125, .target = 1}), row({0.375F, 0.625F, 0.5F, 0.125F})) == 0);
  BOOST_TEST(difference(attacked({.epsilon = 0.125, .target = 0}), row({0.625F, 0.375F, 0.5F, 0.375F})) == 0);
  BOOST_TEST(difference(attacked({.epsilon = 0.125, .target = 0}, Class{1}),
                        row({0.625F, 0.375F, 0.5F, 0.375F})) == 0);
}

BOOST_AUTO_TEST_CASE(what_it_makes_is_an_image) {
  BOOST_TEST(difference(attacked({.epsilon = 0.5}), row({0.0F, 1.0F, 0.5F, 0.0F})) == 0);
  BOOST_TEST(difference(attacked({.epsilon = 7}), row({0.0F, 1.0F, 0.5F, 0.0F})) == 0);
  BOOST_TEST(difference(attacked({.epsilon = 0}), x) == 0);
}

BOOST_AUTO_TEST_CASE(the_default_step_is_four_grey_levels) {
  BOOST_TEST(difference(attacked({}), row({0.5F - 4 / 255.0F, 0.5F + 4 / 255.0F, 0.5F, 0.25F - 4 / 255.0F})) <
             1e-6);
}

BOOST_AUTO_TEST_CASE(it_says_what_was_predicted_before_and_after) {
  // Before: S₀ = 0.25. After a step of 0.125: 0.375 − 1.25 + 0.375 = −0.5. p = 1/(1 + e^−|S₀|).
  const auto found = Attack<FGSM>({.epsilon = 0.125})(model(), x);
  BOOST_TEST(difference(found.original, x) == 0);
  BOOST_REQUIRE((found.before.size() == 1 && found.after.size() == 1));
  BOOST_TEST(found.before[0].label == 0);
  BOOST_TEST(found.after[0].label == 1);
  BOOST_TEST(found.before[0].probability == 1 / (1 + std::exp(-0.25)), boost::test_tools::tolerance(1e-6));
  BOOST_TEST(found.after[0].probability == 1 / (1 + std::exp(-0.5)), boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(its_table_has_two_rows) {
  // S₀ = 0.25 before, −0.5 after.
  const auto found = Attack<FGSM>({.epsilon = 0.125, .target = 1})(model(), x);
  BOOST_REQUIRE(found.steps.at(0).size() == 2U);
  const double scores[] = {0.25, -0.5};
  for (std::size_t i = 0; i < 2; ++i) {
    const AttackStep& step = found.steps[0][i];
    const double of_0 = 1 / (1 + std::exp(-scores[i]));
    BOOST_TEST(step.step == std::int64_t(i));
    BOOST_TEST(step.predicted == std::int64_t(i));
    BOOST_TEST(step.probability == std::max(of_0, 1 - of_0), boost::test_tools::tolerance(1e-6));
    BOOST_TEST(step.label_probability == of_0, boost::test_tools::tolerance(1e-6));
    BOOST_TEST(step.target_probability.value() == 1 - of_0, boost::test_tools::tolerance(1e-6));
    BOOST_TEST(step.epsilon == (i == 0 ? 0 : 0.125));
    BOOST_TEST(step.reached == (i == 1));
  }
  BOOST_TEST(found.passes.at(0).forward == 3);  // what it is, the gradient, and what became of it
  BOOST_TEST(found.passes[0].backward == 1);
}

BOOST_AUTO_TEST_CASE(a_model_is_asked_no_more_than_it_must) {
  // The label, the gradient, and what became of it; with the label given, the last two. The record says so.
  std::int64_t images = 0;
  const auto counting = [&](const Tensor& t) {
    images += t.size(0);
    return t.matmul(torch::tensor({{1.0F, 0.0F}, {-2.0F, 0.0F}, {0.0F, 0.0F}, {3.0F, 0.0F}}));
  };
  const auto asked = Attack<FGSM>()(counting, torch::cat({x, x, x}));
  BOOST_TEST(images == 9);
  for (const Passes& passes : asked.passes) BOOST_TEST(passes.forward == 3);
  images = 0;
  const auto told = Attack<FGSM>()(counting, torch::cat({x, x, x}), Class{0});
  BOOST_TEST(images == 6);
  for (const Passes& passes : told.passes) BOOST_TEST(passes.forward == 2);
}

BOOST_AUTO_TEST_CASE(it_says_what_it_got_away_from) {
  const Images both = torch::cat({x, 0 * x + 0.5F, x});  // S₀ = 0.25, 1, 0.25
  const auto labels = [](const auto& found) { return found.labels; };
  BOOST_TEST(labels(Attack<FGSM>()(model(), both)) == (std::vector<std::int64_t>{0, 0, 0}),
             boost::test_tools::per_element());
  BOOST_TEST(labels(Attack<FGSM>()(model(), both, Class{1})) == (std::vector<std::int64_t>{1, 1, 1}),
             boost::test_tools::per_element());
  BOOST_TEST(
      labels(Attack<Darker>()(model(), both, Class{{0, 1, 1}})) == (std::vector<std::int64_t>{0, 1, 1}),
      boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_method_of_ones_own_is_looked_at) {
  const auto run = [](Adversarial found) { Attack<Given>(Given{std::move(found)})(model(), x, Class{0}); };
  run({.images = x});
  run({.images = x, .steps = {{AttackStep{}}}, .passes = {Passes{}}, .minimal_epsilon = {0.5}});
  BOOST_CHECK_EXCEPTION(run({}), Error, says({"no images", "[1, 4]"}));
  BOOST_CHECK_EXCEPTION(run({.images = torch::cat({x, x})}), Error, says({"[2, 4]", "[1, 4]"}));
  BOOST_CHECK_EXCEPTION(run({.images = x.view({1, 1, 4})}), Error, says({"[1, 1, 4]", "[1, 4]"}));
  BOOST_CHECK_EXCEPTION(run({.images = x, .steps = {{AttackStep{}}, {AttackStep{}}}}), Error,
                        says({"2 tables for 1 images", "or none"}));
  BOOST_CHECK_EXCEPTION(run({.images = x, .passes = std::vector<Passes>(3)}), Error,
                        says({"3 counts of passes for 1 images"}));
  BOOST_CHECK_EXCEPTION(run({.images = x, .steps = {{}}}), Error, says({"empty table for image 0"}));
}

BOOST_AUTO_TEST_CASE(a_method_of_ones_own_needs_no_table) {
  // S₀ is 0.25 + 2/16 before; a change by −1/8 in all pixels takes 2/8 off.
  const auto found = Attack<Darker>()(model(), x + 0.0625F, Class{0});
  BOOST_REQUIRE(found.steps.at(0).size() == 2U);
  BOOST_TEST(found.before.at(0).probability == 1 / (1 + std::exp(-0.375)),
             boost::test_tools::tolerance(1e-6));
  BOOST_TEST(found.after.at(0).probability == 1 / (1 + std::exp(-0.125)), boost::test_tools::tolerance(1e-6));
  BOOST_TEST(found.steps[0][1].step == 1);
  BOOST_TEST(found.steps[0][1].epsilon == 0.125);
  BOOST_TEST(found.passes.empty());
}

BOOST_AUTO_TEST_CASE(each_image_of_a_batch_by_itself) {
  const Images both = torch::cat({x, x, 1 - x});  // 1 − x: S₀ = 1.75
  for (const std::int64_t micro_batch : {1, 2, 8}) {
    const auto found = Attack<FGSM>({.epsilon = 0.125})(model(micro_batch), both, Class{{0, 1, 0}});
    BOOST_TEST(difference(found.images, torch::cat({row({0.375F, 0.625F, 0.5F, 0.125F}),
                                                    row({0.625F, 0.375F, 0.5F, 0.375F}),
                                                    row({0.375F, 0.625F, 0.5F, 0.625F})})) == 0);
    // Each from what is predicted of it, and each to its own target.
    const auto targets = Attack<FGSM>({.epsilon = 0.125, .target = {{1, 0, 0}}})(model(micro_batch), both);
    BOOST_TEST(difference(targets.images, torch::cat({row({0.375F, 0.625F, 0.5F, 0.125F}),
                                                      row({0.625F, 0.375F, 0.5F, 0.375F}),
                                                      row({0.625F, 0.375F, 0.5F, 0.875F})})) == 0);
  }
}

BOOST_AUTO_TEST_CASE(its_gradient_is_that_of_finite_differences) {
  auto net = std::make_shared<test::SmallNet>();
  net->to(torch::kDouble);
  const auto small = adapt(net);
  const Images image = 0.25 + 0.5 * test::some_images({1, 3, 7, 7}).to(torch::kDouble);
  const CrossEntropy loss{2};
  const Tensor step = Attack<FGSM>({.epsilon = 0.125})(small, image, Class{2}).images - image;
  int compared = 0;
  for (std::int64_t at = 0; at < image.numel(); at += 5) {
    Tensor up = image.clone(), down = image.clone();
    up.view(-1)[at] += 1e-6;
    down.view(-1)[at] -= 1e-6;
    const double slope = ((loss.of(small(up)) - loss.of(small(down))) / 2e-6).item<double>();
    if (std::abs(slope) < 1e-8) continue;
    BOOST_TEST(step.view(-1)[at].item<double>() == (slope > 0 ? 0.125 : -0.125),
               boost::test_tools::tolerance(1e-9));
    ++compared;
  }
  BOOST_TEST(compared > 20);
}

BOOST_AUTO_TEST_CASE(it_raises_the_loss) {
  const auto small = test::small_net();
  const Images images = test::some_images({6, 3, 16, 16});
  const auto found = Attack<FGSM>({.epsilon = 0.02})(small, images);
  for (std::size_t i = 0; i < found.before.size(); ++i) {
    const CrossEntropy loss{found.before[i].label};
    const std::int64_t at = std::int64_t(i);
    BOOST_TEST(loss.of(small(found.images))[at].item<double>() > loss.of(small(images))[at].item<double>());
  }
  BOOST_TEST(difference(found.images, images) <= 0.02 + 1e-6);
}

BOOST_AUTO_TEST_CASE(it_says_which_images_it_could_not_move) {
  // S₀ = relu(Σx − 1) twice: off in the second image.
  const auto off = test::model_of([](const Tensor& t) {
    const Tensor s = torch::relu(t.sum(1, true) - 1);
    return torch::cat({s, torch::zeros_like(s)}, 1);
  });
  const auto found = Attack<FGSM>()(off, torch::cat({x, x / 10, x}), Class{0});
  BOOST_TEST(found.unmoved == std::vector<std::int64_t>{1}, boost::test_tools::per_element());
  BOOST_TEST(difference(found.images[1], found.original[1]) == 0);
  BOOST_TEST(Attack<FGSM>()(model(), x).unmoved.empty());
}

BOOST_AUTO_TEST_CASE(wrong_requests) {
  const double nan = std::numeric_limits<double>::quiet_NaN(),
               infinite = std::numeric_limits<double>::infinity();
  BOOST_CHECK_EXCEPTION(Attack<FGSM>({.epsilon = -0.1}), Error, says({"epsilon is -0.1", "0 or more"}));
  BOOST_CHECK_EXCEPTION(Attack<FGSM>({.epsilon = nan}), Error, says({"epsilon is nan"}));
  BOOST_CHECK_EXCEPTION(Attack<FGSM>({.epsilon = infinite}), Error, says({"epsilon is inf"}));
  BOOST_CHECK_EXCEPTION(attacked({}, Class{2}), Error, says({"class 2", "0 to 1"}));
  BOOST_CHECK_EXCEPTION(attacked({.target = 5}), Error, says({"class 5", "0 to 1"}));
  BOOST_CHECK_EXCEPTION(attacked({.target = {{0, 1}}}), Error, says({"2 numbers", "1 images"}));
  BOOST_CHECK_EXCEPTION(attacked({}, Class{{0, 1}}), Error, says({"2 numbers", "1 images"}));
  const auto flat = test::model_of([](const Tensor& t) { return t.sum(1); });
  BOOST_CHECK_EXCEPTION(Attack<FGSM>()(flat, x), Error, says({"[1]", "N×K"}));
  BOOST_CHECK_EXCEPTION(Attack<FGSM>()(flat, x, Class{0}), Error, says({"[1]", "N×K"}));
  BOOST_CHECK_EXCEPTION(CrossEntropy{0}.of(torch::zeros({4})), Error, says({"[4]", "N×K"}));
  const auto constant = test::model_of([](const Tensor& t) { return torch::zeros({t.size(0), 2}); });
  BOOST_CHECK_EXCEPTION(Attack<FGSM>()(constant, x), Error, says({"does not depend on the images"}));
}

BOOST_AUTO_TEST_SUITE_END()
