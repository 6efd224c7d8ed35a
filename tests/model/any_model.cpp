#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/gradient.hpp>
#include <pellucid/model/any_model.hpp>

#include "support.hpp"

using namespace pellucid;

static_assert(LayeredModel<AnyModel>);

namespace {

/// A user's own model: no list of layers, no size that it wants.
struct Bare {
  Tensor operator()(const Images& x) const { return x.flatten(1).sum(1, true); }
  std::vector<Tensor> observe(const Images& x, const std::vector<std::string>& layers) const {
    std::vector<Tensor> seen;
    for (const std::string& layer : layers) seen.push_back(layer.empty() ? (*this)(x) : 2 * x);
    return seen;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(model_any_model)

BOOST_AUTO_TEST_CASE(it_is_the_model_that_it_holds) {
  const auto net = test::small_net(3);
  const AnyModel any(net);
  const Images x = test::some_images({2, 3, 8, 8});
  BOOST_TEST(any(x).equal(net(x)));
  BOOST_TEST(any.activation(x, "second").equal(net.activation(x, "second")));
  BOOST_TEST(any.layers(x).size() == net.layers(x).size());
  BOOST_TEST(any.fit(x).equal(net.fit(x)));
  BOOST_TEST(any.execution().micro_batch == 3);
  const auto why = Attribution<Gradient>();
  BOOST_TEST(why(any, x, Class{1}).attribution.equal(why(net, x, Class{1}).attribution));
}

BOOST_AUTO_TEST_CASE(a_copy_is_the_same_model) {
  const AnyModel any(test::small_net());
  const AnyModel copy = any;
  const Images x = test::some_images({1, 3, 8, 8});
  BOOST_TEST(copy(x).equal(any(x)));
}

BOOST_AUTO_TEST_CASE(what_a_model_does_not_say_has_an_answer) {
  const AnyModel any(Bare{});
  const Images x = test::some_images({2, 3, 4, 4});
  BOOST_TEST(any.layers(x).empty());
  BOOST_TEST(any.fit(x).equal(x));
  BOOST_TEST(any.activation(x, "doubled").equal(2 * x));
  BOOST_TEST(any(x).equal(x.flatten(1).sum(1, true)));
}

BOOST_AUTO_TEST_SUITE_END()
