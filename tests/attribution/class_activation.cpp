#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/grad_cam_plus_plus.hpp>
#include <pellucid/attribution/methods/guided_grad_cam.hpp>
#include <pellucid/attribution/methods/layer_cam.hpp>
#include <pellucid/attribution/methods/smoothed.hpp>
#include <pellucid/objective/channel.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
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

template <class M>
Tensor map(M options, const Images& images = image, const Class& of = {0}, std::int64_t micro_batch = 8) {
  return Attribution<M>(options)(quarters(1, micro_batch), images, of).attribution;
}

/// A layer "maps" that is the image itself, and one score: w·maps.
auto weighed(const Tensor& weights) {
  return test::model_of(
      [weights](const Tensor& x) { return (mark("maps", x * 1) * weights).flatten(1).sum(1, true); });
}

/// SmallNet's second convolution for one image in double precision, and ∂S_label/∂ of it, worked out by hand:
/// above it are ReLU, the mean over places and a linear layer.
struct Above {
  Tensor maps, gradient;
};
Above above(test::SmallNet& net, const Images& x, std::int64_t label) {
  const torch::NoGradGuard no_grad;
  const Tensor maps = net.second->forward(torch::relu(net.first->forward(x)))[0];
  const double places = double(maps.size(1) * maps.size(2));
  return {maps, (maps > 0).to(torch::kDouble) * net.last->weight[label].view({-1, 1, 1}) / places};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attribution_class_activation)

BOOST_AUTO_TEST_CASE(layer_cam_worked_by_hand) {
  // ReLU(g)·a: of channel 0 (1, 0; 0, 4), of channel 1 (0, 1; 0, 0).
  const Tensor expected = square(1, 1, 0, 4);
  BOOST_TEST(difference(map<LayerCAM>({.layer = "conv", .upsample = false}), expected) < 1e-6);
  BOOST_TEST(difference(map<LayerCAM>({.layer = "conv"}), upsampled(expected)) < 1e-6);
  BOOST_TEST(difference(map<LayerCAM>({}), upsampled(expected)) < 1e-6);
}

BOOST_AUTO_TEST_CASE(layer_cam_keeps_what_speaks_for_it) {
  // One channel (1, −2; 3, −4) with gradients (1, 2; −3, 4).
  const auto model = weighed(square(1, 2, -3, 4));
  const Images x = square(1, -2, 3, -4);
  const auto found = [&](bool relu) {
    return Attribution<LayerCAM>({.layer = "maps", .relu = relu})(model, x).attribution;
  };
  BOOST_TEST(difference(found(false), square(1, -4, 0, -16)) == 0);
  BOOST_TEST(difference(found(true), square(1, 0, 0, 0)) == 0);
}

BOOST_AUTO_TEST_CASE(grad_cam_plus_plus_worked_by_hand) {
  // Channel 0: Σ a = 10, α = 1/(2 + 10) at both places with g = 1, w₀ = 2/12. Channel 1: Σ a = 2; at g = 1
  // α = 1/(2 + 2), w₁ = 1/4; g = −3 is not kept. a₀/6 + a₁/4:
  const Tensor expected = square(2 / 3.0F, 7 / 12.0F, 0.5F, 5 / 12.0F);
  BOOST_TEST(difference(map<GradCAMPlusPlus>({.layer = "conv", .upsample = false}), expected) < 1e-6);
  BOOST_TEST(difference(map<GradCAMPlusPlus>({.layer = "conv"}), upsampled(expected)) < 1e-6);
}

BOOST_AUTO_TEST_CASE(grad_cam_plus_plus_at_the_ends_of_its_fraction) {
  // Σ a = −1 and g = (2, 1; 0, 0): at g = 2 the fraction is 4/(8 − 8), which counts as 0; at g = 1 it is
  // 1/(2 − 1), so w = 1: the map is the channel.
  const Images x = square(-3, 1, 1, 0);
  const auto found = [&](float first, float second) {
    return Attribution<GradCAMPlusPlus>({.layer = "maps", .relu = false})(
               weighed(square(first, second, 0, 0)), x)
        .attribution;
  };
  BOOST_TEST(difference(found(2, 1), x) < 1e-6);
  // Gradients whose squares a float cannot hold: α = 1/2, w = 2·10⁻³⁰/2.
  BOOST_TEST(difference(found(1e-30F, 1e-30F) * 1e30, x) < 1e-6);
  BOOST_TEST(test::largest(found(0, -1)) == 0);
}

