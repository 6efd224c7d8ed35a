#include <boost/test/unit_test.hpp>

#include <pellucid/activation/unit_gradients.hpp>
#include <pellucid/model/any_model.hpp>

#include <memory>

#include "support.hpp"

using namespace pellucid;

namespace {

using Numbers = std::vector<std::int64_t>;

/// Two kernels 3×3 for images of one channel, with the largest values at (0, 2) and at (1, 1).
Tensor kernels() {
  return torch::tensor({1., -2., 9., 0., 3., 1., -1., 2., 4.,  //
                        2., 0., 1., -3., 7., 1., 5., -1., 1.})
      .to(torch::kFloat)
      .view({2, 1, 3, 3});
}

/// Layer "maps" N×2×6×6, and scores of it.
auto convolution(std::int64_t micro_batch = 8) {
  return test::model_of(
      [](const Tensor& x) {
        return mark("maps", torch::conv2d(x, kernels(), {}, 1, 1)).tanh().sum({2, 3});
      },
      micro_batch);
}

/// An image 6×6 of one channel that is 0 but for a 1 at (4, 1).
Images spot() {
  Images image = torch::zeros({1, 1, 6, 6});
  image[0][0][4][1] = 1;
  return image;
}

template <class M>
std::string refusal(const M& model, const Images& images, const Neuron& units) {
  try {
    unit_gradients(model, images, units);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool has(const std::string& message, const std::vector<std::string>& words) {
  for (const std::string& word : words)
    if (message.find(word) == std::string::npos) return false;
  return true;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(activation_unit_gradients)

BOOST_AUTO_TEST_CASE(of_a_linear_layer_they_are_its_weights) {
  // a = W x: ∂a_k/∂x is row k. What comes behind the layer, tanh and a sum, takes no part.
  const Tensor weights = test::some_images({5, 12}) - 0.5;
  const auto model = test::model_of([weights](const Tensor& x) {
    return mark("hidden", x.flatten(1).matmul(weights.t())).tanh().sum(1, true);
  });
  const Images image = test::some_images({1, 3, 2, 2}, 2);
  const UnitGradients found = unit_gradients(model, image, {"hidden", {4, 0, 3}});
  BOOST_TEST((found.units == Numbers{4, 0, 3}));
  BOOST_TEST(found.y.empty());
  BOOST_TEST(found.x.empty());
  BOOST_TEST(found.image.equal(image));
  BOOST_TEST((found.gradients.sizes().vec() == Numbers{3, 3, 2, 2}));
  BOOST_REQUIRE(found.values.size() == 3U);
  for (std::size_t u = 0; u < 3; ++u) {
    const Tensor row = weights[found.units[u]];
    BOOST_TEST(test::difference(found.gradients[std::int64_t(u)].flatten(), row) < 1e-6);
    BOOST_TEST(std::abs(found.values[u] - row.dot(image.flatten()).item<double>()) < 1e-6);
  }
  // The scores are a layer, too: ∂ Σ tanh(a_k) = Σ (1 − tanh² a_k) W_k.
  const Tensor hidden = weights.matmul(image.flatten());
  const Tensor expected = (1 - hidden.tanh().square()).matmul(weights);
  BOOST_TEST(test::difference(unit_gradients(model, image, {"", 0}).gradients.flatten(), expected) < 1e-6);
}

BOOST_AUTO_TEST_CASE(of_a_convolution_they_are_its_kernel_at_the_place) {
  // a_c(y, x) = Σ_ij k_c(i, j) · image(y + i − 1, x + j − 1): the gradient is the kernel, with its middle at
  // (y, x), and cut where it leaves the image.
  const UnitGradients inside = unit_gradients(convolution(), spot(), {"maps", {0, 1}, 2, 3});
  for (const std::int64_t c : {0, 1}) {
    Tensor expected = torch::zeros({6, 6});
    expected.slice(0, 1, 4).slice(1, 2, 5).copy_(kernels()[c][0]);
    BOOST_TEST(inside.gradients[c][0].equal(expected));
  }
  const UnitGradients corner = unit_gradients(convolution(), spot(), {"maps", 1, 0, 0});
  Tensor cut = torch::zeros({6, 6});
  cut.slice(0, 0, 2).slice(1, 0, 2).copy_(kernels()[1][0].slice(0, 1, 3).slice(1, 1, 3));
  BOOST_TEST(corner.gradients[0][0].equal(cut));
}

BOOST_AUTO_TEST_CASE(left_out_the_place_is_that_of_the_strongest_response) {
  // For the spot at (4, 1), a_c(y, x) = k_c(5 − y, 2 − x): the largest value of kernel 0, at (0, 2), is found
  // at (5, 0); that of kernel 1, at (1, 1), at (4, 1).
  const UnitGradients found = unit_gradients(convolution(), spot(), {"maps", {0, 1}});
  BOOST_TEST((found.y == Numbers{5, 4}));
  BOOST_TEST((found.x == Numbers{0, 1}));
  BOOST_TEST((found.values == std::vector<double>{9, 7}));
  Tensor expected = torch::zeros({6, 6});
  expected.slice(0, 4, 6).slice(1, 0, 2).copy_(kernels()[0][0].slice(0, 0, 2).slice(1, 1, 3));
  BOOST_TEST(found.gradients[0][0].equal(expected));
}

BOOST_AUTO_TEST_CASE(one_channel_at_several_places) {
  const UnitGradients found = unit_gradients(convolution(), spot(), {"maps", 1, {1, 2, 3}, {3, 3, 4}});
  BOOST_TEST((found.units == Numbers{1, 1, 1}));
  BOOST_TEST((found.y == Numbers{1, 2, 3}));
  BOOST_TEST(found.gradients[0].narrow(1, 0, 5).equal(found.gradients[1].narrow(1, 1, 5)));  // one row lower
  BOOST_TEST(found.gradients[2][0][3][4].item<float>() == 7);
}

BOOST_AUTO_TEST_CASE(finite_differences_agree) {
  const auto model = adapt([](const Tensor& x) {
    const Tensor weight = test::some_images({4, 2, 3, 3}, 9).to(torch::kDouble) - 0.5;
    return mark("act", torch::conv2d(x.sin(), weight).exp()).mean({2, 3});
  });
  const Images image = test::some_images({1, 2, 5, 5}, 3).to(torch::kDouble);
  const UnitGradients found = unit_gradients(model, image, {"act", {0, 1, 2, 3}});
  constexpr double step = 1e-5;
  Tensor numeric = torch::zeros_like(found.gradients);
  for (std::int64_t pixel = 0; pixel < image.numel(); ++pixel) {
    Images more = image.clone(), less = image.clone();
    more.view(-1)[pixel] += step;
    less.view(-1)[pixel] -= step;
    const Tensor rise = (model.activation(more, "act") - model.activation(less, "act"))[0] / (2 * step);
    for (std::size_t u = 0; u < 4; ++u)
      numeric[std::int64_t(u)].view(-1)[pixel] = rise[std::int64_t(u)][found.y[u]][found.x[u]];
  }
  // The third derivative is of the size of the first: the error of central differences is about step².
  BOOST_TEST(test::relative_difference(found.gradients, numeric) < 1e-8);
}

BOOST_AUTO_TEST_CASE(micro_batches_change_nothing_and_are_used) {
  const Images image = test::some_images({1, 3, 9, 9});
  const Tensor expected =
      unit_gradients(test::small_net(8), image, {"second", {0, 1, 2, 3, 4, 5, 6, 7}}).gradients;
  for (const std::int64_t micro_batch : {1, 3, 5})
    BOOST_TEST(test::relative_difference(
                   unit_gradients(test::small_net(micro_batch), image, {"second", {0, 1, 2, 3, 4, 5, 6, 7}})
                       .gradients,
                   expected) < 1e-6);

  // Seven units in micro-batches of at most three: the image once, then 3 + 2 + 2.
  const auto passes = std::make_shared<Numbers>();
  const auto counting = test::model_of(
      [passes](const Tensor& x) {
        passes->push_back(x.size(0));
        return x.flatten(1);
      },
      3);
  counting.observe(spot(), {""});  // finds out the names of the layers
  passes->clear();
  unit_gradients(counting, spot(), {"", {0, 1, 2, 3, 4, 5, 6}});
  BOOST_TEST((*passes == Numbers{1, 3, 2, 2}));
}

BOOST_AUTO_TEST_CASE(a_unit_that_is_off_has_zeros) {
  const auto model = test::model_of([](const Tensor& x) { return mark("off", torch::relu(-x)).flatten(1); });
  const UnitGradients found = unit_gradients(model, test::some_images({1, 3, 4, 4}), {"off", {0, 2}});
  BOOST_TEST(test::largest(found.gradients) == 0);
  BOOST_TEST((found.values == std::vector<double>{0, 0}));
}

BOOST_AUTO_TEST_CASE(images_are_brought_to_the_size_that_the_network_sees) {
  const AnyModel model = adapt([](const Tensor& x) { return mark("all", x * 2).flatten(1); },
                               Preprocess{.resize = 4, .crop = 4}, {.micro_batch = 2});
  const Images large = test::some_images({1, 3, 8, 8});
  const UnitGradients found = unit_gradients(model, large, {"all", {0, 1, 2}, 1, 2});
  BOOST_TEST(found.image.equal(model.fit(large)));
  Tensor expected = torch::zeros({3, 3, 4, 4});
  for (const std::int64_t c : {0, 1, 2}) expected[c][c][1][2] = 2;
  BOOST_TEST(found.gradients.equal(expected));
}

BOOST_AUTO_TEST_CASE(progress_is_told_and_can_cancel) {
  double last = 0;
  unit_gradients(convolution(1), spot(), {"maps", {0, 1, 0}}, [&](const Progress& progress) {
    BOOST_TEST(progress.fraction > last);
    last = progress.fraction;
  });
  BOOST_TEST(last == 1);
  BOOST_CHECK_THROW(
      unit_gradients(convolution(1), spot(), {"maps", {0, 1}}, [](const Progress&) { return false; }),
      Cancelled);
}

BOOST_AUTO_TEST_CASE(requests_without_meaning_are_refused) {
  const auto model = convolution();
  BOOST_TEST(has(refusal(model, torch::zeros({2, 1, 6, 6}), {"maps", 0}), {"one image", "2 were given"}));
  BOOST_TEST(has(refusal(model, spot(), {"maps", {0, 2}}), {"channel 2", "0 to 1"}));
  BOOST_TEST(has(refusal(model, spot(), {"maps", 0, 6, 0}), {"row y 6", "0 to 5"}));
  BOOST_TEST(has(refusal(model, spot(), {"maps", 0, 0, -1}), {"column x -1", "0 to 5"}));
  BOOST_TEST(has(refusal(model, spot(), {"maps", 0, 1, {}}), {"y was given without x"}));
  BOOST_TEST(has(refusal(model, spot(), {"maps", {0, 1}, {1, 2, 3}, 1}), {"2 numbers", "3"}));
  BOOST_TEST(has(refusal(model, spot(), {"maps", PerImage{}}), {"no unit", "'maps'"}));
  BOOST_TEST(has(refusal(model, spot(), {"map", 0}), {"'map'", "maps"}));
  BOOST_TEST(has(refusal(model, spot(), {"", 0, 1, 1}), {"no place"}));
  const auto tokens = test::model_of([](const Tensor& x) { return mark("t", x.flatten(2)).flatten(1); });
  BOOST_TEST(has(refusal(tokens, spot(), {"t", 0}), {"'t'", "[1, 1, 36]"}));
  const auto last = test::model_of([](const Tensor& x) {
    return mark("l", x.permute({0, 2, 3, 1}) * 1).flatten(1);
  });
  BOOST_TEST(has(refusal(last, spot(), {"l", 0}), {"'l'", "[1, 6, 6, 1]", "channels last", "N×C×h×w"}));
  const auto merged = test::model_of([](const Tensor& x) {
    return mark("m", x.view({-1, 6})).view({-1, 36});
  });
  BOOST_TEST(has(refusal(merged, spot(), {"m", 0}), {"'m'", "[6, 6]", "one row"}));
  const auto root = test::model_of([](const Tensor& x) { return x.flatten(1).sqrt(); });
  BOOST_TEST(has(refusal(root, spot(), {"", 0}), {"NaN or infinity"}));
}

BOOST_AUTO_TEST_SUITE_END()
