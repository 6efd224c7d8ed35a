#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/grad_cam.hpp>
#include <pellucid/attribution/methods/gradient.hpp>
#include <pellucid/attribution/methods/smoothgrad.hpp>
#include <pellucid/check/randomization.hpp>
#include <pellucid/model/any_model.hpp>

#include <cmath>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;
using Names = std::vector<std::string>;

namespace {

/// S = w · W x without biases: the gradient is Wᵀw, whatever the image.
struct Linear2 : torch::nn::Module {
  Linear2(Tensor first_weights, Tensor last_weights) {
    const auto layer = [&](const std::string& name, Tensor weights) {
      torch::nn::Linear linear(torch::nn::LinearOptions(weights.size(1), weights.size(0)).bias(false));
      linear->weight.set_data(std::move(weights));
      return register_module(name, linear);
    };
    first = layer("first", std::move(first_weights));
    last = layer("last", std::move(last_weights));
  }
  Tensor forward(const Tensor& x) { return last->forward(first->forward(x)); }
  torch::nn::Linear first{nullptr}, last{nullptr};
};

Randomization of(Tensor first, Tensor last, RandomizationOptions options) {
  const auto model = adapt(std::make_shared<Linear2>(std::move(first), std::move(last)));
  return randomization(Gradient{}, model, torch::rand({2, 4}), Class{0}, options);
}

double entry(const Tensor& values, std::int64_t row, std::int64_t step) {
  return values[row][step].item<double>();
}

/// Refuses to explain in its third call.
struct Failing {
  std::shared_ptr<int> calls{std::make_shared<int>(0)};
  template <class M, class S>
  Tensor operator()(const M& model, const S& subject) const {
    if (++*calls == 3) throw Error("Failing: the third time");
    return Gradient{}(model, subject);
  }
};

/// One map after the other, whatever the network is.
struct Maps {
  std::vector<Tensor> maps{};
  std::shared_ptr<std::size_t> calls{std::make_shared<std::size_t>(0)};
  template <class M, class S>
  Tensor operator()(const M&, const S&) const {
    return maps.at((*calls)++);
  }
};

/// Its edges are all that it shows: nothing of the network.
struct Edges {
  template <class M, class S>
  Tensor operator()(const M&, const S& subject) const {
    return subject.images - 0.5;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(check_randomization)

BOOST_AUTO_TEST_CASE(a_network_of_which_each_outcome_is_known) {
  // w = (1, −1) and W with a single 2 in its first row and column: the gradient is (2, 0, 0, 0). A shuffled w
  // is (1, −1) or (−1, 1): the cosine is ±1, and the magnitudes stay. Then the 2 goes to any of 8 places:
  // into the first column (1 of 4), with the gradient ±(2, 0, 0, 0), or into another. Two vectors with a
  // single value at different places of n have the rank correlation −1/(n − 1) = −1/3, and are orthogonal.
  int negative = 0, first_column = 0;
  constexpr int seeds = 200;
  for (int seed = 0; seed < seeds; ++seed) {
    Tensor single = torch::zeros({2, 4});
    single[0][0] = 2;
    const Randomization found =
        of(single, torch::tensor({{1.0F, -1.0F}}), {.seed = std::uint64_t(seed), .keep = true});
    BOOST_TEST_REQUIRE((found.layers == std::vector<Names>{{"last"}, {"first"}}));
    BOOST_TEST(found.attributions.size() == 3U);
    BOOST_TEST(difference(found.attributions[0], torch::tensor({{2.0F, 0.0F, 0.0F, 0.0F}}).expand({2, 4})) ==
               0);
    for (const std::int64_t row : {0, 1}) {
      BOOST_TEST(std::abs(entry(found.cosine, row, 0)) == 1, boost::test_tools::tolerance(1e-12));
      BOOST_TEST(entry(found.rank_correlation, row, 0) == 1, boost::test_tools::tolerance(1e-12));
      const double correlation = entry(found.rank_correlation, row, 1), cosine = entry(found.cosine, row, 1);
      const bool stayed = found.attributions[2][row][0].item<double>() != 0;
      BOOST_TEST(correlation == (stayed ? 1 : -1.0 / 3), boost::test_tools::tolerance(1e-12));
      BOOST_TEST(std::abs(cosine) == (stayed ? 1 : 0), boost::test_tools::tolerance(1e-12));
    }
    negative += entry(found.cosine, 0, 0) < 0;
    first_column += entry(found.rank_correlation, 0, 1) > 0;
  }
  BOOST_TEST(std::abs(negative - seeds / 2) < 29);      // 4 standard deviations of √(200/4)
  BOOST_TEST(std::abs(first_column - seeds / 4) < 25);  // and of √(200·3/16)
}

BOOST_AUTO_TEST_CASE(weights_that_are_all_equal_stay) {
  const Randomization found = of(torch::full({2, 4}, 0.5F), torch::full({1, 2}, 3.0F), {});
  BOOST_TEST(difference(found.cosine, torch::ones({2, 2})) < 1e-12);
  BOOST_TEST(difference(found.rank_correlation, torch::zeros({2, 2})) == 0);  // no pixel is above another
}

BOOST_AUTO_TEST_CASE(a_map_that_shows_the_image_alone_stays) {
  const Images x = test::some_images({3, 3, 8, 8});
  const Randomization found = randomization(Edges{}, test::small_net(), x);
  BOOST_TEST(difference(found.rank_correlation, torch::ones({3, 3})) < 1e-12);
  BOOST_TEST(difference(found.cosine, torch::ones({3, 3})) < 1e-12);
}

BOOST_AUTO_TEST_CASE(a_map_that_shows_the_network_goes) {
  // The gradient is linear in the last weights, whatever those before are. Where for each of them there is
  // one of the opposite sign, an order and that of all signs turned are as likely as each other, and so are a
  // cosine and its negative: its mean is 0. Bounds: four standard errors of the mean.
  const auto net = std::make_shared<test::SmallNet>();
  {
    const torch::NoGradGuard no_grad;
    Tensor values = net->last->weight.view(-1);
    values.narrow(0, 20, 20).copy_(-values.narrow(0, 0, 20));
  }
  constexpr int seeds = 100;
  std::vector<Tensor> cosines;
  for (int seed = 0; seed < seeds; ++seed)
    cosines.push_back(randomization(Gradient{}, adapt(net), test::some_images({2, 3, 8, 8}), Class{1},
                                    {.seed = std::uint64_t(seed)})
                          .cosine);
  const Tensor all = torch::stack(cosines);  // seeds×images×steps
  const Tensor error = (all.square().mean(0) / seeds).sqrt();
  BOOST_TEST((all.mean(0).abs() < 4 * error).all().item<bool>());
  BOOST_TEST((all.abs() < 1 - 1e-6).any(0).all().item<bool>());
}

BOOST_AUTO_TEST_CASE(step_by_step_as_by_hand) {
  const auto net = std::make_shared<test::SmallNet>();
  const auto model = adapt(net);
  const Images x = test::some_images({3, 3, 8, 8});
  const Randomization found = randomization(Gradient{}, model, x, TopClass{}, {.seed = 6, .keep = true});
  BOOST_TEST((found.layers == std::vector<Names>{{"last"}, {"second"}, {"first"}}));
  const Tensor labels = model(x).argmax(1);
  // The same network, of which the parameters themselves are changed.
  const auto other = std::make_shared<test::SmallNet>();
  const auto gradient = [&] {
    const Images image = x.clone().requires_grad_();
    return torch::autograd::grad({other->forward(image).gather(1, labels.unsqueeze(1)).sum()}, {image})[0];
  };
  BOOST_TEST(test::relative_difference(found.attributions[0], gradient()) < 1e-5);
  for (std::size_t step = 0; step < 3; ++step) {
    const torch::NoGradGuard no_grad;
    for (auto& parameter : other->named_parameters())
      if (parameter.key().starts_with(found.layers[step][0] + "."))
        parameter.value().copy_(
            pellucid::detail::shuffled(parameter.value(), pellucid::detail::seed_of(parameter.key(), 6)));
    const torch::AutoGradMode grad(true);
    BOOST_TEST(test::relative_difference(found.attributions[step + 1], gradient()) < 1e-5);
    for (const std::int64_t row : {0, 1, 2}) {
      const Tensor a = found.attributions[0][row].flatten(), b = found.attributions[step + 1][row].flatten();
      BOOST_TEST(
          entry(found.cosine, row, std::int64_t(step)) == (a.dot(b) / a.norm() / b.norm()).item<double>(),
          boost::test_tools::tolerance(1e-4));
    }
  }
}

BOOST_AUTO_TEST_CASE(layers_in_fewer_steps) {
  const Names seven{"a", "b", "c", "d", "e", "f", "g"};
  const auto cascade = [&](std::int64_t steps) { return pellucid::detail::cascade(seven, steps); };
  BOOST_TEST((cascade(3) == std::vector<Names>{{"g", "f"}, {"e", "d"}, {"c", "b", "a"}}));
  BOOST_TEST((cascade(1) == std::vector<Names>{{"g", "f", "e", "d", "c", "b", "a"}}));
  for (const std::int64_t steps : {0, 7, 100}) {
    BOOST_TEST(cascade(steps).size() == 7U);
    BOOST_TEST((cascade(steps)[0] == Names{"g"}));
  }
  const Images x = test::some_images({2, 3, 8, 8});
  const Tensor all = randomization(Gradient{}, test::small_net(), x, Class{1}).cosine;
  const Randomization two = randomization(Gradient{}, test::small_net(), x, Class{1}, {.steps = 2});
  BOOST_TEST((two.layers == std::vector<Names>{{"last"}, {"second", "first"}}));
  BOOST_TEST(difference(two.cosine.select(1, 1), all.select(1, 2)) < 1e-6);
  BOOST_TEST(two.attributions.empty());
}

BOOST_AUTO_TEST_CASE(the_model_stays_as_it_is_whatever_happens) {
  const auto net = std::make_shared<test::SmallNet>();
  const auto model = adapt(net);
  const Images x = test::some_images({2, 3, 8, 8});
  const Tensor own = model(x).detach();
  const std::vector<Tensor> parameters = net->parameters();
  std::vector<void*> places;
  for (const Tensor& parameter : parameters) places.push_back(parameter.data_ptr());
  const auto is_as_it_was = [&] {
    for (std::size_t i = 0; i < places.size(); ++i) BOOST_TEST(parameters[i].data_ptr() == places[i]);
    BOOST_TEST(model(x).equal(own));
  };
  randomization(Gradient{}, model, x);
  is_as_it_was();
  BOOST_CHECK_THROW(randomization(Failing{}, model, x), Error);
  is_as_it_was();
  BOOST_CHECK_THROW(randomization(Gradient{}, model, x, TopClass{}, {},
                                  [](const Progress& progress) { return progress.fraction < 0.6; }),
                    Cancelled);
  is_as_it_was();
  randomization(Gradient{}, AnyModel(model), x);
  is_as_it_was();
}

BOOST_AUTO_TEST_CASE(each_image_by_itself_and_by_the_seed) {
  const Images x = test::some_images({3, 3, 8, 8});
  const SmoothGrad method{.samples = 4};
  const Class asked{{0, 1, 2}};
  const Tensor whole = randomization(method, test::small_net(8), x, asked, {.seed = 1}).cosine;
  for (const std::int64_t micro_batch : {1, 5})
    BOOST_TEST(difference(randomization(method, test::small_net(micro_batch), x, asked, {.seed = 1}).cosine,
                          whole) < 1e-4);
  BOOST_TEST(
      difference(randomization(method, test::small_net(), x.narrow(0, 0, 1), Class{0}, {.seed = 1}).cosine,
                 whole.narrow(0, 0, 1)) < 1e-4);
  BOOST_TEST(difference(randomization(method, test::small_net(), x, asked, {.seed = 2}).cosine, whole) >
             1e-3);
}

BOOST_AUTO_TEST_CASE(maps_of_layers_too) {
  const Images x = test::some_images({2, 3, 8, 8});
  const Randomization found =
      randomization(GradCAM{.layer = "first", .upsample = false}, test::small_net(), x);
  BOOST_TEST(found.cosine.sizes() == (std::vector<std::int64_t>{2, 3}));
  // Of N×T×C all values are ranked: 1 4 2 3 and 2 3 1 4 have Σd² = 4, ρ = 1 − 24/60. (Summed over T they
  // would be equal: 3 7 and 3 7.) The last two are as the first one is, and turned round.
  const auto tokens = [](std::vector<float> values) { return torch::tensor(values).view({1, 2, 2}); };
  const Maps maps{{tokens({1, -4, 2, 3}), tokens({2, 3, -1, 4}), tokens({1, 4, 2, 3}), tokens({4, 1, 3, 2})}};
  const Tensor correlation = randomization(maps, test::small_net(), x.narrow(0, 0, 1)).rank_correlation;
  BOOST_TEST(difference(correlation, torch::tensor({{0.6, 1.0, -1.0}}, torch::kDouble)) < 1e-12);
  // N×H×W×C, too; of N×1×h×w, which has no channels, there is nothing to tell apart.
  BOOST_TEST(pellucid::detail::magnitudes(torch::zeros({2, 8, 8, 5}), x).size(1) == 8 * 8 * 5);
  BOOST_TEST(pellucid::detail::magnitudes(torch::zeros({2, 1, 4, 4}), x).size(1) == 4 * 4);
  BOOST_TEST(pellucid::detail::magnitudes(torch::zeros({2, 3, 8, 8}), x).size(1) == 8 * 8);
}

BOOST_AUTO_TEST_CASE(a_broken_map_is_like_no_other) {
  // Neither a cosine of 0 nor a rank tells anything of NaN: the check must not be passed.
  const Tensor whole = torch::ones({2, 3, 8, 8});
  Tensor broken = whole.clone();
  broken[1][0][0][0] = std::nan("");
  for (const Maps& maps : {Maps{{broken}}, Maps{{whole, whole, broken}}})
    BOOST_CHECK_EXCEPTION(randomization(maps, test::small_net(), test::some_images({2, 3, 8, 8})), Error,
                          says({"attribution of image 1", "NaN or infinity"}));
}

BOOST_AUTO_TEST_CASE(progress_goes_up_to_one) {
  double last = 0;
  randomization(Gradient{}, test::small_net(1), test::some_images({2, 3, 8, 8}), Class{0}, {},
                [&](const Progress& progress) {
                  BOOST_TEST(progress.fraction >= last);
                  last = progress.fraction;
                });
  BOOST_TEST(last == 1);
}

BOOST_AUTO_TEST_CASE(wrong_requests) {
  const Images x = test::some_images({2, 3, 8, 8});
  BOOST_CHECK_EXCEPTION(randomization(Gradient{}, test::small_net(), x, Class{0}, {.steps = -1}), Error,
                        says({"steps is -1"}));
  BOOST_CHECK_EXCEPTION(randomization(SmoothGrad{.samples = 0}, test::small_net(), x), Error,
                        says({"samples is 0"}));
  BOOST_CHECK_EXCEPTION(randomization(Gradient{}, adapt(torch::nn::ReLU()), torch::rand({1, 4}), Class{0}),
                        Error, says({"no weights"}));
  BOOST_CHECK_EXCEPTION(
      randomization(Gradient{}, test::sum_of([](const Tensor& t) { return t; }), x, Class{0}), Error,
      says({"function"}));
}

BOOST_AUTO_TEST_SUITE_END()