BOOST_AUTO_TEST_CASE(guided_grad_cam_worked_by_hand) {
  // Grad-CAM: (0, 0.5; 1.5, 2.5), upsampled. Guided: R at a₀ (1, 0; 0, 1), at a₁ (0, 1; 0, 0), down through
  // the weights 1/4 and −1/4: (1, −1; 0, 1)/4 in the quarters.
  const Tensor expected =
      upsampled(square(0, 0.5F, 1.5F, 2.5F)) * test::in_quarters(square(0.25F, -0.25F, 0, 0.25F));
  BOOST_TEST(difference(map<GuidedGradCAM>({.layer = "conv"}), expected) < 1e-6);
  BOOST_TEST(difference(map<GuidedGradCAM>({}), expected) < 1e-6);
}

BOOST_AUTO_TEST_CASE(guided_grad_cam_has_the_channels_of_the_image) {
  const auto found = Attribution<GuidedGradCAM>()(test::small_net(), test::some_images({2, 3, 9, 8}));
  BOOST_TEST((found.attribution.sizes() == torch::IntArrayRef{2, 3, 9, 8}));
}

BOOST_AUTO_TEST_CASE(loops_from_the_formulas_find_the_same) {
  auto net = std::make_shared<test::SmallNet>();
  net->to(torch::kDouble);
  const auto model = adapt(net);
  const Images x = test::some_images({2, 3, 11, 9}).to(torch::kDouble);
  const Tensor plus = Attribution<GradCAMPlusPlus>({"second", false, false})(model, x, Class{{1, 4}})
                          .attribution,
               layer = Attribution<LayerCAM>({"second", false, false})(model, x, Class{{1, 4}}).attribution;
  for (std::int64_t n = 0; n < 2; ++n) {
    const Above seen = above(*net, x.narrow(0, n, 1), n == 0 ? 1 : 4);
    const auto a = seen.maps.accessor<double, 3>(), g = seen.gradient.accessor<double, 3>();
    Tensor expected_plus = torch::zeros_like(seen.maps[0]), expected_layer = expected_plus.clone();
    auto p = expected_plus.accessor<double, 2>(), l = expected_layer.accessor<double, 2>();
    for (std::int64_t c = 0; c < a.size(0); ++c) {
      double sum = 0, weight = 0;
      for (std::int64_t y = 0; y < a.size(1); ++y)
        for (std::int64_t i = 0; i < a.size(2); ++i) sum += a[c][y][i];
      for (std::int64_t y = 0; y < a.size(1); ++y)
        for (std::int64_t i = 0; i < a.size(2); ++i) {
          const double slope = g[c][y][i];
          const double under = 2 * std::pow(slope, 2) + sum * std::pow(slope, 3);
          if (under != 0) weight += std::pow(slope, 2) / under * std::max(slope, 0.0);
          l[y][i] += std::max(slope, 0.0) * a[c][y][i];
        }
      for (std::int64_t y = 0; y < a.size(1); ++y)
        for (std::int64_t i = 0; i < a.size(2); ++i) p[y][i] += weight * a[c][y][i];
    }
    BOOST_TEST(test::relative_difference(plus[n][0], expected_plus) < 1e-10);
    BOOST_TEST(test::relative_difference(layer[n][0], expected_layer) < 1e-10);
  }
}

BOOST_AUTO_TEST_CASE(each_image_of_a_batch_by_itself) {
  // Half the image: a₀ = (0.5, 1; 1.5, 2), a₁ = (2.5, 2; 1.5, 1), all on, so that g₁ = (−3, 1; 2, 4).
  //   LayerCAM: (0.5, 0; 0, 2) + (0, 2; 3, 4)
  //   Grad-CAM++: Σ a₀ = 5, w₀ = 2/7; Σ a₁ = 7, w₁ = 1/9 + 2/16 + 4/30
  const Images both = torch::cat({image, image * 0.5, image});
  const float w0 = 2 / 7.0F, w1 = 1 / 9.0F + 2 / 16.0F + 4 / 30.0F;
  const Tensor plus = w0 * square(0.5F, 1, 1.5F, 2) + w1 * square(2.5F, 2, 1.5F, 1);
  for (const std::int64_t micro_batch : {1, 2, 8}) {
    const Tensor of_layer = map<LayerCAM>({.upsample = false}, both, {0}, micro_batch);
    BOOST_TEST(difference(of_layer[0], of_layer[2]) == 0);
    BOOST_TEST(difference(of_layer[1].unsqueeze(0), square(0.5F, 2, 3, 6)) < 1e-6);
    const Tensor of_plus = map<GradCAMPlusPlus>({.upsample = false}, both, {0}, micro_batch);
    BOOST_TEST(difference(of_plus[0], of_plus[2]) == 0);
    BOOST_TEST(difference(of_plus[1].unsqueeze(0), plus) < 1e-6);
    const Tensor guided = map<GuidedGradCAM>({}, both, {0}, micro_batch);
    BOOST_TEST(difference(guided[0].unsqueeze(0), map<GuidedGradCAM>({})) < 1e-6);
    BOOST_TEST(difference(guided[0], guided[2]) == 0);
  }
}

