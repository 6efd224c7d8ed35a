#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/gradient.hpp>
#include <pellucid/attribution/methods/input_x_gradient.hpp>
#include <pellucid/attribution/methods/integrated_gradients.hpp>
#include <pellucid/attribution/methods/smoothgrad.hpp>
#include <pellucid/objective/channel.hpp>
#include <pellucid/objective/cross_entropy.hpp>

#include <cmath>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;

namespace {

auto integrated(const auto& model, const Images& images, IntegratedGradients options = {}) {
  return Attribution<IntegratedGradients>(options)(model, images, Class{0});
}

Tensor baseline_of(const Baseline& baseline, const Images& images, std::vector<std::int64_t> numbers) {
  Silent silent;
  return baseline.of(Subject<Class>{images, Class{0}, std::move(numbers), Reporter<Silent>(silent)});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attribution_gradients)

BOOST_AUTO_TEST_CASE(gradient_of_known_functions) {
  const Images x = test::some_images({5, 3, 4, 4}) * 2 - 1;
  const auto gradient = [&](const auto& model) {
    return Attribution<Gradient>()(model, x, Class{0}).attribution;
  };
  BOOST_TEST(difference(gradient(test::sum_of([](const Tensor& t) { return t.square(); })), 2 * x) < 1e-6);
  BOOST_TEST(difference(gradient(test::sum_of([](const Tensor& t) { return t.sin(); })), x.cos()) < 1e-6);
  const Tensor weights = torch::randn({2, 48});
  BOOST_TEST(difference(gradient(test::linear(weights)), weights[0].view({1, 3, 4, 4}).expand_as(x)) == 0);
}

BOOST_AUTO_TEST_CASE(gradient_is_that_of_finite_differences) {
  auto net = std::make_shared<test::SmallNet>();
  net->to(torch::kDouble);
  const auto model = adapt(net);
  const Images x = test::some_images({2, 3, 9, 8}).to(torch::kDouble);
  const double step = 1e-6;
  const CrossEntropy objective{{1, 4}};
  const Tensor found = Attribution<Gradient>()(model, x, objective).attribution;
  for (const std::int64_t at : {0, 17, 100, 200, 215, 216, 300, 431}) {
    Tensor up = x.clone(), down = x.clone();
    up.view(-1)[at] += step;
    down.view(-1)[at] -= step;
    const Tensor slope = (objective.of(model(up)) - objective.of(model(down))).sum() / (2 * step);
    BOOST_TEST(found.view(-1)[at].item<double>() == slope.item<double>(), boost::test_tools::tolerance(1e-5));
  }
}

BOOST_AUTO_TEST_CASE(gradient_leaves_the_module_as_it_was) {
  auto net = std::make_shared<test::SmallNet>();
  net->train();
  net->last->eval();
  net->first->bias.set_requires_grad(false);
  Attribution<Gradient>()(adapt(net), test::some_images({2, 3, 8, 8}));
  BOOST_TEST(net->is_training());
  BOOST_TEST(net->first->is_training());
  BOOST_TEST(!net->last->is_training());
  BOOST_TEST(net->first->weight.requires_grad());
  BOOST_TEST(!net->first->bias.requires_grad());
  BOOST_TEST(!net->first->weight.grad().defined());
}

BOOST_AUTO_TEST_CASE(gradient_under_no_grad_is_the_gradient) {
  const torch::NoGradGuard no_grad;
  const Images x = test::some_images({1, 6});
  const auto model = test::sum_of([](const Tensor& t) { return t.square(); });
  BOOST_TEST(difference(Attribution<Gradient>()(model, x).attribution, 2 * x) == 0);
  BOOST_TEST(!Attribution<Gradient>()(model, x).attribution.requires_grad());
}

BOOST_AUTO_TEST_CASE(a_model_without_a_path_is_refused) {
  const Images x = test::some_images({2, 4});
  const Attribution<Gradient> why;
  const auto expected = says({"does not depend on the images", "no path", "detach()"});
  BOOST_CHECK_EXCEPTION(why(test::model_of([](const Tensor& t) {
                              return torch::ones({t.size(0), 3});
                            }),
                            x),
                        Error, expected);
  BOOST_CHECK_EXCEPTION(why(test::sum_of([](const Tensor& t) { return t.detach(); }), x), Error, expected);
  // Nor when something else in the graph asks for a gradient.
  const Tensor weight = torch::ones({1}).requires_grad_();
  BOOST_CHECK_EXCEPTION(why(test::sum_of([&](const Tensor& t) { return weight * t.detach(); }), x), Error,
                        expected);
  const auto unheeding = test::model_of([](const Tensor& t) {
    const torch::NoGradGuard no_grad;
    return t.sum(1, true);
  });
  BOOST_CHECK_EXCEPTION(why(unheeding, x), Error, expected);
}

BOOST_AUTO_TEST_CASE(a_notice_is_about_its_image) {
  const Images x = torch::tensor({{1.0F}, {-1.0F}, {2.0F}});
  const auto found = Attribution<Gradient>()(test::sum_of([](const Tensor& t) { return t.relu(); }), x);
  BOOST_TEST(found.notices.size() == 1u);
  BOOST_TEST(found.notices.count(1) == 1u);
}

BOOST_AUTO_TEST_CASE(numbers_that_are_none_are_refused) {
  const Images x = torch::tensor({{1.0F}, {0.0F}});
  const auto steep = test::sum_of([](const Tensor& t) { return t.sqrt(); });  // 1/0 at 0
  BOOST_CHECK_EXCEPTION(Attribution<Gradient>()(steep, x, Class{0}), Error,
                        says({"attribution of image 1", "NaN or infinity"}));
  const auto damaged = test::sum_of([](const Tensor& t) { return t / t; });
  BOOST_CHECK_EXCEPTION(predict(damaged, x), Error, says({"NaN", "image 1"}));
}

BOOST_AUTO_TEST_CASE(a_backward_pass_that_fails_says_why_in_one_line) {
  const auto wrong = test::sum_of([](const Tensor& t) {
    Tensor y = t.sigmoid();
    y.add_(1);  // what the backward pass of sigmoid needs is gone
    return y;
  });
  BOOST_CHECK_EXCEPTION(
      Attribution<Gradient>()(wrong, torch::ones({1, 2}), Class{0}), Error, [](const Error& error) {
        const std::string what = error.what();
        return what.find("inplace operation") != std::string::npos && what.find('\n') == std::string::npos;
      });
}

BOOST_AUTO_TEST_CASE(images_of_inference_mode_can_be_explained) {
  const auto model = test::sum_of([](const Tensor& t) { return t.square(); });
  Images x;
  {
    const c10::InferenceMode on;
    x = torch::full({1, 3}, 2.0F);
  }
  BOOST_TEST(difference(Attribution<Gradient>()(model, x).attribution, torch::full({1, 3}, 4.0F)) == 0);
  const c10::InferenceMode on;
  BOOST_TEST(difference(Attribution<SmoothGrad>({.noise = 0})(model, x).attribution,
                        torch::full({1, 3}, 4.0F)) == 0);
}

BOOST_AUTO_TEST_CASE(a_gradient_of_zero_is_zeros_and_a_notice) {
  const Images x = test::some_images({2, 4});
  const auto off = Attribution<Gradient>()(test::sum_of([](const Tensor& t) { return (t - 5).relu(); }), x);
  BOOST_TEST(test::largest(off.attribution) == 0);
  BOOST_REQUIRE(off.notices.size() == 2u);
  BOOST_TEST(off.notices.begin()->second.find("zero everywhere") != std::string::npos);
  const auto on = Attribution<Gradient>()(test::sum_of([](const Tensor& t) { return t.relu(); }), x);
  BOOST_TEST(on.notices.empty());
}

BOOST_AUTO_TEST_CASE(what_a_model_cannot_take_is_an_error_of_one_line) {
  const auto model = test::small_net();
  const auto one_line = [](const Error& error) {
    return says({"[2, 4, 8, 8]", "could not be run"})(error) &&
           std::string(error.what()).find('\n') == std::string::npos;
  };
  BOOST_CHECK_EXCEPTION(Attribution<Gradient>()(model, torch::zeros({2, 4, 8, 8})), Error, one_line);
  BOOST_CHECK_EXCEPTION(Attribution<Gradient>()(model, torch::zeros({2, 4, 8, 8}), Channel{"first", 0}),
                        Error, one_line);
}

BOOST_AUTO_TEST_CASE(a_layer_that_is_not_there_brings_the_closest_names) {
  const Images x = test::some_images({1, 3, 8, 8});
  BOOST_CHECK_EXCEPTION(Attribution<Gradient>()(test::small_net(), x, Channel{"secnod", 0}), Error,
                        says({"'secnod'", "The closest: second", "All 3", "model.layers(images)"}));
}

BOOST_AUTO_TEST_CASE(input_x_gradient) {
  const Images x = test::some_images({5, 3, 2, 2}) * 2 - 1;
  const auto squares = test::sum_of([](const Tensor& t) { return t.square(); });
  BOOST_TEST(difference(Attribution<InputXGradient>()(squares, x).attribution, 2 * x.square()) < 1e-6);
  // Of a linear model, Σ attribution is the score.
  const auto model = test::linear(torch::randn({3, 12}));
  const Tensor found = Attribution<InputXGradient>()(model, x, Class{2}).attribution;
  BOOST_TEST(difference(found.flatten(1).sum(1), model(x).select(1, 2)) < 1e-5);
}

BOOST_AUTO_TEST_CASE(integrated_gradients_of_a_product) {
  // S = ab from black: ∂S/∂a on the way is tb, so a∫tb dt = ab/2; b the same.
  const auto model = test::model_of([](const Tensor& x) { return x.prod(1, true); });
  const Images x = torch::tensor({{3.0F, 5.0F}, {-2.0F, 4.0F}});
  const auto found = integrated(model, x, {.steps = 1});  // one node is exact for a gradient of degree 1
  BOOST_TEST(difference(found.attribution, torch::tensor({{7.5F, 7.5F}, {-4.0F, -4.0F}})) < 1e-6);
  BOOST_TEST(test::largest(found.completeness_gap) < 1e-6);
}

BOOST_AUTO_TEST_CASE(integrated_gradients_of_a_cube) {
  // S = Σx³ from black: x∫3t²x² dt = x³. Two nodes are exact; one, at t = ½, gives 3x³/4.
  const auto model = test::sum_of([](const Tensor& x) { return x.pow(3); }, 3);
  const Images x = test::some_images({4, 3, 5, 5}) * 2 - 1;
  for (const std::int64_t steps : {2, 3, 7, 50}) {
    const auto found = integrated(model, x, {.steps = steps});
    BOOST_TEST(difference(found.attribution, x.pow(3)) < 1e-5);
    BOOST_TEST((found.completeness_gap.sizes() == torch::IntArrayRef{4}));
    BOOST_TEST(test::largest(found.completeness_gap) < 1e-4);
  }
  const auto coarse = integrated(model, x, {.steps = 1});
  BOOST_TEST(difference(coarse.attribution, 0.75 * x.pow(3)) < 1e-5);
  BOOST_TEST(difference(coarse.completeness_gap, -0.25 * x.pow(3).flatten(1).sum(1)) < 1e-4);
}

BOOST_AUTO_TEST_CASE(integrated_gradients_from_every_baseline) {
  // S = Σx²: (x − b)∫2(b + t(x − b)) dt = x² − b².
  const auto model = test::sum_of([](const Tensor& x) { return x.square(); });
  const Images x = test::some_images({3, 3, 6, 5});
  const auto check = [&](const Baseline& baseline, const Tensor& b) {
    const auto found = integrated(model, x, {.steps = 3, .baseline = baseline});
    BOOST_TEST(difference(found.attribution, x.square() - b.square()) < 1e-5);
    BOOST_TEST(test::largest(found.completeness_gap) < 1e-4);
  };
  check(Baseline::black(), torch::zeros_like(x));
  check(Baseline::mean(), x.mean({2, 3}, true).expand_as(x));
  const Tensor own = test::some_images({3, 3, 6, 5}, 2);
  check(Baseline::image(own), own);
  check(Baseline::image(own[1].unsqueeze(0)), own[1].unsqueeze(0).expand_as(x));
  const Tensor noise = baseline_of(Baseline::noise(4), x, {0, 1, 2});
  check(Baseline::noise(4), noise);
  check(Baseline::blur(1.5), baseline_of(Baseline::blur(1.5), x, {0, 1, 2}));
}

BOOST_AUTO_TEST_CASE(each_image_keeps_its_baseline_in_another_method) {
  const auto model = test::sum_of([](const Tensor& x) { return x.square(); }, 3);
  const Images x = test::some_images({8, 3, 4, 4});
  const Tensor own = test::some_images({8, 3, 4, 4}, 2);
  const Attribution<Smoothed<IntegratedGradients>> nested(
      {.samples = 5, .noise = 0, .base = {.steps = 3, .baseline = Baseline::image(own)}});
  BOOST_TEST(difference(nested(model, x, Class{0}).attribution, x.square() - own.square()) < 1e-5);
}

BOOST_AUTO_TEST_CASE(baselines_of_other_shapes) {
  const Tensor values = test::some_images({2, 7});
  BOOST_TEST(difference(baseline_of(Baseline::mean(), values, {0, 1}),
                        values.mean(1, true).expand_as(values)) < 1e-6);
  const Tensor sequence = test::some_images({2, 3, 7});
  BOOST_TEST(difference(baseline_of(Baseline::mean(), sequence, {0, 1}),
                        sequence.mean(2, true).expand_as(sequence)) < 1e-6);
}

BOOST_AUTO_TEST_CASE(the_noise_baseline_is_uniform) {
  const Tensor x = torch::zeros({2, 3, 100, 100});
  const Tensor noise = baseline_of(Baseline::noise(1), x, {5, 6});
  BOOST_TEST(noise.min().item<double>() >= 0);
  BOOST_TEST(noise.max().item<double>() <= 1);
  BOOST_TEST(std::abs(noise.mean().item<double>() - 0.5) < 0.005);
  BOOST_TEST(std::abs(noise.var().item<double>() - 1.0 / 12) < 0.002);
  BOOST_TEST(difference(noise[0], noise[1]) > 0.5);
  // By the images' numbers, not their rows.
  BOOST_TEST(baseline_of(Baseline::noise(1), x.narrow(0, 0, 1), {6})[0].equal(noise[1]));
  BOOST_TEST(!baseline_of(Baseline::noise(2), x, {5, 6}).equal(noise));
}

BOOST_AUTO_TEST_CASE(the_blur_baseline_is_a_gaussian) {
  // A point spreads as exp(−(dy² + dx²)/2w²), normalised; a constant stays.
  Tensor x = torch::zeros({1, 1, 41, 41});
  x[0][0][20][20] = 1;
  const double width = 2;
  const Tensor offset = torch::arange(-20, 21, torch::kDouble);
  const Tensor bell = (-offset.square() / (2 * width * width)).exp();
  const Tensor expected = torch::outer(bell, bell) / bell.sum().square();
  BOOST_TEST(difference(baseline_of(Baseline::blur(width), x, {0})[0][0], expected) < 1e-4);
  const Tensor even = torch::full({1, 3, 5, 7}, 0.3F);
  BOOST_TEST(difference(baseline_of(Baseline::blur(), even, {0}), even) < 1e-6);  // wider than the image
}

BOOST_AUTO_TEST_CASE(baselines_that_cannot_be) {
  const auto model = test::sum_of([](const Tensor& x) { return x.square(); });
  const Images x = test::some_images({2, 3, 4, 4});
  BOOST_CHECK_EXCEPTION(integrated(model, x, {.baseline = Baseline::image(torch::zeros({1, 3, 4, 5}))}),
                        Error, says({"[1, 3, 4, 5]", "[2, 3, 4, 4]"}));
  BOOST_CHECK_EXCEPTION(integrated(model, x, {.baseline = Baseline::image(torch::zeros({3, 3, 4, 4}))}),
                        Error, says({"[3, 3, 4, 4]", "one for each"}));
  BOOST_CHECK_EXCEPTION(integrated(model, x, {.baseline = Baseline::image(torch::zeros({3, 4, 4}))}), Error,
                        says({"[3, 4, 4]"}));
  BOOST_CHECK_EXCEPTION(Baseline::image(Tensor()), Error, says({"no tensor was given"}));
  BOOST_CHECK_EXCEPTION(Baseline::image(torch::full({1, 3, 4, 4}, NAN)), Error, says({"NaN"}));
  BOOST_CHECK_EXCEPTION(Baseline::image(torch::zeros({1, 3, 4, 4}, torch::kByte)), Error, says({"Byte"}));
  BOOST_CHECK_EXCEPTION(Baseline::blur(0), Error, says({"width", "above 0"}));
  BOOST_CHECK_EXCEPTION(Baseline::blur(NAN), Error, says({"width", "above 0"}));
}

BOOST_AUTO_TEST_CASE(integrated_gradients_is_the_same_for_every_micro_batch) {
  const Images x = test::some_images({3, 3, 12, 12});
  const Tensor expected = integrated(test::small_net(1), x).attribution;
  for (const std::int64_t micro_batch : {3, 7, 16, 50}) {
    const auto found = integrated(test::small_net(micro_batch), x);
    BOOST_TEST(test::relative_difference(found.attribution, expected) < 1e-5);
  }
  BOOST_TEST(test::largest(integrated(test::small_net(), x).completeness_gap) < 1e-3);
}

BOOST_AUTO_TEST_CASE(steps_are_checked_at_construction) {
  BOOST_CHECK_EXCEPTION(Attribution<IntegratedGradients>({.steps = 0}), Error,
                        says({"steps is 0", "at least 1"}));
}

BOOST_AUTO_TEST_SUITE_END()
