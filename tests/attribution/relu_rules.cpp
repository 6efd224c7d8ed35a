#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/deconvnet.hpp>
#include <pellucid/attribution/methods/gradient.hpp>
#include <pellucid/attribution/methods/guided_backprop.hpp>
#include <pellucid/attribution/methods/smoothed.hpp>
#include <pellucid/model/script.hpp>
#include <pellucid/objective/channel.hpp>

#include <torch/nn.h>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;

namespace {

// A network of three units twice: u = A x, h = relu(u), v = B h, r = relu(v), S = c·r. For x = (1, 2, 3):
//   u = (0.5, 6, −3), v = (−5, 4, 6.5): the third unit is off below, the first above.
// Backwards from c = (1, 2, −1), R at v, at h, at u and at x:
//   chain rule   (0, 2, −1)  (−9, 1, 8)  (−9, 1, 0)  (−10, 11, −3.5)
//   guided       (0, 2, 0)   (−8, 2, 6)  (0, 2, 0)   (−2, 4, 2)
//   deconvnet    (1, 2, 0)   (−6, 1, 7)  (0, 1, 7)   (−15, 9, −6)
const Tensor a = torch::tensor({{1.0F, -1.0F, 0.5F}, {-1.0F, 2.0F, 1.0F}, {-2.0F, 1.0F, -1.0F}});
const Tensor b = torch::tensor({{2.0F, -1.0F, 1.0F}, {-4.0F, 1.0F, 3.0F}, {1.0F, 1.0F, -2.0F}});
const Tensor c = torch::tensor({{1.0F, 2.0F, -1.0F}});
const Images x = torch::tensor({{1.0F, 2.0F, 3.0F}});

Tensor row(float first, float second, float third) {
  return torch::tensor({{first, second, third}});
}

auto network(test::Function rectify) {
  return test::model_of([rectify](const Tensor& images) {
    const Tensor h = rectify(images.matmul(a.t()));
    return rectify(h.matmul(b.t())).matmul(c.t());
  });
}

void check(const auto& model, const Tensor& chain, const Tensor& guided, const Tensor& deconvnet) {
  BOOST_TEST(difference(Attribution<Gradient>()(model, x, Class{0}).attribution, chain) < 1e-5);
  BOOST_TEST(difference(Attribution<GuidedBackprop>()(model, x, Class{0}).attribution, guided) < 1e-5);
  BOOST_TEST(difference(Attribution<Deconvnet>()(model, x, Class{0}).attribution, deconvnet) < 1e-5);
  // What was changed in one pass is not in the next.
  BOOST_TEST(difference(Attribution<Gradient>()(model, x, Class{0}).attribution, chain) < 1e-5);
}

void check_relu(const auto& model) {
  check(model, row(-10, 11, -3.5F), row(-2, 4, 2), row(-15, 9, -6));
}

struct Reused : torch::nn::Module {
  Reused() {
    first = register_module("first", torch::nn::Linear(torch::nn::LinearOptions(3, 3).bias(false)));
    second = register_module("second", torch::nn::Linear(torch::nn::LinearOptions(3, 3).bias(false)));
    last = register_module("last", torch::nn::Linear(torch::nn::LinearOptions(3, 1).bias(false)));
    relu = register_module("relu", torch::nn::ReLU(torch::nn::ReLUOptions(true)));
    const torch::NoGradGuard no_grad;
    first->weight.copy_(a);
    second->weight.copy_(b);
    last->weight.copy_(c);
  }
  Tensor forward(Tensor t) {
    return last->forward(relu->forward(second->forward(relu->forward(first->forward(t)))));
  }
  torch::nn::Linear first{nullptr}, second{nullptr}, last{nullptr};
  torch::nn::ReLU relu{nullptr};
};

torch::jit::Module script(const std::string& rectify) {
  torch::jit::Module module("network");
  module.register_parameter("a", a.clone(), false);
  module.register_parameter("b", b.clone(), false);
  module.register_parameter("c", c.clone(), false);
  module.define("def forward(self, x):\n  h = " + rectify + "(x.matmul(self.a.t()))\n  r = " + rectify +
                "(h.matmul(self.b.t()))\n  return r.matmul(self.c.t())\n");
  return module;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attribution_relu_rules)

BOOST_AUTO_TEST_CASE(functional_relu) {
  check_relu(network([](const Tensor& t) { return torch::relu(t); }));
  check_relu(network([](const Tensor& t) { return torch::nn::functional::relu(t); }));
}

BOOST_AUTO_TEST_CASE(in_place_relu) {
  check_relu(network([](const Tensor& t) {
    Tensor rectified = t;
    return rectified.relu_();
  }));
}

BOOST_AUTO_TEST_CASE(a_relu_over_a_view_is_refused) {
  const auto model = network([](const Tensor& t) {
    Tensor view = t.view({t.size(0), 3, 1});
    view.relu_();
    return t;
  });
  const auto expected = says({"GuidedBackprop", "overwrites a view", "torch::relu"});
  BOOST_CHECK_EXCEPTION(Attribution<GuidedBackprop>()(model, x, Class{0}), Error, expected);
}

BOOST_AUTO_TEST_CASE(one_relu_module_used_twice) {
  check_relu(adapt(std::make_shared<Reused>()));
}

BOOST_AUTO_TEST_CASE(torchscript) {
  check_relu(adapt(script("torch.relu")));
  check_relu(adapt(script("torch.relu_")));
}

BOOST_AUTO_TEST_CASE(relu6_below_six_is_relu_and_above_it_is_off) {
  // Half the image: u = (0.25, 3, −1.5), v = (−2.5, 2, 3.25). Twice the image: u = (1, 12, −6), h = (1, 6,
  // 0), v = (−4, 2, 7): the second unit is off below and the third above, but Deconvnet does not ask.
  const auto model = network([](const Tensor& t) { return torch::nn::functional::relu6(t); });
  const auto guided = [&](const Tensor& image) {
    return Attribution<GuidedBackprop>()(model, image, Class{0}).attribution;
  };
  BOOST_TEST(difference(guided(x / 2), row(-2, 4, 2)) < 1e-5);
  // From (0, 2, 0) at v, (−8, 2, 6) at h, where only the first unit is on: nothing positive comes through.
  BOOST_TEST(test::largest(guided(x * 2)) == 0);
  for (const double factor : {0.5, 2.0})
    BOOST_TEST(difference(Attribution<Deconvnet>()(model, x * factor, Class{0}).attribution,
                          row(-15, 9, -6)) < 1e-5);
}

BOOST_AUTO_TEST_CASE(leaky_relu_is_gated_by_its_own_derivative) {
  // Slope 0.1: u = (0.5, 6, −3), h = (0.5, 6, −0.3), v = (−5.3, 3.1, 7.1). R at v, h, u and x:
  //   chain rule   (0.1, 2, −1)  (−8.8, 0.9, 8.1)  (−8.8, 0.9, 0.81)  (−11.32, 11.41, −4.31)
  //   guided       (0.1, 2, 0)   (−7.8, 1.9, 6.1)  (0, 1.9, 0.61)     (−3.12, 4.41, 1.29)
  //   deconvnet    (1, 2, 0)     (−6, 1, 7)        (0, 1, 7)          (−15, 9, −6)
  const auto leaky = [](const Tensor& t) { return torch::leaky_relu(t, 0.1); };
  check(network(leaky), row(-11.32F, 11.41F, -4.31F), row(-3.12F, 4.41F, 1.29F), row(-15, 9, -6));
}

BOOST_AUTO_TEST_CASE(relus_behind_the_objective_do_not_matter) {
  // The objective ends at h: one ReLU, whose second unit is asked about.
  const auto model = test::model_of([](const Tensor& images) {
    const Tensor h = mark("h", torch::relu(images.matmul(a.t())));
    return torch::relu(h.matmul(b.t())).matmul(c.t());
  });
  const auto found = Attribution<GuidedBackprop>()(model, x, Channel{"h", 1});
  BOOST_TEST(difference(found.attribution, row(-1, 2, 1)) < 1e-6);
}

BOOST_AUTO_TEST_CASE(each_image_of_a_batch_by_itself) {
  // Of −x the units that were off are on: u = (−0.5, −6, 3), h = (0, 0, 3), v = (3, 9, −6), R at v (1, 2, 0),
  // at h (−6, 1, 7), at u (0, 0, 7).
  const auto model = network([](const Tensor& t) { return torch::relu(t); });
  const auto found = Attribution<GuidedBackprop>()(model, torch::cat({x, -x, x}), Class{0});
  BOOST_TEST(difference(found.attribution, torch::cat({row(-2, 4, 2), row(-14, 7, -7), row(-2, 4, 2)})) <
             1e-5);
}

BOOST_AUTO_TEST_CASE(smoothed_without_noise_is_the_method_itself) {
  const auto model = network([](const Tensor& t) { return torch::relu(t); });
  const auto found = Attribution<Smoothed<GuidedBackprop>>({.samples = 4, .noise = 0})(model, x, Class{0});
  BOOST_TEST(difference(found.attribution, row(-2, 4, 2)) < 1e-5);
}

BOOST_AUTO_TEST_CASE(a_network_without_relu_is_refused) {
  const auto smooth = network([](const Tensor& t) { return torch::gelu(t); });
  BOOST_CHECK_EXCEPTION(Attribution<GuidedBackprop>()(smooth, x), Error,
                        says({"GuidedBackprop", "none", "plain gradient", "use Gradient"}));
  BOOST_CHECK_EXCEPTION(Attribution<Deconvnet>()(smooth, x), Error,
                        says({"Deconvnet", "none", "plain gradient"}));
  BOOST_CHECK_EXCEPTION(Attribution<Deconvnet>()(adapt(script("torch.tanh")), x), Error,
                        says({"Deconvnet", "none"}));
}

BOOST_AUTO_TEST_CASE(a_network_without_a_path_is_refused) {
  const auto constant = test::sum_of([](const Tensor& t) { return t.detach(); });
  BOOST_CHECK_EXCEPTION(Attribution<GuidedBackprop>()(constant, x), Error,
                        says({"does not depend on the images"}));
}

BOOST_AUTO_TEST_SUITE_END()
