// Images rebuilt from what a layer knows of them.
#include <boost/test/unit_test.hpp>

#include <pellucid/objective/representation.hpp>
#include <pellucid/optimizer/inversion.hpp>
#include <pellucid/optimizer/optimizer.hpp>
#include <pellucid/optimizer/regularizers/alpha_norm.hpp>
#include <pellucid/optimizer/regularizers/total_variation.hpp>

#include <cmath>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;

namespace {

// Φ(x) = x: everything is known.
const auto identity = test::model_of([](const Tensor& x) { return x.flatten(1); });

using Published = Regularizer<AlphaNorm, TotalVariation>;

}  // namespace

BOOST_AUTO_TEST_SUITE(optimizer_inversion)

BOOST_AUTO_TEST_CASE(distances_by_hand) {
  const Tensor a = torch::tensor({{1.0, 2.0}, {0.0, 2.0}}), b = torch::tensor({{3.0, 4.0}, {2.0, 0.0}});
  BOOST_TEST(difference(SquaredError()(a, b), torch::tensor({8 / 25.0, 8 / 4.0})) < 1e-6);
  BOOST_TEST(difference(CosineDistance()(a, b), torch::tensor({1 - 11 / (std::sqrt(5.0) * 5), 1.0})) < 1e-6);
}

BOOST_AUTO_TEST_CASE(a_representation_is_an_objective) {
  const Images image = test::some_images({1, 1, 2, 2});
  const Representation objective{"", image};
  BOOST_TEST(difference(evaluate(objective, identity, image), torch::zeros(1)) == 0);
  // Half of the image: ‖x/2 − x‖²/‖x‖² = 1/4.
  BOOST_TEST(difference(evaluate(objective, identity, image / 2), torch::full({1}, -0.25)) < 1e-6);
  BOOST_TEST(difference(evaluate(Representation{"", image, CosineDistance()}, identity, image / 2),
                        torch::zeros(1)) < 1e-6);
  const auto farthest = [](const Tensor& a, const Tensor& b) { return (a - b).flatten(1).abs().amax(1); };
  BOOST_TEST(difference(evaluate(Representation{"", image, farthest}, identity, image / 2),
                        -image.max().view(1) / 2) < 1e-6);
}

BOOST_AUTO_TEST_CASE(one_step_by_hand) {
  const Images image = test::some_images({1, 3, 4, 4});
  const Inversion inversion{.learning_rate = {{{1, 0.01}}}, .norm = 2};
  const Images start = inversion.start(identity, Representation{"", image});
  // x ← x − rate · ∂/∂x ‖(c + σx) − Φ₀‖²/‖Φ₀‖², and the image is c + σx: pixels move by σ² as much.
  const Tensor expected = start - 0.01 * 4 * 2 * (start - image) / image.square().sum();
  const Images found = Optimizer<Inversion>(inversion)(identity, Representation{"", image});
  BOOST_TEST(difference(found, expected.clamp(0, 1)) < 1e-5);
}

BOOST_AUTO_TEST_CASE(the_start_is_noise_of_the_norm_of_an_image) {
  const Images image = test::some_images({1, 3, 227, 227});
  const Images start = Inversion{}.start(identity, Representation{"", image});
  BOOST_TEST((start - 0.5).norm().item<double>() == 27098.0 / 255, boost::test_tools::tolerance(0.01));
  const Images half = Inversion{}.start(identity, Representation{"", test::some_images({1, 3, 114, 114})});
  BOOST_TEST((half - 0.5).norm().item<double>() == 27098.0 / 255 * 114 / 227,
             boost::test_tools::tolerance(0.01));
}

BOOST_AUTO_TEST_CASE(what_is_known_comes_back) {
  const Images image = test::some_images({1, 3, 16, 16});
  const auto found =
      Optimizer<Inversion>({.learning_rate = {{{1000, 0.004}}}})(identity, Representation{"", image});
  BOOST_TEST(found.values.size(1) == 1001);
  BOOST_TEST(-found.values[0][-1].item<double>() < 1e-3);
  BOOST_TEST(difference(found.synthesized, image) < 0.1);
}

BOOST_AUTO_TEST_CASE(each_image_of_a_batch_by_itself) {
  const Images images = test::some_images({3, 3, 8, 8});
  const auto net = test::small_net(2);
  const Optimizer<Inversion, Published> invert({.learning_rate = {{{10, 0.004}}}});
  const auto all = invert(net, Representation{"first", images});
  BOOST_TEST(all.synthesized.sizes() == images.sizes());
  const auto first = invert(net, Representation{"first", images.slice(0, 0, 1)});
  BOOST_TEST(difference(all.synthesized[0], first.synthesized[0]) < 1e-5);
  for (std::int64_t row = 0; row < 3; ++row)
    BOOST_TEST(all.values[row][-1].item<double>() > all.values[row][0].item<double>());
}

BOOST_AUTO_TEST_CASE(refusals) {
  const Images image = test::some_images({1, 1, 2, 2});
  const Optimizer<Inversion> invert;
  BOOST_CHECK_EXCEPTION(invert(identity, Representation{"", torch::zeros({1, 1, 2, 2})}), Error,
                        says({"zero everywhere", "another layer"}));
  BOOST_CHECK_EXCEPTION(invert(identity, image, Representation{"", Images()}), Error, says({"no image"}));
  BOOST_CHECK_EXCEPTION(Optimizer<Inversion>({.momentum = 1}), Error, says({"Momentum"}));
  BOOST_CHECK_EXCEPTION(Optimizer<Inversion>({.norm = -1}), Error, says({"norm of -1"}));
}

BOOST_AUTO_TEST_SUITE_END()
