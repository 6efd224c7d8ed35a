// The checks on a real network: which maps show what it learnt.
#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/guided_backprop.hpp>
#include <pellucid/attribution/methods/smoothgrad.hpp>
#include <pellucid/check/infidelity.hpp>
#include <pellucid/check/insertion_deletion.hpp>
#include <pellucid/check/randomization.hpp>

#include "shapes/generator.hpp"
#include "shapes/networks.hpp"
#include "shapes/shipped.hpp"

using namespace pellucid;

namespace {

constexpr std::int64_t count = 8;

const shapes::Scenes& pictures() {
  static const shapes::Scenes scenes = shapes::scenes(shapes::held_out, 20'000'000, count);
  return scenes;
}

const AnyModel& network() {
  static const AnyModel model =
      shapes::load_shipped("shapes-vgg", shapes::preprocess(), {.micro_batch = count});
  return model;
}

Class labels() {
  const Tensor labels = pictures().labels.contiguous();
  return {
      std::vector<std::int64_t>(labels.data_ptr<std::int64_t>(), labels.data_ptr<std::int64_t>() + count)};
}

double mean_of(const Tensor& values) {
  return values.mean().item<double>();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(shapes_checks)

BOOST_AUTO_TEST_CASE(randomization_tells_guided_backprop_from_the_gradient) {
  const Images& x = pictures().images;
  const Tensor scores = network()(x).detach();
  const Randomization gradient = randomization(Gradient{}, network(), x, labels());
  const Randomization guided = randomization(GuidedBackprop{}, network(), x, labels());
  BOOST_TEST(network()(x).equal(scores));
  BOOST_REQUIRE((gradient.layers == guided.layers));
  BOOST_TEST((gradient.layers.front() == std::vector<std::string>{"classifier.0"}));
  BOOST_TEST((gradient.layers.back() == std::vector<std::string>{"features.0"}));
  // The last convolution, its batch norm and the classifier hold most of the weights. With them shuffled the
  // gradient has no direction left, and guided backpropagation is nearly what it was: in each picture.
  const auto step =
      std::find(gradient.layers.begin(), gradient.layers.end(), std::vector<std::string>{"features.15"});
  BOOST_REQUIRE((step != gradient.layers.end()));
  const std::int64_t last = step - gradient.layers.begin();
  const Tensor of_gradient = gradient.cosine.select(1, last), of_guided = guided.cosine.select(1, last);
  BOOST_TEST_MESSAGE("cosine down to features.15: gradient " << mean_of(of_gradient) << ", guided "
                                                             << mean_of(of_guided));
  BOOST_TEST(std::abs(mean_of(of_gradient)) < 0.25);
  BOOST_TEST(mean_of(of_guided) > 0.9);
  BOOST_TEST((guided.rank_correlation.select(1, last) > gradient.rank_correlation.select(1, last))
                 .all()
                 .item<bool>());
  BOOST_TEST((of_guided > 0.5 + of_gradient.abs()).all().item<bool>());
  // With every weight shuffled neither stays.
  const std::int64_t all = std::int64_t(gradient.layers.size()) - 1;
  BOOST_TEST(std::abs(mean_of(gradient.cosine.select(1, all))) < 0.25);
  BOOST_TEST(std::abs(mean_of(guided.cosine.select(1, all))) < 0.5);
}

BOOST_AUTO_TEST_CASE(curves_and_infidelity_tell_maps_from_noise) {
  const Images& x = pictures().images;
  const Tensor smooth = Attribution<SmoothGrad>({.samples = 10})(network(), x, labels()).attribution;
  const Tensor gradient = Attribution<Gradient>()(network(), x, labels()).attribution;
  const Tensor random = torch::rand(x.sizes());
  const CurveOptions options{.steps = 16};
  const auto curves = [&](const Tensor& map) {
    return insertion_deletion(network(), x, map, Probability{labels().label}, options);
  };
  const Curves good = curves(smooth), noise = curves(random);
  BOOST_TEST(mean_of(good.insertion_area) > mean_of(noise.insertion_area) + 0.2);
  BOOST_TEST(mean_of(good.deletion_area) < mean_of(noise.deletion_area) - 0.1);
  // Close to the image the gradient tells most of what noise does, and noise tells nothing.
  const auto unexplained = [&](const Tensor& map) {
    return mean_of(infidelity(network(), x, map, labels(), {.samples = 40, .noise = 0.003}).unexplained);
  };
  BOOST_TEST(unexplained(gradient) < 0.3);
  BOOST_TEST(unexplained(random) > 0.8);
}

BOOST_AUTO_TEST_SUITE_END()