BOOST_AUTO_TEST_CASE(smoothed_without_noise_is_the_method_itself) {
  const auto found = Attribution<Smoothed<LayerCAM>>({.samples = 3, .noise = 0, .base = {.layer = "conv"}})(
      quarters(), image);
  BOOST_TEST(difference(found.attribution, upsampled(square(1, 1, 0, 4))) < 1e-6);
}

BOOST_AUTO_TEST_CASE(the_layer_is_looked_for_once) {
  // Seven noisy copies of two images in micro-batches of two.
  struct Counted {
    decltype(quarters()) model;
    std::shared_ptr<int> listed = std::make_shared<int>(0);
    Tensor operator()(const Images& x) const { return model(x); }
    std::vector<Tensor> observe(const Images& x, const std::vector<std::string>& layers) const {
      return model.observe(x, layers);
    }
    std::vector<LayerInfo> layers(const Images& x) const {
      ++*listed;
      return model.layers(x);
    }
    Execution execution() const { return model.execution(); }
  };
  const Counted model{quarters(1, 2)};
  const Images both = torch::cat({image, image * 0.5});
  const auto found = [&](const std::string& layer) {
    return Attribution<Smoothed<LayerCAM>>({.samples = 7, .base = {.layer = layer}})(model, both, Class{0});
  };
  const Tensor looked_for = found("").attribution;
  BOOST_TEST(*model.listed == 1);
  BOOST_TEST(looked_for.equal(found("conv").attribution));
  BOOST_TEST(*model.listed == 1);
}

BOOST_AUTO_TEST_CASE(what_cannot_be) {
  BOOST_CHECK_EXCEPTION(map<LayerCAM>({.layer = "fc"}), Error,
                        says({"LayerCAM", "'fc'", "[1, 1]", "N×C×H×W"}));
  BOOST_CHECK_EXCEPTION(map<GradCAMPlusPlus>({.layer = "conf"}), Error,
                        says({"'conf'", "The closest: conv"}));
  BOOST_CHECK_EXCEPTION(Attribution<LayerCAM>()(test::linear(torch::ones({2, 16})), image), Error,
                        says({"LayerCAM: no layer was named", "this model shows none", "mark()"}));
  const auto flat = test::model_of([](const Tensor& x) { return mark("row", x.flatten(1)); });
  BOOST_CHECK_EXCEPTION(Attribution<LayerCAM>()(flat, image), Error,
                        says({"LayerCAM: no layer was named", "name one: LayerCAM{"}));
  const auto lifted = test::model_of([](const Tensor& x) {
    return torch::relu(mark("maps", x.unsqueeze(2).repeat({1, 1, 2, 1}))).mean({2, 3});
  });
  const Images sequence = test::some_images({1, 2, 6});
  BOOST_CHECK_EXCEPTION(Attribution<LayerCAM>()(lifted, sequence), Error,
                        says({"LayerCAM", "[1, 2, 6]", "LayerCAM{.upsample = false}"}));
  BOOST_CHECK_EXCEPTION(Attribution<GuidedGradCAM>()(lifted, sequence), Error,
                        says({"GuidedGradCAM", "[1, 2, 6]", "N×C×H×W are needed"}));
  BOOST_CHECK_EXCEPTION(Attribution<GuidedGradCAM>()(weighed(square(1, 1, 1, 1)), square(1, 1, 1, 1)), Error,
                        says({"GuidedBackprop", "none"}));
  BOOST_CHECK_EXCEPTION(Attribution<LayerCAM>({.layout = {.leading_tokens = -2}}), Error,
                        says({"LayerCAM", "leading_tokens is -2"}));
}

BOOST_AUTO_TEST_SUITE_END()
