// Steps, rates, parameters, starts and ends of an ascent, on networks whose gradient is known.
#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/gradient.hpp>
#include <pellucid/model/any_model.hpp>
#include <pellucid/objective/channel.hpp>
#include <pellucid/objective/direction.hpp>
#include <pellucid/objective/layer.hpp>
#include <pellucid/objective/neuron.hpp>
#include <pellucid/optimizer/presets.hpp>

#include <cmath>
#include <memory>

#include "finite_differences.hpp"
#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;

namespace {

Images row(std::vector<double> centered) {
  return torch::tensor(centered, torch::kFloat).view({1, 1, 1, -1}) + 0.5;
}

// S = w · x
const std::vector<double> w{1, -2, 0, 3};
const auto model = test::linear(torch::tensor({{1.0F, -2.0F, 0.0F, 3.0F}}));

Images ascended(const Ascent& ascent, const Images& start = row({0, 0, 0, 0})) {
  return Optimizer<Ascent>(ascent)(model, start, Class{0});
}

/// factor · w
Images along(double factor) {
  return row({factor * w[0], factor * w[1], factor * w[2], factor * w[3]});
}

/// What was run of a network of two layers.
struct CountedNet : torch::nn::Module {
  Tensor forward(Tensor x) {
    x = mark("first", x * 2);
    ++*seconds;
    return mark("second", x.flatten(1));
  }
  std::shared_ptr<int> seconds = std::make_shared<int>(0);
};

const Preprocess crop8{.crop = 8};

auto small_net(const Preprocess& preprocess = crop8) {
  return adapt(std::make_shared<test::SmallNet>(), preprocess, {.micro_batch = 2});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optimizer_ascent)

BOOST_AUTO_TEST_CASE(rates) {
  BOOST_TEST(difference(ascended({.steps = 2, .learning_rate = 0.05}), along(0.1)) < 1e-6);
  // ‖w‖² = 14: each step brings the score up by 0.7.
  BOOST_TEST(difference(ascended({.steps = 2, .learning_rate = ProgressRate{.progress = 0.7}}), along(0.1)) <
             1e-6);
  BOOST_TEST(difference(ascended({.steps = 1, .learning_rate = ProgressRate{.progress = 7, .limit = 0.1}}),
                        along(0.1)) < 1e-6);
  // The root mean square of w is √(14/4).
  BOOST_TEST(difference(ascended({.steps = 1, .learning_rate = NormalizedRate{.change = 0.1}}),
                        along(0.1 / std::sqrt(3.5))) < 1e-6);
  BOOST_TEST(difference(ascended({.steps = 4, .learning_rate = ScheduledRate{{{2, 0.04}, {1, 0.01}}}}),
                        along(0.1)) < 1e-6);
}

BOOST_AUTO_TEST_CASE(momentum_adds_up_and_begins_anew_where_the_rate_drops) {
  // v = 0.02, 0.038, 0.0542
  BOOST_TEST(difference(ascended({.steps = 3, .learning_rate = 0.02, .update = Momentum{0.9}}),
                        along(0.1122)) < 1e-6);
  // v = 0.02, 0.038, and anew 0.002
  BOOST_TEST(difference(ascended({.steps = 3,
                                  .learning_rate = ScheduledRate{{{2, 0.02}, {1, 0.002}}},
                                  .update = Momentum{0.9}}),
                        along(0.06)) < 1e-6);
}

BOOST_AUTO_TEST_CASE(adams_first_steps_are_the_rate_along_the_sign) {
  // With a constant gradient m̂ = g and v̂ = g² in every step.
  BOOST_TEST(difference(ascended({.steps = 3, .learning_rate = 0.1, .update = Adam{}}),
                        row({0.3, -0.3, 0, 0.3})) < 1e-5);
}

BOOST_AUTO_TEST_CASE(units_are_those_of_the_parameters) {
  // x = 255 · pixels: ∂S/∂x = w/255, and a step of x is 1/255 of a step of pixels.
  BOOST_TEST(
      difference(ascended({.steps = 1, .learning_rate = 0.1 * 255 * 255, .parameters = {.unit = 1.0 / 255}}),
                 along(0.1)) < 1e-5);
}

BOOST_AUTO_TEST_CASE(images_stay_legal) {
  const auto found =
      Optimizer<Ascent>({.steps = 10, .learning_rate = 1})(model, row({0, 0, 0.1, 0}), Class{0});
  BOOST_TEST(difference(found.synthesized, row({0.5, -0.5, 0.1, 0.5})) < 1e-6);
  // They are brought back before each pass, so the score is that of a legal image: 1 · 1 − 2 · 0 + 3 · 1.
  BOOST_TEST(found.values[0][-1].item<double>() == 4, boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(values_before_the_first_step_to_after_the_last) {
  const auto found =
      Optimizer<Ascent>({.steps = 2, .learning_rate = 0.05})(model, row({0, 0, 0, 0}), Class{0});
  // 0.5 · (1 − 2 + 3) = 1, and 0.05 · 14 more in each step.
  BOOST_TEST(difference(found.values, torch::tensor({{1.0, 1.7, 2.4}})) < 1e-5);
  BOOST_TEST(difference(found.images, found.synthesized) == 0);
  BOOST_TEST(!found.stopped);
  BOOST_TEST(found.unmoved.empty());
}

BOOST_AUTO_TEST_CASE(from_nothing_it_begins_with_noise_around_the_mean_image) {
  const Preprocess preprocess{.crop = 64, .mean = {0.2, 0.5, 0.7}, .std = {0.3}};
  const auto net = small_net(preprocess);
  const Images start = Ascent{.noise = 0.05}.start(net, Class{{1, 2}});
  BOOST_TEST(start.sizes() == (at::IntArrayRef{2, 3, 64, 64}));
  const Tensor mean = start.mean({0, 2, 3}), deviation = start.std({0, 2, 3}, false);
  BOOST_TEST(difference(mean, torch::tensor({0.2, 0.5, 0.7})) < 0.003);
  BOOST_TEST(difference(deviation, torch::full({3}, 0.05)) < 0.002);
  BOOST_TEST(difference(start[0], start[1]) > 0.1);
  // Grey is the mean image itself; a size may be asked for.
  const Images grey = Ascent{.noise = 0, .height = 10, .width = 12}.start(net, Class{1});
  BOOST_TEST(grey.sizes() == (at::IntArrayRef{1, 3, 10, 12}));
  BOOST_TEST(difference(grey.mean({0, 2, 3}), torch::tensor({0.2, 0.5, 0.7})) < 1e-6);
}

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_picture) {
  const auto dream = [](std::uint64_t seed) -> Images {
    return Optimizer<Ascent, RandomViews>({.steps = 5, .noise = 0.1, .seed = seed}, RandomViews())(
        small_net(), Class{2});
  };
  BOOST_TEST(difference(dream(3), dream(3)) == 0);
  BOOST_TEST(difference(dream(3), dream(4)) > 0.01);
}

BOOST_AUTO_TEST_CASE(a_batch_is_made_as_each_alone) {
  const Optimizer<Ascent> dream({.steps = 5, .noise = 0});
  const Images both = dream(small_net(), Channel{"second", {1, 4, 6}});
  BOOST_TEST(both.sizes() == (at::IntArrayRef{3, 3, 8, 8}));
  BOOST_TEST(difference(both[1], Images(dream(small_net(), Channel{"second", 4}))[0]) < 1e-5);
  BOOST_TEST(difference(both[2], Images(dream(small_net(), Channel{"second", 6}))[0]) < 1e-5);
}

BOOST_AUTO_TEST_CASE(every_kind_of_objective_is_climbed) {
  const auto net = small_net();
  const auto rises = [&](const auto& objective) {
    const auto found = Optimizer<Ascent>({.steps = 20})(net, objective);
    BOOST_TEST(found.values[0][-1].template item<double>() > found.values[0][0].template item<double>());
    return found;
  };
  rises(Class{3});
  rises(TopClass{});
  rises(Channel{"second", 5});
  rises(Neuron{"second", 5});
  rises(Neuron{"second", 5, 1, 2});
  rises(Layer{"first"});
  rises(Direction{"second", torch::arange(8, torch::kFloat)});
  // The strongest neuron is the strongest at each step.
  const auto found = rises(Neuron{"second", 5});
  const Tensor units = net.activation(found.synthesized, "second")[0][5];
  BOOST_TEST(found.values[0][-1].item<double>() == units.max().item<double>(),
             boost::test_tools::tolerance(1e-5));
}

BOOST_AUTO_TEST_CASE(directions_by_hand) {
  const Tensor output = torch::tensor({1.0, 3.0, 2.0, 6.0}).view({1, 2, 1, 2});  // channels of mean 2 and 4
  const auto of = [&](const Tensor& v) { return Direction{"", v}.of(output).item<double>(); };
  BOOST_TEST(of(torch::tensor({3.0, 4.0})) == (3 * 2 + 4 * 4) / 5.0, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(of(torch::tensor({0.0, 2.0, 0.0, 0.0}).view({2, 1, 2})) == 3,
             boost::test_tools::tolerance(1e-6));
  BOOST_CHECK_EXCEPTION(of(torch::ones(3)), Error, says({"[3]", "[1, 2, 1, 2]", "channels"}));
  BOOST_CHECK_EXCEPTION(of(torch::zeros(2)), Error, says({"v is zero"}));
}

BOOST_AUTO_TEST_CASE(it_runs_to_the_layer_and_no_further) {
  const auto net = std::make_shared<CountedNet>();
  const auto adapted = adapt(net, crop8);
  adapted.layers(torch::zeros({1, 3, 8, 8}));
  adapted.activation(torch::zeros({1, 3, 8, 8}), "first");
  const int before = *net->seconds;
  Optimizer<Ascent>({.steps = 20})(adapted, Channel{"first", 1});
  BOOST_TEST(*net->seconds == before);
}

BOOST_AUTO_TEST_CASE(other_sizes_than_the_models_are_not_resized) {
  // Larger than the crop: all of the image is optimised.
  const Images large =
      Optimizer<Ascent>({.steps = 3, .height = 20, .width = 24})(small_net(), Channel{"second", 1});
  BOOST_TEST(large.sizes() == (at::IntArrayRef{1, 3, 20, 24}));
  const AnyModel any = small_net();
  BOOST_TEST(difference(Images(Optimizer<Ascent>({.steps = 3, .height = 20, .width = 24})(
                            any, Channel{"second", 1})),
                        large) == 0);
}

BOOST_AUTO_TEST_CASE(octaves_keep_the_image_and_add_to_it) {
  const Images image = test::some_images({1, 3, 24, 24});
  const auto net = small_net({});
  // Where nothing is to be added the image comes back, whatever was resized on the way.
  const auto nothing = test::model_of([](const Tensor& x) { return x.flatten(1).sum(1, true) * 0; });
  BOOST_TEST(difference(Images(Optimizer<Ascent>({.steps = 2, .octaves = 3})(nothing, image, Class{0})),
                        image) < 1e-6);
  const auto value = [&](const Images& x) { return evaluate(Layer{"second"}, net, x).item<double>(); };
  const Images dreamt = Optimizer<Ascent>({.steps = 5, .octaves = 3})(net, image, Layer{"second"});
  BOOST_TEST(dreamt.sizes() == image.sizes());
  BOOST_TEST(value(dreamt) > 1.1 * value(image));
}

BOOST_AUTO_TEST_CASE(frames_every_few_steps) {
  std::vector<std::int64_t> steps;
  std::vector<double> values;
  const auto film = Optimizer<Ascent>({.steps = 7, .learning_rate = 0.01}).every(3, [&](const Frame& frame) {
    steps.push_back(frame.step);
    values.push_back(frame.values[0].item<double>());
    BOOST_TEST(frame.steps == 7);
    BOOST_TEST(evaluate(Class{0}, model, frame.images).item<double>() == values.back(),
               boost::test_tools::tolerance(1e-5));
  });
  film(model, row({0, 0, 0, 0}), Class{0});
  BOOST_TEST(steps == (std::vector<std::int64_t>{0, 3, 6, 7}), boost::test_tools::per_element());
  BOOST_TEST(values[1] == 1 + 3 * 0.14, boost::test_tools::tolerance(1e-5));
}

BOOST_AUTO_TEST_CASE(who_stops_it_has_the_image_so_far) {
  const Optimizer<Ascent> dream({.steps = 100, .learning_rate = 0.005});
  const auto by_frame =
      dream.every(1, [](const Frame& frame) { return frame.step < 10; })(model, row({0, 0, 0, 0}), Class{0});
  BOOST_TEST(by_frame.stopped);
  BOOST_TEST(difference(by_frame.synthesized, along(0.05)) < 1e-6);
  int calls = 0;
  const auto by_progress =
      dream(model, row({0, 0, 0, 0}), Class{0}, [&](const Progress&) { return ++calls < 30; });
  BOOST_TEST(by_progress.stopped);
  BOOST_TEST(by_progress.synthesized.sum().item<double>() > 2.001);
  BOOST_TEST(by_progress.values.size(1) < 100);
}

BOOST_AUTO_TEST_CASE(an_objective_that_does_not_move_is_reported) {
  const auto dead = test::model_of([](const Tensor& x) {
    return torch::cat({torch::relu(x.flatten(1).sum(1, true) - 1e6), x.flatten(1).sum(1, true)}, 1);
  });
  const Images start = torch::full({2, 1, 4, 4}, 0.5);
  const auto found = Optimizer<Ascent>({.steps = 200})(dead, start, Class{{0, 1}});
  BOOST_TEST(found.unmoved == (std::vector<std::int64_t>{0}), boost::test_tools::per_element());
  BOOST_TEST(found.values.size(1) == 201);
  // Where none moves there is no use in going on.
  const auto none = Optimizer<Ascent>({.steps = 200})(dead, start, Class{0});
  BOOST_TEST(none.unmoved.size() == 2U);
  BOOST_TEST(none.values.size(1) == 51);
  BOOST_TEST(difference(none.synthesized, start) == 0);
}

BOOST_AUTO_TEST_CASE(a_pipeline_may_begin_with_it) {
  const auto net = small_net();
  auto seen = Optimizer<Ascent>({.steps = 3}) | Attribution<Gradient>();
  const auto found = seen(net, Class{1});
  BOOST_TEST(found.attribution.sizes() == (at::IntArrayRef{1, 3, 8, 8}));
  BOOST_TEST(difference(found.images, found.synthesized) == 0);
  double last = 0;
  seen(net, Class{1}, [&](const Progress& progress) {
    BOOST_TEST(progress.fraction >= last);
    last = progress.fraction;
  });
  BOOST_TEST(last == 1);
}

BOOST_AUTO_TEST_CASE(fourier_there_and_back) {
  for (const auto& [height, width] : {std::pair(8, 10), std::pair(9, 7)}) {
    const Fourier fourier;
    const Images images = test::some_images({2, 3, height, width}) * 0.9 + 0.05;
    const Tensor center = torch::tensor({0.3F, 0.5F, 0.6F}).view({3, 1, 1});
    const Tensor x = fourier.parameters(images, center);
    BOOST_TEST(x.sizes() == (at::IntArrayRef{2, 3, height, width / 2 + 1, 2}));
    BOOST_TEST(difference(fourier.image(x, center, images.sizes()), images) < 1e-4);
    BOOST_TEST(difference(fourier.image(torch::zeros_like(x), center, images.sizes()),
                          center.expand_as(images)) < 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(one_coefficient_is_one_wave) {
  // x₁ = 1 at 2 cycles down a height of 8, F unitary: (2/√64) cos(2π · 2y/8), times contrast / f and the
  // brightness axis.
  const Fourier fourier{.contrast = 1, .falloff = 1};
  Tensor x = torch::zeros({1, 1, 8, 5, 2});
  x[0][0][2][0][0] = 1;
  const Tensor center = torch::full({1, 1, 1}, 0.5F);
  const Tensor plain = torch::logit(fourier.image(x, center, {1, 1, 8, 8}));
  const Tensor wave = (2 * M_PI * 2 * torch::arange(8, torch::kFloat) / 8).cos();
  // A real image has the coefficient's mirror as well; of the two irfft2 reads this one and takes the mean of
  // both.
  BOOST_TEST(difference(plain[0][0].select(1, 3), wave / 8 / 0.25) < 1e-5);
}

BOOST_AUTO_TEST_CASE(fourier_gradients_agree_with_finite_differences) {
  const Fourier fourier{.contrast = 0.5, .falloff = 1.5};
  const auto generator = at::make_generator<at::CPUGeneratorImpl>(5);
  const Tensor x = torch::randn({1, 3, 4, 3, 2}, generator, torch::kDouble) * 0.1;
  const Tensor center = torch::full({3, 1, 1}, 0.5, torch::kDouble),
               weights = torch::randn({1, 3, 4, 4}, generator, torch::kDouble);
  const auto value = [&](const Tensor& at) {
    return (fourier.image(at, center, {1, 3, 4, 4}) * weights).sum();
  };
  const Tensor leaf = x.clone().set_requires_grad(true);
  const Tensor gradient = torch::autograd::grad({value(leaf)}, {leaf})[0];
  BOOST_TEST(difference(gradient, test::finite_differences(value, x)) < 1e-8);
}

BOOST_AUTO_TEST_CASE(presets_are_as_published) {
  const auto check = [](const yosinski::Preset& preset, std::int64_t steps, double decay, double width,
                        double norm, double contribution) {
    const auto& [l2, blur, clip_norm, clip_contribution] = preset.regularizer().parts();
    BOOST_TEST(preset.method().steps == steps);
    BOOST_TEST(l2.decay == decay);
    BOOST_TEST(blur.width == width);
    if (width > 0) BOOST_TEST(blur.every == 4);
    BOOST_TEST(clip_norm.percentile == norm);
    BOOST_TEST(clip_contribution.percentile == contribution);
    BOOST_TEST(preset.method().parameters.unit == 1.0 / 255);
    BOOST_TEST(preset.method().noise == 10);
  };
  check(yosinski::a(), 500, 0, 0.5, 50, 0);
  check(yosinski::b(), 750, 0.3, 0, 20, 0);
  check(yosinski::c(), 1000, 0.0001, 1, 0, 0);
  check(yosinski::d(), 1000, 0, 0.5, 0, 90);
  // a: min(100, 2/‖g‖²)
  const Tensor weak = torch::full({1, 1, 1, 1}, 0.1), strong = torch::full({1, 1, 1, 1}, 10.0);
  BOOST_TEST(yosinski::a().method().learning_rate.at(1, weak).item<float>() == 100);
  BOOST_TEST(yosinski::a().method().learning_rate.at(1, strong).item<float>() == 0.02F);
  BOOST_TEST(yosinski::d().method().learning_rate.at(1, weak).item<float>() == 200,
             boost::test_tools::tolerance(1e-5F));
}

BOOST_AUTO_TEST_CASE(presets_take_options_by_name) {
  const auto found = natural({.steps = 2, .height = 16, .width = 12, .seed = 3})(test::small_net(), Class{1});
  BOOST_TEST((found.images.sizes() == torch::IntArrayRef{1, 3, 16, 12}));
  BOOST_TEST((found.values.sizes() == torch::IntArrayRef{1, 3}));  // before the first step, and after each
  BOOST_TEST(natural().method().steps == 200);
  BOOST_TEST(natural(50).method().steps == 50);
  BOOST_TEST(natural({.height = 8}).method().steps == 200);
  BOOST_CHECK_EXCEPTION(natural(0), Error, says({"0 steps"}));
  BOOST_CHECK_EXCEPTION(natural({.steps = 0}), Error, says({"0 steps"}));
  BOOST_TEST(yosinski::b({.height = 8, .width = 9}).method().steps == 750);
  BOOST_TEST(yosinski::b({.height = 8, .width = 9}).method().width == 9);
  BOOST_TEST(yosinski::d({.steps = 7, .seed = 5}).method().steps == 7);
  BOOST_TEST(yosinski::d({.steps = 7, .seed = 5}).method().seed == 5);
}

BOOST_AUTO_TEST_CASE(refusals) {
  BOOST_CHECK_EXCEPTION(Optimizer<Ascent>({.steps = 0}), Error, says({"0 steps", "1 or more"}));
  BOOST_CHECK_EXCEPTION(Optimizer<Ascent>({.learning_rate = 0.0}), Error, says({"rate", "0.0"}));
  BOOST_CHECK_EXCEPTION(Optimizer<Ascent>({.learning_rate = ScheduledRate{}}), Error, says({"phase"}));
  BOOST_CHECK_EXCEPTION(Optimizer<Ascent>({.update = Momentum{1}}), Error, says({"Momentum", "below 1"}));
  BOOST_CHECK_EXCEPTION(Optimizer<Ascent>({.update = Adam{.beta1 = 1}}), Error, says({"Adam", "below 1"}));
  BOOST_CHECK_EXCEPTION(Optimizer<Ascent>({.octaves = 0}), Error, says({"0 octaves"}));
  BOOST_CHECK_EXCEPTION(Optimizer<Ascent>({.parameters = {.unit = 0}}), Error, says({"unit", "above 0"}));
  BOOST_CHECK_EXCEPTION(Optimizer<Ascent>().every(0, NoFrames()), Error, says({"every 0 steps"}));
  // No size is known.
  BOOST_CHECK_EXCEPTION(Optimizer<Ascent>()(small_net({}), Class{1}), Error, says({".height", "crops"}));
  const auto blows_up = test::sum_of([](const Tensor& x) { return (x * 1e30).square(); });
  BOOST_CHECK_EXCEPTION(
      Optimizer<Ascent>({.steps = 3, .learning_rate = 1})(blows_up, row({0.1, 0, 0, 0}), Class{0}), Error,
      says({"step 1", "learning rate"}));
}

BOOST_AUTO_TEST_SUITE_END()
