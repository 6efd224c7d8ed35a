#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/integrated_gradients.hpp>
#include <pellucid/attribution/methods/layer_activation.hpp>
#include <pellucid/attribution/methods/layer_conductance.hpp>
#include <pellucid/attribution/methods/layer_gradient_x_activation.hpp>
#include <pellucid/attribution/methods/smoothed.hpp>
#include <pellucid/objective/channel.hpp>

#include <new>
#include <vector>

#include "attribution/quarters.hpp"
#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;
using test::quarters;
using test::square;
using test::upsampled;

namespace {

const Images image = test::quarters_image;

Tensor row(std::vector<float> values) {
  return torch::tensor(values).unsqueeze(0);
}

/// "y" = (x₀x₁, x₀ + x₁), and the score y₀y₁: quadratic in y, and y is not linear in x.
auto products(std::int64_t micro_batch = 8) {
  return test::model_of(
      [](const Tensor& x) {
        const Tensor y = mark("y", torch::stack({x.select(1, 0) * x.select(1, 1), x.sum(1)}, 1));
        return y.prod(1, true);
      },
      micro_batch);
}

Explanation conductance(const auto& model, const Images& x, LayerConductance options, const auto& objective) {
  return Attribution<LayerConductance>(options)(model, x, objective);
}

/// S_label of every image of a batch.
Tensor scores(const auto& model, const Images& x, std::int64_t label) {
  const torch::NoGradGuard no_grad;
  return model(x).select(1, label);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attribution_layer_values)

BOOST_AUTO_TEST_CASE(activation_is_what_the_layer_gives) {
  const auto found = [&](LayerActivation options) {
    return Attribution<LayerActivation>(options)(quarters(), image).attribution;
  };
  // Before the ReLU that overwrites it; upsampled, a₀ + a₁ = 3 everywhere.
  BOOST_TEST(difference(found({.layer = "conv"}), torch::cat({square(1, 2, 3, 4), square(2, 1, 0, -1)}, 1)) <
             1e-6);
  BOOST_TEST(difference(found({.layer = "conv", .upsample = true}), torch::full({1, 1, 4, 4}, 3.0F)) < 1e-6);
  BOOST_TEST(difference(found({.layer = "fc"}), torch::zeros({1, 1})) < 1e-5);
  const Images both = torch::cat({image, image / 2});
  for (const std::int64_t micro_batch : {1, 2})
    BOOST_TEST(
        difference(Attribution<LayerActivation>({.layer = "fc"})(quarters(1, micro_batch), both).attribution,
                   // relu(a₀)·(1, 0; 0, 1) + a₁·(−3, 1; 2, 4) = 2.5 + (−7.5 + 2 + 3 + 4)
                   torch::tensor({{0.0F}, {4.0F}})) < 1e-5);
}

BOOST_AUTO_TEST_CASE(activation_is_not_part_of_a_graph) {
  const auto found = Attribution<LayerActivation>({.layer = "conv"})(quarters(), image);
  BOOST_TEST(!found.attribution.requires_grad());
}

BOOST_AUTO_TEST_CASE(gradient_x_activation_worked_by_hand) {
  const auto found = [&](LayerGradientXActivation options) {
    return Attribution<LayerGradientXActivation>(options)(quarters(), image, Class{0}).attribution;
  };
  BOOST_TEST(difference(found({.layer = "conv"}), torch::cat({square(1, 0, 0, 4), square(-6, 1, 0, 0)}, 1)) <
             1e-6);
  BOOST_TEST(difference(found({.layer = "conv", .upsample = true}), upsampled(square(-5, 1, 0, 4))) < 1e-6);
  // At a layer that is the score, the score; of another objective: the mean of a₁ over four places.
  BOOST_TEST(difference(found({.layer = "fc"}), torch::zeros({1, 1})) < 1e-5);
  const auto channel =
      Attribution<LayerGradientXActivation>({.layer = "conv"})(quarters(), image, Channel{"conv", 1});
  BOOST_TEST(difference(channel.attribution,
                        torch::cat({square(0, 0, 0, 0), square(0.5F, 0.25F, 0, -0.25F)}, 1)) < 1e-6);
}

BOOST_AUTO_TEST_CASE(conductance_worked_by_hand) {
  // On the line t·x, with p = x₀x₁ and s = x₀ + x₁: y = (t²p, ts), g = (ts, t²p). The flow through y₀ is
  // ∫ ts · 2tp dt = 2ps/3, through y₁ ps/3. With n steps, ½ Σ (tₖ + tₖ₊₁) s · (tₖ₊₁² − tₖ²) p, which is
  // ps Σ (2k + 1)²/2n³ = ps (4n² − 1)/6n², and the rest of ps for y₁: the sum is ps with any number.
  const float p = 6, s = 5;  // x = (2, 3)
  for (const std::int64_t steps : {1, 2, 10}) {
    const float n = float(steps);
    const auto found = conductance(products(), row({2, 3}), {.layer = "y", .steps = steps}, Class{0});
    const float first = p * s * (4 * n * n - 1) / (6 * n * n);
    BOOST_TEST(difference(found.attribution, row({first, p * s - first})) < 1e-5);
    BOOST_TEST(test::largest(found.completeness_gap) < 1e-5);
  }
  const auto fine = conductance(products(), row({2, 3}), {.layer = "y", .steps = 400}, Class{0});
  BOOST_TEST(difference(fine.attribution, row({2 * p * s / 3, p * s / 3})) < 1e-3);
}

BOOST_AUTO_TEST_CASE(conductance_from_another_baseline) {
  // From (1, 0) to (1, 1): y = (t, 1 + t), g = (1 + t, t): ∫(1 + t) dt = 1.5 and ∫t dt = 0.5, which one step
  // finds, too.
  const auto found =
      conductance(products(), row({1, 1}),
                  {.layer = "y", .steps = 1, .baseline = Baseline::image(row({1, 0}))}, Class{0});
  BOOST_TEST(difference(found.attribution, row({1.5F, 0.5F})) < 1e-6);
  BOOST_TEST(test::largest(found.completeness_gap) < 1e-6);
}

BOOST_AUTO_TEST_CASE(conductance_of_the_input_is_integrated_gradients) {
  // S = Σx³: x³ each. The trapezoids of ∫3t² dt are 1 + 1/2n².
  const auto cubes = test::model_of([](const Tensor& x) { return mark("in", x * 1).pow(3).sum(1, true); });
  const Images x = row({1, -2, 0.5F});
  for (const std::int64_t steps : {1, 4, 20}) {
    const double too_much = 1.0 / double(2 * steps * steps);
    const auto found = conductance(cubes, x, {.layer = "in", .steps = steps}, Class{0});
    BOOST_TEST(difference(found.attribution, x.pow(3) * (1 + too_much)) < 1e-5);
    // Σx³ = −6.875
    BOOST_TEST(difference(found.completeness_gap, torch::tensor({-6.875 * too_much})) < 1e-5);
  }
}

BOOST_AUTO_TEST_CASE(conductance_sums_to_what_the_score_gained) {
  const auto model = test::small_net();
  const Images x = test::some_images({3, 3, 9, 8}), gray = torch::full({1, 3, 9, 8}, 0.5F);
  for (const std::string layer : {"first", "second", "last"}) {
    const auto found =
        conductance(model, x, {.layer = layer, .steps = 300, .baseline = Baseline::image(gray)}, Class{2});
    const Tensor gained = scores(model, x, 2) - scores(model, gray, 2);
    const Tensor sums = found.attribution.flatten(1).sum(1);
    BOOST_TEST(test::relative_difference(sums, gained) < 0.01, layer);
    BOOST_TEST(difference(found.completeness_gap, sums - gained) < 1e-5, layer);
    BOOST_TEST(difference(found.completeness_whole, gained) < 1e-5, layer);
  }
}

BOOST_AUTO_TEST_CASE(a_loop_with_the_derivative_along_the_line_finds_the_same) {
  // ∫ g · da/dt dt at midpoints, da/dt by differences, of SmallNet's second convolution: g is known by hand.
  auto net = std::make_shared<test::SmallNet>();
  net->to(torch::kDouble);
  const Images x = test::some_images({1, 3, 7, 7}).to(torch::kDouble);
  const Tensor found = conductance(adapt(net), x, {.layer = "second", .steps = 1000}, Class{2}).attribution;
  const torch::NoGradGuard no_grad;
  const auto at = [&](double t) { return net->second->forward(torch::relu(net->first->forward(t * x))); };
  Tensor expected = torch::zeros_like(found);
  const int points = 1500;
  for (int k = 0; k < points; ++k) {
    const double t = (k + 0.5) / points;
    const Tensor slope = (at(t + 1e-6) - at(t - 1e-6)) / 2e-6;
    const Tensor gradient = (at(t) > 0).to(torch::kDouble) * net->last->weight[2].view({1, -1, 1, 1}) / 9;
    expected += gradient * slope / points;
  }
  BOOST_TEST(test::relative_difference(found, expected) < 2e-3);  // a ReLU switches within a step
}

BOOST_AUTO_TEST_CASE(upsampled_it_is_the_sum_over_channels) {
  // All is linear from half the image on to a quarter of it: Δa · g, with a₀ and a₁ by ∓ (1, 2; 3, 4)/4.
  const auto found = conductance(
      quarters(), image / 2,
      {.layer = "conv", .steps = 2, .baseline = Baseline::image(image / 4), .upsample = true}, Class{0});
  // g₀ = (1, 0; 0, 1), g₁ = (−3, 1; 2, 4): g₀ − g₁ = (4, −1; −2, −3)
  BOOST_TEST(difference(found.attribution, upsampled(square(1, -0.5F, -1.5F, -3))) < 1e-5);
  // S = 4 of the half (above). Of the quarter: a₀ = (1, 2; 3, 4)/4, S = 1.25 − 8.25 + 2.5 + 4.5 + 8 = 8
  BOOST_TEST(test::largest(found.completeness_gap) < 1e-5);
  BOOST_TEST(difference(scores(quarters(), image / 4, 0), torch::tensor({8.0F})) < 1e-5);
}

BOOST_AUTO_TEST_CASE(each_image_of_a_batch_by_itself) {
  const Images x = test::some_images({3, 3, 8, 8});
  std::vector<Tensor> alone, gaps, products_alone;
  for (std::int64_t n = 0; n < 3; ++n) {
    const auto one =
        conductance(test::small_net(1), x.narrow(0, n, 1), {.layer = "second", .steps = 6}, Class{n});
    alone.push_back(one.attribution);
    gaps.push_back(one.completeness_gap);
    products_alone.push_back(Attribution<LayerGradientXActivation>({.layer = "second"})(
                                 test::small_net(1), x.narrow(0, n, 1), Class{n})
                                 .attribution);
  }
  for (const std::int64_t micro_batch : {1, 2, 5, 8, 100}) {
    const auto found =
        conductance(test::small_net(micro_batch), x, {.layer = "second", .steps = 6}, Class{{0, 1, 2}});
    BOOST_TEST(difference(found.attribution, torch::cat(alone)) < 1e-6);
    BOOST_TEST(difference(found.completeness_gap, torch::cat(gaps)) < 1e-6);
    const auto product = Attribution<LayerGradientXActivation>({.layer = "second"})(
        test::small_net(micro_batch), x, Class{{0, 1, 2}});
    BOOST_TEST(difference(product.attribution, torch::cat(products_alone)) < 1e-6);
  }
  // Above the layer are ReLU, the mean over its 9 places and a linear layer.
  test::SmallNet net;
  const torch::NoGradGuard no_grad;
  const Tensor a = net.second->forward(torch::relu(net.first->forward(x)));
  const Tensor weights = net.last->weight.narrow(0, 0, 3).view({3, 8, 1, 1});
  BOOST_TEST(difference(torch::cat(products_alone), a * (a > 0) * weights / 9) < 1e-6);
}

BOOST_AUTO_TEST_CASE(memory_that_runs_out_in_the_middle_changes_nothing) {
  const Images x = row({2, 3});
  const auto expected = conductance(products(), x, {.layer = "y", .steps = 9}, Class{0});
  int calls = 0;
  const auto tight = test::model_of(
      [&](const Tensor& images) {
        if (++calls > 2 && images.size(0) > 1) throw std::bad_alloc();
        const Tensor y =
            mark("y", torch::stack({images.select(1, 0) * images.select(1, 1), images.sum(1)}, 1));
        return y.prod(1, true);
      },
      4);
  const auto found = conductance(tight, x, {.layer = "y", .steps = 9}, Class{0});
  BOOST_TEST(difference(found.attribution, expected.attribution) < 1e-6);
  BOOST_TEST(calls > 8);
}

BOOST_AUTO_TEST_CASE(smoothed_without_noise_is_the_method_itself) {
  const auto found = Attribution<Smoothed<LayerGradientXActivation>>(
      {.samples = 3, .noise = 0, .base = {.layer = "conv"}})(quarters(), image, Class{0});
  BOOST_TEST(difference(found.attribution, torch::cat({square(1, 0, 0, 4), square(-6, 1, 0, 0)}, 1)) < 1e-6);
}

BOOST_AUTO_TEST_CASE(what_cannot_be) {
  BOOST_CHECK_EXCEPTION(Attribution<LayerActivation>(), Error,
                        says({"LayerActivation: no layer was named", "name one", "model.layers"}));
  BOOST_CHECK_EXCEPTION(Attribution<LayerGradientXActivation>(), Error,
                        says({"LayerGradientXActivation: no"}));
  BOOST_CHECK_EXCEPTION(Attribution<LayerConductance>(), Error, says({"LayerConductance: no layer"}));
  BOOST_CHECK_EXCEPTION(Attribution<LayerConductance>({.layer = "conv", .steps = 0}), Error,
                        says({"steps is 0", "at least 1"}));
  const auto activation = [&](LayerActivation options, const Images& x) {
    return Attribution<LayerActivation>(options)(quarters(), x);
  };
  BOOST_CHECK_EXCEPTION(activation({.layer = "conf"}, image), Error, says({"'conf'", "The closest: conv"}));
  BOOST_CHECK_EXCEPTION(activation({.layer = "fc", .upsample = true}, image), Error,
                        says({"LayerActivation with .upsample: layer 'fc'", "[1, 1]", "N×C×H×W"}));
  const auto odd = test::model_of([](const Tensor& x) {
    mark("windows", x.repeat({2, 1}));
    mark("sums", x.sum(1));
    return x.square();
  });
  BOOST_CHECK_EXCEPTION(Attribution<LayerActivation>({.layer = "windows"})(odd, row({1, 2})), Error,
                        says({"'windows'", "[2, 2]", "1 images", "one row"}));
  BOOST_CHECK_EXCEPTION(Attribution<LayerActivation>({.layer = "sums"})(odd, row({1, 2})), Error,
                        says({"'sums'", "[1]", "N×…"}));
  BOOST_CHECK_EXCEPTION(conductance(odd, row({1, 2}), {.layer = "sums"}, Class{0}), Error,
                        says({"'sums'", "does not depend"}));
  BOOST_CHECK_EXCEPTION(
      Attribution<LayerActivation>({.layer = "y", .upsample = true})(products(), row({1, 2})), Error,
      says({"[1, 2]", "no height and width", "leave .upsample out"}));
}

BOOST_AUTO_TEST_SUITE_END()
