#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/gradient.hpp>
#include <pellucid/attribution/methods/integrated_gradients.hpp>
#include <pellucid/check/infidelity.hpp>

#include <atomic>
#include <cmath>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;

namespace {

const Tensor weights = torch::tensor({{1.0, -2.0, 0.0, 3.0}, {0.5, 0.5, 0.5, 0.5}}, torch::kDouble);
const Images x = torch::tensor({{0.5, 0.25, 1.0, 0.0}}, torch::kDouble);  // range 1, so that σ is the noise

double value(const Tensor& one) {
  return one.item<double>();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(check_infidelity)

BOOST_AUTO_TEST_CASE(a_linear_model_is_told_by_its_gradient) {
  // Δ = w·I exactly, and A = w.
  const auto model = test::linear(weights);
  const Tensor gradient = Attribution<Gradient>()(model, x, Class{0}).attribution;
  const Infidelity found = infidelity(model, x, gradient, Class{0});
  BOOST_TEST(value(found.value) < 1e-28);
  BOOST_TEST(value(found.scaled) < 1e-28);
  BOOST_TEST(value(found.unexplained) < 1e-28);
}

BOOST_AUTO_TEST_CASE(a_multiple_of_it_is_wrong_by_a_known_amount) {
  // A = (1 + k)w: IᵀA − Δ = k·(w·I), so value = k²·E[Δ²], of which k = −1 (a map of zeros) gives E[Δ²]
  // itself.
  const auto model = test::linear(weights);
  const Tensor w = weights.narrow(0, 0, 1);
  const InfidelityOptions options{.samples = 40};
  const double whole = value(infidelity(model, x, 0 * w, Class{0}, options).value);
  const Infidelity twice = infidelity(model, x, 3 * w, Class{0}, options);
  BOOST_TEST(value(twice.value) == 4 * whole, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(value(twice.unexplained) < 1e-25);                                        // β = 1/3
  BOOST_TEST(value(infidelity(model, x, -w, Class{0}, options).unexplained) < 1e-25);  // β = −1
  BOOST_TEST(value(infidelity(model, x, 0 * w, Class{0}, options).unexplained) == 1);
}

BOOST_AUTO_TEST_CASE(the_expectation_of_a_wrong_map) {
  // E[Iᵢ Iⱼ] = σ²δᵢⱼ. With A = w + d: value → σ²‖d‖², E[Δ²] → σ²‖w‖² = 14σ², and the share that no multiple
  // explains → 1 − (w·A)²/(‖w‖²‖A‖²). d = (0, 2, 1, 0): ‖d‖² = 5, A = (1, 0, 1, 3), w·A = 10, ‖A‖² = 11:
  // 1 − 100/154 = 0.3506. Of n draws the mean of squares is off by √(2/n), 0.7 % for 40,000.
  const auto model = test::linear(weights, 1000);
  const Tensor a = torch::tensor({{1.0, 0.0, 1.0, 3.0}}, torch::kDouble);
  const Infidelity found = infidelity(model, x, a, Class{0}, {.samples = 40'000, .noise = 0.2});
  BOOST_TEST(value(found.value) == 0.04 * 5, boost::test_tools::tolerance(0.03));
  BOOST_TEST(value(found.unexplained) == 1 - 100.0 / 154, boost::test_tools::tolerance(0.03));
  BOOST_TEST(value(found.scaled) == 0.04 * 14 * (1 - 100.0 / 154), boost::test_tools::tolerance(0.03));
}

BOOST_AUTO_TEST_CASE(of_a_parabola_the_curvature_is_left) {
  // S = Σx², A = 2x: Δ = S(x) − S(x − I) = 2x·I − ‖I‖², so IᵀA − Δ = ‖I‖². Of D values E[‖I‖⁴] = σ⁴(D² + 2D):
  // 24σ⁴ for D = 4. Its relative error for n draws is √((E‖I‖⁸/E²‖I‖⁴ − 1)/n), and for D = 4
  // E‖I‖⁸ = σ⁸·4·6·8·10 = 1920σ⁸: √((1920/576 − 1)/40,000) = 0.8 %.
  const auto parabola = test::sum_of([](const Tensor& t) { return t.square(); }, 1000);
  const Tensor gradient = Attribution<Gradient>()(parabola, x, Class{0}).attribution;
  const Infidelity found = infidelity(parabola, x, gradient, Class{0}, {.samples = 40'000, .noise = 0.3});
  BOOST_TEST(value(found.value) == 24 * std::pow(0.3, 4), boost::test_tools::tolerance(0.03));
}

BOOST_AUTO_TEST_CASE(a_map_without_channels_counts_for_each_of_them) {
  // S = Σ over 3 channels of m·x with the same m for each: told by the map 1×1×2×2.
  const Tensor m = torch::tensor({1.0, 2.0, -1.0, 0.5}, torch::kDouble).view({1, 1, 2, 2});
  const auto model = test::sum_of([m](const Tensor& t) { return m * t; });
  const Images images = test::some_images({2, 3, 2, 2}).to(torch::kDouble);
  const Infidelity found = infidelity(model, images, m.expand({2, 1, 2, 2}), Class{0});
  BOOST_TEST(test::largest(found.value) < 1e-27);
}

BOOST_AUTO_TEST_CASE(an_objective_that_does_not_move) {
  const auto constant = test::model_of([](const Tensor& t) { return torch::ones({t.size(0), 2}); });
  const Infidelity found = infidelity(constant, x, torch::zeros({1, 4}), Class{0});
  BOOST_TEST(value(found.value) == 0);
  BOOST_TEST(std::isnan(value(found.unexplained)));  // 0/0: no map could be better or worse
}

BOOST_AUTO_TEST_CASE(an_image_of_one_colour_cannot_be_asked) {
  // Its range is 0, and so is σ. A batch of another size may be rounded otherwise, which is no change.
  Images images = test::some_images({3, 3, 8, 8});
  images[1].fill_(0.3F);
  for (const std::int64_t micro_batch : {1, 3, 8}) {
    const Infidelity found = infidelity(test::small_net(micro_batch), images, torch::randn({3, 3, 8, 8}),
                                        Class{0}, {.samples = 5});
    BOOST_TEST(value(found.value[1]) == 0);
    BOOST_TEST(value(found.scaled[1]) == 0);
    BOOST_TEST(std::isnan(value(found.unexplained[1])));
    for (const std::int64_t other : {0, 2}) BOOST_TEST(value(found.unexplained[other]) > 0);
  }
}

BOOST_AUTO_TEST_CASE(neither_batch_nor_micro_batch_matters_but_the_seed_does) {
  const Images images = test::some_images({4, 3, 8, 8});
  const Tensor a = torch::randn({4, 3, 8, 8});
  const Class asked{{0, 1, 2, 3}};
  const InfidelityOptions options{.samples = 9, .seed = 5};
  const Tensor whole = infidelity(test::small_net(8), images, a, asked, options).value;
  for (const std::int64_t micro_batch : {1, 5, 64})
    BOOST_TEST(test::relative_difference(
                   infidelity(test::small_net(micro_batch), images, a, asked, options).value, whole) < 1e-5);
  const Tensor first =
      infidelity(test::small_net(), images.narrow(0, 0, 1), a.narrow(0, 0, 1), Class{0}, options).value;
  BOOST_TEST(test::relative_difference(first, whole.narrow(0, 0, 1)) < 1e-5);
  BOOST_TEST(difference(infidelity(test::small_net(), images, a, asked, {.samples = 9, .seed = 6}).value,
                        whole) > 0);
}

BOOST_AUTO_TEST_CASE(no_more_passes_than_must_be) {
  // 2 images once, and 2·20 noisy ones in micro-batches of 8.
  const auto passes = std::make_shared<std::atomic<int>>(0);
  const auto counting = test::model_of([=](const Tensor& t) {
    ++*passes;
    return t.flatten(1).sum(1, true);
  });
  infidelity(counting, torch::rand({2, 3, 4, 4}), torch::rand({2, 3, 4, 4}), Class{0}, {.samples = 20});
  BOOST_TEST(*passes == 6);
}

BOOST_AUTO_TEST_CASE(wrong_requests) {
  const auto model = test::linear(weights);
  const auto ask = [&](const InfidelityOptions& options) { infidelity(model, x, x, Class{0}, options); };
  BOOST_CHECK_EXCEPTION(ask({.samples = 0}), Error, says({"samples is 0"}));
  BOOST_CHECK_EXCEPTION(ask({.noise = -1}), Error, says({"noise is -1"}));
  BOOST_CHECK_EXCEPTION(ask({.noise = 0}), Error, says({"noise is 0", "changes nothing"}));
  BOOST_CHECK_EXCEPTION(infidelity(model, x, torch::rand({1, 5}), Class{0}), Error,
                        says({"[1, 5]", "[1, 4]"}));
  const auto root = test::sum_of([](const Tensor& t) { return t.sqrt(); });  // NaN below 0
  const Images images = torch::tensor({{0.5, 0.25}, {-0.5, 0.25}}, torch::kDouble);
  BOOST_CHECK_EXCEPTION(infidelity(root, images, images, Class{0}), Error,
                        says({"objective of image 1", "NaN or infinity"}));
}

BOOST_AUTO_TEST_SUITE_END()
