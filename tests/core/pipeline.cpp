#include <boost/test/unit_test.hpp>

#include <pellucid/attack/methods/fgsm.hpp>
#include <pellucid/attribution/methods/gradient.hpp>
#include <pellucid/attribution/methods/input_x_gradient.hpp>
#include <pellucid/attribution/methods/integrated_gradients.hpp>
#include <pellucid/attribution/methods/smoothgrad.hpp>
#include <pellucid/objective/channel.hpp>
#include <pellucid/objective/layer.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;

namespace {

/// A stage that notes its name.
struct Note : Stage<Note> {
  template <class S>
  static constexpr bool takes = true;
  template <class S>
  using Gives = S;

  Note(std::string name, std::vector<std::string>& log) : name_(std::move(name)), log_(&log) {}
  template <class M, class S>
  S run(const M&, S subject) const {
    log_->push_back(name_);
    return subject;
  }

 private:
  std::string name_;
  std::vector<std::string>* log_;
};

/// A method of one's own: how many numbers each value's image has been given.
struct Numbers {
  double factor = 1;

  template <class M, class S>
  Tensor operator()(const M&, const S& subject) const {
    Tensor result = torch::ones_like(subject.images);
    for (std::size_t i = 0; i < subject.numbers.size(); ++i)
      result[std::int64_t(i)] *= factor * double(subject.numbers[i]);
    return result;
  }
};

/// A model of one's own, never adapted: scores x·(1, 2), and a layer "twice" that is 2x.
struct OwnModel {
  Tensor operator()(const Images& images) const { return observe(images, {""})[0]; }
  std::vector<Tensor> observe(const Images& images, const std::vector<std::string>& layers) const {
    std::vector<Tensor> outputs;
    for (const std::string& layer : layers)
      outputs.push_back(layer == "twice" ? 2 * images
                                         : images.matmul(torch::tensor({{1.0F, 0.0F}, {2.0F, 0.0F}})));
    return outputs;
  }
};

/// Two classes of images 1×2: s₀ = 3a − b, s₁ = b − a.
Tensor two_classes() {
  return torch::tensor({{3.0F, -1.0F}, {-1.0F, 1.0F}});
}

std::vector<double> fractions_of(const auto& stage, const auto& model, const Images& images) {
  std::vector<double> fractions;
  double least_left = 0;
  stage(model, images, Class{0}, [&](const Progress& progress) {
    fractions.push_back(progress.fraction);
    least_left = std::min(least_left, progress.seconds_left);
  });
  BOOST_TEST(least_left == 0);
  return fractions;
}

void check_that_it_rises_to_one(const std::vector<double>& fractions) {
  BOOST_REQUIRE(!fractions.empty());
  double most = 0, back = 0;
  for (const double fraction : fractions) {
    back = std::max(back, most - fraction);
    most = std::max(most, fraction);
  }
  BOOST_TEST(back < 1e-12);
  BOOST_TEST(most < 1 + 1e-12);
  BOOST_TEST(fractions.front() > 0);
  BOOST_TEST(fractions.back() == 1.0, boost::test_tools::tolerance(1e-12));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_pipeline)

BOOST_AUTO_TEST_CASE(stages_run_from_left_to_right) {
  std::vector<std::string> log;
  const auto model = test::linear(two_classes());
  const auto lambda = [&](const auto&, auto subject) {
    log.push_back("lambda");
    return subject;
  };
  const auto all = Note("a", log) | Note("b", log) | lambda | Note("c", log);
  all(model, torch::ones({1, 2}));
  BOOST_TEST(log == (std::vector<std::string>{"a", "b", "lambda", "c"}), boost::test_tools::per_element());
  log.clear();
  const auto nested = lambda | (Note("a", log) | (Note("b", log) | Note("c", log)));
  nested(model, torch::ones({1, 2}));
  BOOST_TEST(log == (std::vector<std::string>{"lambda", "a", "b", "c"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_lambda_in_the_middle_changes_what_follows) {
  const auto model = test::sum_of([](const Tensor& x) { return x.square(); });
  const Images x = torch::tensor({{1.0F, 2.0F, -3.0F}});
  const auto doubled = Attribution<Gradient>() | [](const auto&, auto subject) {
    subject.images = subject.images * 2;
    return subject;
  } | Attribution<InputXGradient>();
  BOOST_TEST(difference(doubled(model, x).attribution, 2 * (2 * x).square()) == 0);
  BOOST_TEST(difference(doubled(model, x).images, 2 * x) == 0);
  BOOST_TEST(difference(x, torch::tensor({{1.0F, 2.0F, -3.0F}})) == 0);
}

BOOST_AUTO_TEST_CASE(a_second_attribution_takes_the_place_of_the_first) {
  const auto model = test::sum_of([](const Tensor& x) { return x.square(); });
  const Images x = torch::tensor({{1.0F, 2.0F, -3.0F}});
  const auto two = Attribution<InputXGradient>() | Attribution<Gradient>();
  static_assert(std::same_as<decltype(two(model, x)), decltype(Attribution<Gradient>()(model, x))>);
  BOOST_TEST(difference(two(model, x).attribution, 2 * x) == 0);
  // Also of what it found beside: plain gradients have no standard error, and nothing is left of the first's.
  const auto smoothed = Attribution<SmoothGrad>() | Attribution<Gradient>();
  BOOST_TEST(!smoothed(model, x).standard_error.defined());
}

BOOST_AUTO_TEST_CASE(a_subject_goes_on_in_another_pipeline) {
  const auto model = test::sum_of([](const Tensor& x) { return x.square(); });
  const Images x = torch::tensor({{1.0F, 2.0F}});
  const auto first = Attribution<Gradient>()(model, x, Class{0});
  BOOST_TEST(difference(Attribution<InputXGradient>()(model, first).attribution, 2 * x.square()) == 0);
}

BOOST_AUTO_TEST_CASE(after_an_attack_the_attacked_image_is_explained) {
  // (0.5, 0.9): s = (0.6, 0.4). One step of 0.1 against class 0 gives (0.4, 1): s = (0.2, 0.6), class 1.
  const auto model = test::linear(two_classes());
  const Images x = torch::tensor({{0.5F, 0.9F}});
  const auto fooled = Attack<FGSM>({.epsilon = 0.1}) | Attribution<Gradient>();
  const auto top = fooled(model, x);
  BOOST_TEST(difference(top.images, torch::tensor({{0.4F, 1.0F}})) < 1e-6);
  BOOST_TEST(difference(top.original, x) == 0);
  BOOST_TEST(difference(top.attribution, two_classes()[1].unsqueeze(0)) < 1e-6);
  BOOST_TEST(top.before[0].label == 0);
  BOOST_TEST(top.after[0].label == 1);
  // Asked about class 0, both stages are about class 0.
  const auto fixed = fooled(model, x, Class{0});
  BOOST_TEST(difference(fixed.images, top.images) == 0);
  BOOST_TEST(difference(fixed.attribution, two_classes()[0].unsqueeze(0)) < 1e-6);
}

BOOST_AUTO_TEST_CASE(the_same_method_by_its_value) {
  const auto model = test::sum_of([](const Tensor& x) { return x.square(); });
  const Images x = test::some_images({2, 3});
  const Attribution by_value{SmoothGrad{.samples = 4, .seed = 9}};
  const auto by_type = Attribution<SmoothGrad>({.samples = 4, .seed = 9});
  static_assert(std::same_as<const Attribution<SmoothGrad>, decltype(by_value)>);
  BOOST_TEST(by_value(model, x).attribution.equal(by_type(model, x).attribution));
}

BOOST_AUTO_TEST_CASE(models_of_ones_own_need_no_adapting) {
  const Images x = torch::tensor({{0.25F, 0.5F}});
  const OwnModel own;
  BOOST_TEST(
      difference(Attribution<Gradient>()(own, x, Class{0}).attribution, torch::tensor({{1.0F, 2.0F}})) == 0);
  // mean((2x)²) over two values: the gradient is 4x.
  BOOST_TEST(difference(Attribution<Gradient>()(own, x, Layer{"twice"}).attribution, 4 * x) < 1e-6);

  const auto lambda = [](const Tensor& images) { return images.square().flatten(1).sum(1, true); };
  BOOST_TEST(difference(Attribution<Gradient>()(lambda, x).attribution, 2 * x) == 0);
  BOOST_CHECK_EXCEPTION(Attribution<Gradient>()(lambda, x, Layer{"conv1"}), Error,
                        says({"plain callable", "conv1", "adapt"}));
}

BOOST_AUTO_TEST_CASE(objectives_of_ones_own_are_callables) {
  const auto model = test::linear(two_classes());
  const Images x = torch::tensor({{0.5F, 0.9F}, {0.1F, 0.2F}});
  const auto margin = [](const auto& m, const Images& images) {
    const Tensor scores = m(images);
    return scores.select(1, 0) - scores.select(1, 1);
  };
  const auto found = Attribution<Gradient>()(model, x, margin);
  BOOST_TEST(difference(found.attribution, torch::tensor({{4.0F, -2.0F}, {4.0F, -2.0F}})) < 1e-6);

  const auto whole = [](const auto& m, const Images& images) { return m(images); };
  BOOST_CHECK_EXCEPTION(Attribution<Gradient>()(model, x, whole), Error,
                        says({"[2, 2]", "2 images", "shape [2]"}));
  const auto one = [](const auto& m, const Images& images) { return m(images).sum(); };
  BOOST_CHECK_EXCEPTION(Attribution<Gradient>()(model, x, one), Error, says({"[]", "one number per image"}));
}

BOOST_AUTO_TEST_CASE(methods_of_ones_own_fit_in) {
  const auto model = test::linear(two_classes());
  const auto found = Attribution<Numbers>({.factor = 10})(model, torch::ones({3, 2}));
  BOOST_TEST(difference(found.attribution.select(1, 0), torch::tensor({0.0F, 10.0F, 20.0F})) == 0);
  // Inside another method each image keeps its number.
  const auto smoothed = Attribution<Smoothed<Numbers>>({.samples = 5})(model, torch::ones({3, 2}));
  BOOST_TEST(difference(smoothed.attribution.select(1, 0), torch::tensor({0.0F, 1.0F, 2.0F})) < 1e-6);
}

BOOST_AUTO_TEST_CASE(images_are_brought_to_the_models_size_once) {
  const auto model = adapt(test::Function([](const Tensor& x) { return x.square().flatten(1).sum(1, true); }),
                           {.resize = 8, .crop = 6, .mean = {0.5}, .std = {0.25}});
  const Images x = test::some_images({2, 3, 10, 12});
  const auto found = Attribution<Gradient>()(model, x);
  const Images fitted = center_crop(resize(x, 8, 9), 6);
  BOOST_TEST(difference(found.images, fitted) < 1e-6);
  // Σ ((x − 0.5)/0.25)²: the gradient is in pixels, 2(x − 0.5)/0.25².
  BOOST_TEST(difference(found.attribution, 2 * (fitted - 0.5) / (0.25 * 0.25)) < 1e-4);
}

BOOST_AUTO_TEST_CASE(images_that_no_method_can_work_on_are_refused) {
  const auto model = test::sum_of([](const Tensor& x) { return x.square(); });
  const Attribution<Gradient> why;
  BOOST_CHECK_EXCEPTION(why(model, torch::zeros({0, 3, 4, 4})), Error, says({"empty batch", "[0, 3, 4, 4]"}));
  BOOST_CHECK_EXCEPTION(why(model, Tensor()), Error, says({"no tensor was given", "undefined"}));
  BOOST_CHECK_EXCEPTION(why(model, torch::zeros({5})), Error, says({"[5]", "N×…", "unsqueeze(0)"}));
  BOOST_CHECK_EXCEPTION(why(model, torch::zeros({1, 3, 4, 4}, torch::kByte)), Error,
                        says({"Byte", "[0, 1]", "/ 255"}));
  Images x = torch::zeros({1, 3, 4, 4});
  x[0][1][2][3] = std::numeric_limits<float>::quiet_NaN();
  x[0][0][0][0] = std::numeric_limits<float>::infinity();
  BOOST_CHECK_EXCEPTION(why(model, x), Error, says({"2 of 48", "NaN or infinite", "[0, 1]"}));
  // Finite numbers whose sum is not.
  const Images large = torch::full({1, 3, 4, 4}, std::numeric_limits<float>::max() / 4);
  const auto mean = test::sum_of([](const Tensor& values) { return values / 48; });
  BOOST_TEST((why(mean, large).attribution == 1.0 / 48).all().item<bool>());
}

BOOST_AUTO_TEST_CASE(the_callers_images_stay_as_they_are) {
  const auto in_place = test::model_of([](const Tensor& x) {
    Tensor y = x;
    return y.mul_(2).flatten(1).sum(1, true);
  });
  const Images x = torch::ones({1, 4});
  const auto found = (Attack<FGSM>() | Attribution<Gradient>())(in_place, x);
  BOOST_TEST(difference(x, torch::ones({1, 4})) == 0);
  BOOST_TEST(difference(found.original, torch::ones({1, 4})) == 0);
  BOOST_TEST(difference(found.attribution, torch::full({1, 4}, 2.0F)) == 0);
}

BOOST_AUTO_TEST_CASE(a_choice_of_images_keeps_what_is_theirs) {
  Silent nobody;
  const Images x = torch::arange(6, torch::kFloat).view({3, 2});
  const auto all = begin(x, Class{{5, 6, 7}}, nobody);
  const auto two = all.only({2, 0});
  BOOST_TEST(difference(two.images, torch::tensor({{4.0F, 5.0F}, {0.0F, 1.0F}})) == 0);
  BOOST_TEST(two.objective.label.values() == (std::vector<std::int64_t>{7, 5}),
             boost::test_tools::per_element());
  BOOST_TEST(two.numbers == (std::vector<std::int64_t>{2, 0}), boost::test_tools::per_element());
  BOOST_TEST(two.nested.empty());
  // Within another method's samples, too.
  const auto within = all.with(x, {0, 1, 2}, {0, 0, 3}, all.report);
  BOOST_TEST(within.only({2}).draw(9, 0, 1).nested == within.draw(9, 2, 1).nested);
  BOOST_TEST(within.only({2}).draw(9, 0, 1).image == 2);
}

BOOST_AUTO_TEST_CASE(a_reporter_tells_parts_as_shares_of_the_whole) {
  std::vector<double> seen;
  auto callback = [&](const Progress& progress) { seen.push_back(progress.fraction); };
  const Reporter report(callback);
  report(1, 4);
  const auto part = report.part(1, 2, 4);  // from 1/4 to 3/4
  part(0, 10);
  part(5, 10);
  part.part(1, 1, 2)(1, 2);  // the first half of its second half: 1/2 + 1/8
  part(10, 10);              // its end is told by who gave the part
  report(4, 4);
  BOOST_TEST(seen == (std::vector<double>{0.25, 0.25, 0.5, 0.625, 1}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(progress_rises_to_one) {
  const auto model = test::sum_of([](const Tensor& x) { return x.relu(); }, 3);
  const Images x = test::some_images({5, 40}) - 0.5;
  check_that_it_rises_to_one(fractions_of(Attribution<Gradient>(), model, x));
  check_that_it_rises_to_one(fractions_of(Attribution<SmoothGrad>({.samples = 7}), model, x));
  check_that_it_rises_to_one(fractions_of(Attack<FGSM>(), test::linear(torch::ones({2, 40})), x + 0.5));
}

BOOST_AUTO_TEST_CASE(progress_of_methods_of_several_parts_rises_to_one) {
  const auto model = test::sum_of([](const Tensor& x) { return x.relu(); }, 3);
  const Images x = test::some_images({5, 40}) - 0.5;
  check_that_it_rises_to_one(fractions_of(Attribution<IntegratedGradients>({.steps = 5}), model, x));
  check_that_it_rises_to_one(
      fractions_of(Attribution<Smoothed<IntegratedGradients>>({.samples = 3}), model, x));
}

BOOST_AUTO_TEST_CASE(progress_of_open_ended_work_rises_to_one) {
  const auto model = test::sum_of([](const Tensor& x) { return x.relu(); }, 3);
  const Images x = test::some_images({5, 40}) - 0.5;
  const Attribution<SmoothGrad> until({.samples = 6, .until = 0.01, .most_samples = 60});
  check_that_it_rises_to_one(fractions_of(until, model, x));
  const Attribution<Smoothed<IntegratedGradients>> nested(
      {.samples = 6, .until = 0.01, .most_samples = 60, .base = {.steps = 5}});
  check_that_it_rises_to_one(fractions_of(nested, model, x));
}

BOOST_AUTO_TEST_CASE(progress_of_a_pipeline_rises_to_one) {
  const auto model = test::linear(torch::ones({2, 40}), 3);
  const Images x = test::some_images({5, 40});
  const auto as_it_is = [](const auto&, auto subject) { return subject; };
  const auto pipeline = Attack<FGSM>() | as_it_is | (Attribution<SmoothGrad>({.samples = 7}) | as_it_is);
  const auto fractions = fractions_of(pipeline, model, x);
  check_that_it_rises_to_one(fractions);
  BOOST_TEST(std::count(fractions.begin(), fractions.end(), 0.5) == 1);  // two stages ask the model
  BOOST_TEST(std::count(fractions.begin(), fractions.end(), 1.0) == 1);
}

BOOST_AUTO_TEST_CASE(a_callback_is_not_told_after_its_call) {
  const auto model = test::sum_of([](const Tensor& x) { return x.square(); });
  int calls = 0;
  const auto found =
      Attribution<Gradient>()(model, torch::ones({1, 2}), Class{0}, [&](const Progress&) { ++calls; });
  BOOST_TEST(calls == 1);
  Attribution<InputXGradient>()(model, found);
  BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(a_callback_that_says_false_cancels) {
  const auto model = test::sum_of([](const Tensor& x) { return x.square(); });
  int calls = 0;
  const auto third = [&](const Progress&) { return ++calls < 3; };
  BOOST_CHECK_THROW(Attribution<SmoothGrad>()(model, torch::rand({1, 8}), Class{0}, third), Cancelled);
  BOOST_TEST(calls == 3);
  BOOST_CHECK_EXCEPTION(Attribution<SmoothGrad>()(model, torch::rand({1, 8}), Class{0}, third), Error,
                        [](const Error& error) { return error.fault() == Fault::failure; });
}

BOOST_AUTO_TEST_CASE(an_execution_is_checked_where_a_model_is_made) {
  const auto make = [](Execution execution) {
    return adapt(test::Function([](const Tensor& x) { return x; }), unchanged(), execution);
  };
  BOOST_CHECK_EXCEPTION(make({.micro_batch = -1}), Error, says({"micro_batch is -1", "1 image or more"}));
  BOOST_CHECK_EXCEPTION(make({.threads = -2}), Error, says({"threads is -2"}));
  const Images images = torch::rand({2, 3});
  BOOST_TEST(execution_of(make({.micro_batch = 5}), images).micro_batch == 5);
  BOOST_TEST(execution_of([](const Tensor& x) { return x; }, images).micro_batch == Execution{}.micro_batch);
  struct Telling {
    Execution told{};
    Tensor operator()(const Images& images) const { return images; }
    Execution execution() const { return told; }
  };
  BOOST_CHECK_EXCEPTION(execution_of(Telling{{.micro_batch = -1}}, images), Error,
                        says({"micro_batch is -1"}));
  // Nobody can measure it.
  BOOST_TEST(execution_of(Telling{Execution::automatic()}, images).micro_batch == Execution{}.micro_batch);
}

BOOST_AUTO_TEST_CASE(a_model_is_never_given_more_than_its_micro_batch) {
  std::int64_t most = 0;
  const auto model = test::model_of(
      [&](const Tensor& x) {
        most = std::max(most, x.size(0));
        return x.square().flatten(1).sum(1, true);
      },
      3);
  const Images x = test::some_images({10, 4});
  Attribution<SmoothGrad>({.samples = 7})(model, x);
  (Attack<FGSM>() | Attribution<Smoothed<IntegratedGradients>>({.samples = 2}))(model, x);
  Attribution<Gradient>()(model, x, Channel{"", 0});
  BOOST_TEST(most == 3);
}

BOOST_AUTO_TEST_CASE(memory_that_runs_out_halves_the_micro_batch) {
  enum class By { us, libtorch, interpreter };
  for (const By by : {By::us, By::libtorch, By::interpreter}) {
    const auto model = test::model_of([&](const Tensor& x) {
      if (x.size(0) > 2 && by == By::libtorch)
        TORCH_CHECK(false, "DefaultCPUAllocator: can't allocate memory");
      if (x.size(0) > 2 && by == By::interpreter) throw std::runtime_error("RuntimeError: std::bad_alloc");
      if (x.size(0) > 2) throw std::bad_alloc();
      return x.square().flatten(1).sum(1, true);
    });
    const Images x = test::some_images({7, 4});
    BOOST_TEST(difference(Attribution<Gradient>()(model, x, Class{0}).attribution, 2 * x) == 0);
    const auto smooth = Attribution<SmoothGrad>({.samples = 4})(model, x, Class{0});
    BOOST_TEST(difference(smooth.attribution, 2 * x) < 1e-6);
    // With the top class, which is found first, too; and what an attack says before and after.
    BOOST_TEST(difference(Attribution<Gradient>()(model, x).attribution, 2 * x) == 0);
    BOOST_TEST((Attack<FGSM>()(model, x).after.size() == 7));
  }
}

BOOST_AUTO_TEST_SUITE_END()
