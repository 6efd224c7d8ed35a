#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/gradient.hpp>
#include <pellucid/attribution/methods/smoothgrad.hpp>
#include <pellucid/objective/channel.hpp>
#include <pellucid/objective/class.hpp>
#include <pellucid/objective/cross_entropy.hpp>
#include <pellucid/objective/layer.hpp>
#include <pellucid/objective/log_odds.hpp>
#include <pellucid/objective/neuron.hpp>
#include <pellucid/objective/probability.hpp>
#include <pellucid/objective/top_class.hpp>

#include <cmath>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;

namespace {

const Tensor scores = torch::tensor({{1.0, 5.0, -2.0}, {4.0, 0.0, 3.0}}, torch::kDouble);

/// N×C×H×W = 2×2×2×3: image n, channel c, row y, column x holds 100n + 10c + 3y + x.
Tensor maps() {
  const auto axis = [](std::int64_t size, std::vector<std::int64_t> shape, double step) {
    return torch::arange(size, torch::kDouble).mul(step).view(shape);
  };
  return axis(2, {2, 1, 1, 1}, 100) + axis(2, {1, 2, 1, 1}, 10) + axis(2, {1, 1, 2, 1}, 3) +
         axis(3, {1, 1, 1, 3}, 1);
}

void check(const Tensor& found, std::vector<double> expected) {
  BOOST_TEST(difference(found, torch::tensor(expected, torch::kDouble)) < 1e-12);
}

/// Marks its input as "maps" (N×C×H×W); the scores are its channels' means.
auto marked() {
  return test::model_of([](const Tensor& x) { return mark("maps", x * 1).mean({2, 3}); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(objective_objectives)

BOOST_AUTO_TEST_CASE(class_is_a_score) {
  check(Class{2}.of(scores), {-2, 3});
  check(Class{}.of(scores), {1, 4});
  check(Class{{1, 0}}.of(scores), {5, 4});
  check(Class{std::vector<std::int64_t>{2, 2}}.of(scores), {-2, 3});
  check(Class{{0, 1, 2}}.select({1, 2}).of(scores), {5, 3});
  check(Class{2}.select({1, 0, 0, 1}).of(scores), {-2, 3});
}

BOOST_AUTO_TEST_CASE(log_odds_compare_a_class_with_all_others) {
  // Two classes: ln(p/(1 − p)) is the difference of the scores. Three: the others' exponentials add up.
  check(LogOdds{0}.of(scores.slice(1, 0, 2)), {-4, 4});
  check(LogOdds{{1, 2}}.of(scores),
        {5 - std::log(std::exp(1) + std::exp(-2)), 3 - std::log(std::exp(4) + 1)});
  const Tensor p = scores.softmax(1).select(1, 1);
  BOOST_TEST(difference(LogOdds{1}.of(scores), (p / (1 - p)).log()) < 1e-12);
  check(LogOdds{{2, 1}}.select({1, 0}).of(scores),
        {5 - std::log(std::exp(1) + std::exp(-2)), 3 - std::log(std::exp(4) + 1)});
  // The gradient: 1 for the class, −q_j for the others, q their softmax among themselves.
  const Tensor x = torch::tensor({{1.0, 2.0, 2.0}}, torch::kDouble).set_requires_grad(true);
  const Tensor gradient = torch::autograd::grad({LogOdds{0}.of(x).sum()}, {x})[0];
  BOOST_TEST(difference(gradient, torch::tensor({{1.0, -0.5, -0.5}}, torch::kDouble)) < 1e-12);
  BOOST_CHECK_EXCEPTION(LogOdds{3}.of(scores), Error, says({"class 3", "0 to 2"}));
  BOOST_CHECK_EXCEPTION(LogOdds{0}.of(scores.slice(1, 0, 1)), Error, says({"[2, 1]", "2 classes"}));
}

BOOST_AUTO_TEST_CASE(class_beyond_k_is_refused) {
  BOOST_CHECK_EXCEPTION(Class{3}.of(scores), Error, says({"class 3", "there are 3", "0 to 2"}));
  BOOST_CHECK_EXCEPTION(Class{-1}.of(scores), Error, says({"class -1", "0 to 2"}));
  BOOST_CHECK_EXCEPTION((Class{{0, 7}}.of(scores)), Error, says({"class 7", "0 to 2"}));
  BOOST_CHECK_EXCEPTION(Class{0}.of(maps()), Error, says({"[2, 2, 2, 3]", "N×K"}));
}

BOOST_AUTO_TEST_CASE(one_number_for_each_image_or_one_for_all) {
  BOOST_CHECK_EXCEPTION((Class{{0, 1, 2}}.of(scores)), Error, says({"3 numbers", "2 images", "one for all"}));
  BOOST_CHECK_EXCEPTION((Class{PerImage{}}.of(scores)), Error, says({"0 numbers", "2 images"}));
  const PerImage one = 7, each{5, 8, 6};
  BOOST_TEST(one.of(0) == 7);
  BOOST_TEST(one.of(2) == 7);
  BOOST_TEST(each.of(0) == 5);
  BOOST_TEST(each.of(2) == 6);
  BOOST_CHECK_EXCEPTION(each.of(3), Error, says({"3 numbers", "4 images", "one for all"}));
  BOOST_CHECK_EXCEPTION(PerImage().of(0), Error, says({"0 numbers", "1 images"}));
  // Also where the images go through in parts.
  const auto model = test::linear(torch::ones({4, 3}), 2);
  const Images x = torch::rand({5, 3});
  BOOST_CHECK_EXCEPTION((Attribution<Gradient>()(model, x, Class{{0, 1, 2}})), Error,
                        says({"3 numbers", "5 images"}));
  BOOST_CHECK_EXCEPTION((Attribution<Gradient>()(model, x, Class{{0, 1, 2, 3, 0, 1}})), Error,
                        says({"6 numbers", "5 images"}));
  BOOST_CHECK_EXCEPTION((Attribution<SmoothGrad>()(model, x, Class{{0, 1, 2, 3, 0, 1}})), Error,
                        says({"6 numbers", "5 images"}));
}

BOOST_AUTO_TEST_CASE(each_image_is_asked_about_its_own_class) {
  const Tensor weights = torch::tensor({{1.0F, 2.0F}, {3.0F, 4.0F}, {5.0F, 6.0F}});
  const Tensor expected = weights.index({torch::tensor({2, 0, 1, 1, 2})});
  for (const std::int64_t micro_batch : {1, 2, 3, 8}) {
    const auto model = test::linear(weights, micro_batch);
    const Class objective{{2, 0, 1, 1, 2}};
    const Images x = test::some_images({5, 2});
    BOOST_TEST(difference(Attribution<Gradient>()(model, x, objective).attribution, expected) == 0);
    const auto smooth = Attribution<SmoothGrad>({.samples = 3})(model, x, objective);
    BOOST_TEST(difference(smooth.attribution, expected) < 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(top_class_is_the_highest_score) {
  check(TopClass{}.of(scores), {5, 4});
  const auto settled = TopClass{}.resolve([](const Images& x) { return x; }, scores);
  BOOST_TEST(settled.label.values() == (std::vector<std::int64_t>{1, 0}), boost::test_tools::per_element());
  BOOST_CHECK_EXCEPTION(TopClass{}.resolve([](const Images& x) { return x.sum(1); }, scores), Error,
                        says({"[2]", "N×K"}));
}

BOOST_AUTO_TEST_CASE(top_class_is_settled_before_the_noise) {
  // s₀ = a, s₁ = 3(0.5 − a): at a = 0.4 class 0 is on top, but below 0.375, where many noisy copies lie,
  // class 1.
  const auto model = test::model_of([](const Tensor& x) {
    const Tensor a = x.select(1, 0);
    return torch::stack({a, 3 * (0.5 - a)}, 1);
  });
  const auto found = Attribution<SmoothGrad>({.noise = 1.0})(model, torch::tensor({{0.4F, 0.0F}}));
  BOOST_TEST(difference(found.attribution, torch::tensor({{1.0F, 0.0F}})) < 1e-6);
}

BOOST_AUTO_TEST_CASE(channel_is_the_mean_over_its_places) {
  // The mean of 3y + x over 2×3 places is 1.5 + 1.
  check(Channel{"l", 1}.of(maps()), {12.5, 112.5});
  check(Channel{"l", {1, 0}}.of(maps()), {12.5, 102.5});
  check(Channel{"l", {1, 0}}.select({1, 1}).of(maps()), {2.5, 102.5});
  check(Channel{"l", 2}.of(scores), {-2, 3});
  check(Channel{"l", 0}.of(maps().flatten(2)), {2.5, 102.5});  // N×C×L
  BOOST_CHECK_EXCEPTION((Channel{"l", 2}.of(maps())), Error, says({"channel 2", "there are 2", "0 to 1"}));
  BOOST_CHECK_EXCEPTION((Channel{"l", 0}.of(torch::ones({4}))), Error, says({"'l'", "[4]", "no channels"}));
}

BOOST_AUTO_TEST_CASE(neuron_is_one_place_of_a_channel) {
  check(Neuron{"l", 1, 0, 2}.of(maps()), {12, 112});
  check(Neuron{"l", {0, 1}, {1, 0}, {2, 1}}.of(maps()), {5, 111});
  check(Neuron{"l", {0, 1}, {1, 0}, {2, 1}}.select({1, 1}).of(maps()), {11, 111});
  check(Neuron{"l", 1}.of(scores), {5, 0});
  BOOST_CHECK_EXCEPTION((Neuron{"l", 2, 0, 0}.of(maps())), Error, says({"channel 2", "0 to 1"}));
  BOOST_CHECK_EXCEPTION((Neuron{"l", 0, 2, 0}.of(maps())), Error, says({"y 2", "0 to 1"}));
  BOOST_CHECK_EXCEPTION((Neuron{"l", 0, 0, 3}.of(maps())), Error, says({"x 3", "0 to 2"}));
  BOOST_CHECK_EXCEPTION((Neuron{"l", 0, 0, 0}.of(scores)), Error,
                        says({"'l'", "no place", "leave y and x out"}));
  BOOST_CHECK_EXCEPTION((Neuron{"l", 0}.of(maps().flatten(2))), Error, says({"'l'", "[2, 2, 6]", "N×C×H×W"}));
}

BOOST_AUTO_TEST_CASE(neuron_finds_the_strongest_place_on_the_image) {
  Images x = torch::zeros({2, 2, 3, 4});
  x[0][1][2][3] = 0.9;
  x[1][1][0][1] = 0.7;
  x[0][0][1][1] = 1;  // another channel
  const Neuron strongest{"maps", 1};
  BOOST_TEST(difference(strongest.of(x), torch::tensor({0.9, 0.7})) < 1e-6);
  const Neuron settled = strongest.resolve(marked(), x);
  BOOST_TEST(settled.y.values() == (std::vector<std::int64_t>{2, 0}), boost::test_tools::per_element());
  BOOST_TEST(settled.x.values() == (std::vector<std::int64_t>{3, 1}), boost::test_tools::per_element());
  // With noise as strong as the image, the place stays.
  Tensor expected = torch::zeros_like(x);
  expected[0][1][2][3] = expected[1][1][0][1] = 1;
  const auto found = Attribution<SmoothGrad>({.noise = 1.0})(marked(), x, strongest);
  BOOST_TEST(difference(found.attribution, expected) < 1e-6);
}

BOOST_AUTO_TEST_CASE(neuron_is_sought_in_micro_batches) {
  const Images x = test::some_images({7, 2, 3, 4});
  std::int64_t most = 0;
  const auto model = test::model_of(
      [&](const Tensor& images) {
        most = std::max(most, images.size(0));
        if (images.size(0) > 2) throw std::bad_alloc();
        return mark("maps", images * 1).mean({2, 3});
      },
      3);
  // One channel for each image.
  const Neuron settled = Neuron{"maps", {0, 1, 1, 0, 1, 0, 1}}.resolve(model, x);
  BOOST_TEST(most == 3);
  const std::vector<std::int64_t> channels{0, 1, 1, 0, 1, 0, 1};
  for (std::size_t n = 0; n < 7; ++n) {
    const Tensor map = x[std::int64_t(n)][channels[n]];
    BOOST_TEST(map[settled.y.values()[n]][settled.x.values()[n]].item<float>() == map.max().item<float>());
  }
}

BOOST_AUTO_TEST_CASE(neuron_needs_both_y_and_x_or_neither) {
  const Images x = test::some_images({1, 2, 3, 4});
  const Neuron row{.layer = "maps", .channel = 0, .y = 1};
  BOOST_CHECK_EXCEPTION(Attribution<Gradient>()(marked(), x, row), Error, says({"'maps'", "y", "x"}));
}

BOOST_AUTO_TEST_CASE(layer_is_the_mean_of_squares) {
  check(Layer{"l"}.of(scores), {(1 + 25 + 4) / 3.0, (16 + 0 + 9) / 3.0});
  check(Layer{"l"}.of(torch::full({2, 3, 4, 5}, 3.0, torch::kDouble)), {9, 9});
}

BOOST_AUTO_TEST_CASE(objectives_of_layers_reach_the_image) {
  const Images x = test::some_images({2, 2, 3, 4});
  const auto gradient = [&](const auto& objective) {
    return Attribution<Gradient>()(marked(), x, objective).attribution;
  };
  Tensor expected = torch::zeros_like(x);
  expected.select(1, 1).fill_(1.0 / 12);
  BOOST_TEST(difference(gradient(Channel{"maps", 1}), expected) < 1e-7);
  BOOST_TEST(difference(gradient(Layer{"maps"}), x / 12) < 1e-7);
  expected.zero_();
  expected.select(1, 0).select(1, 2).select(1, 1).fill_(1);
  BOOST_TEST(difference(gradient(Neuron{"maps", 0, 2, 1}), expected) < 1e-7);
  BOOST_CHECK_EXCEPTION(gradient(Layer{"mops"}), Error, says({"'mops'", "The closest: maps", "layers"}));
}

BOOST_AUTO_TEST_CASE(cross_entropy_in_nats) {
  // −ln(e³/(e¹ + e³ + e²)) = ln(1 + e⁻¹ + e⁻²)
  const Tensor s = torch::tensor({{1.0, 3.0, 2.0}, {0.0, 0.0, 0.0}}, torch::kDouble);
  const double least = std::log(1 + std::exp(-1) + std::exp(-2));
  check(CrossEntropy{1}.of(s), {least, std::log(3)});
  check(CrossEntropy{{2, 0}}.of(s), {least + 1, std::log(3)});
  check(CrossEntropy{{2, 0}}.select({1, 0}).of(s), {least + 2, std::log(3)});
  // Large scores do not overflow.
  check(CrossEntropy{0}.of(torch::tensor({{1000.0, 0.0}, {0.0, 1000.0}}, torch::kDouble)), {0, 1000});
  BOOST_CHECK_EXCEPTION(CrossEntropy{3}.of(s), Error, says({"class 3", "0 to 2"}));
}

BOOST_AUTO_TEST_CASE(the_probability_of_a_class) {
  // Scores 0 and ln 3: 1/4 and 3/4. Its derivative by the score of class 1 is p(1 − p) = 3/16.
  const Tensor scores = torch::tensor({{0.0, std::log(3.0)}, {std::log(3.0), 0.0}}, torch::kDouble);
  const auto same = test::model_of([](const Tensor& x) { return x; });
  const auto of = [&](const Probability& asked) { return resolve(asked, same, scores).of(scores); };
  BOOST_TEST(difference(of({1}), torch::tensor({0.75, 0.25})) < 1e-12);
  BOOST_TEST(difference(of({{1, 0}}), torch::tensor({0.75, 0.75})) < 1e-12);
  BOOST_TEST(difference(of({}), torch::tensor({0.75, 0.75})) < 1e-12);
  BOOST_TEST(difference(Probability{}.of(scores), torch::tensor({0.75, 0.75})) < 1e-12);
  BOOST_TEST(difference(resolve(Probability{}, same, scores).select({1}).of(scores.slice(0, 0, 1)),
                        torch::tensor({0.25})) < 1e-12);
  const Derivative d = differentiate(Probability{1}, same, scores);
  BOOST_TEST(difference(d.gradient[0], torch::tensor({-3.0 / 16, 3.0 / 16})) < 1e-12);
  // Scores so large that their exponentials overflow.
  BOOST_TEST(difference(Probability{0}.of(torch::tensor({{1e4, 0.0}})), torch::tensor({1.0})) == 0);
  BOOST_CHECK_EXCEPTION(of({2}), Error, says({"class 2", "0 to 1"}));
  BOOST_CHECK_EXCEPTION(of({{0, 1, 1}}), Error, says({"3 numbers", "2 images"}));
}

BOOST_AUTO_TEST_SUITE_END()
