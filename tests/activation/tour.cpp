#include <boost/test/unit_test.hpp>

#include <pellucid/activation/tour.hpp>
#include <pellucid/model/any_model.hpp>
#include <pellucid/model/zoo/squeezenet.hpp>

#include <limits>
#include <memory>

#include "support.hpp"

using namespace pellucid;

namespace {

/// Layers of known shapes, and a record of which were asked for together.
struct Logbook {
  struct Model {
    std::vector<LayerInfo> list{};
    std::shared_ptr<std::vector<std::vector<std::string>>> passes =
        std::make_shared<std::vector<std::vector<std::string>>>();

    Tensor operator()(const Images& images) const { return images.flatten(1); }
    std::vector<LayerInfo> layers(const Images&) const { return list; }
    std::vector<Tensor> observe(const Images&, const std::vector<std::string>& names) const {
      passes->push_back(names);
      std::vector<Tensor> outputs;
      for (const std::string& name : names)
        for (const LayerInfo& layer : list)
          if (layer.name == name) outputs.push_back(torch::ones(layer.shape));
      return outputs;
    }
  };
};

using Sizes = std::vector<std::int64_t>;
using Names = std::vector<std::string>;

template <class M>
std::string refusal(const M& model, const Images& images, const TourOptions& options = {}) {
  try {
    tour(model, images, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool has(const std::string& message, const Names& words) {
  for (const std::string& word : words)
    if (message.find(word) == std::string::npos) return false;
  return true;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(activation_tour)

BOOST_AUTO_TEST_CASE(by_hand) {
  // Layer "scaled" has the channels x, −2x, 3x of a grey image x, layer "sums" the three sums.
  const auto model = test::model_of([](const Tensor& x) {
    const Tensor scaled = mark("scaled", x * torch::tensor({1.0F, -2.0F, 3.0F}).view({1, 3, 1, 1}));
    return mark("sums", scaled.sum({2, 3}));
  });
  const Tensor image = torch::tensor({1.0F, 0.0F, 0.5F, 0.5F}).view({1, 1, 2, 2}).expand({1, 3, 2, 2});
  const std::vector<Stop> stops = tour(model, image, {.channels = 2});
  BOOST_REQUIRE(stops.size() == 2U);

  const Stop& scaled = stops[0];
  BOOST_TEST(scaled.layer.name == "scaled");
  BOOST_TEST((scaled.layer.shape == Sizes{1, 3, 2, 2}));
  BOOST_TEST(scaled.channels == 3);
  BOOST_TEST((scaled.strongest.channels == Sizes{2, 0}));
  BOOST_TEST((scaled.strongest.values == std::vector<double>{3, 1}));
  BOOST_TEST(scaled.maps.equal(torch::stack({3 * image[0][0], image[0][0]})));
  BOOST_TEST(scaled.least == -2);
  BOOST_TEST(scaled.most == 3);
  BOOST_TEST(scaled.mean == 1.0 / 3);  // (1 − 2 + 3) · 2 over 12 places, exact in binary but for the division

  const Stop& sums = stops[1];
  BOOST_TEST(sums.channels == 3);
  BOOST_TEST((sums.strongest.channels == Sizes{2, 0}));
  BOOST_TEST((sums.strongest.values == std::vector<double>{6, 2}));
  BOOST_TEST((sums.maps.sizes().vec() == Sizes{2, 1, 1}));
}

BOOST_AUTO_TEST_CASE(every_layer_is_on_the_way) {
  const auto model = adapt(SqueezeNet(SqueezeNetOptions{.classes = 7}));
  const Images image = test::some_images({1, 3, 64, 64});
  const auto listed = model.layers(image);
  BOOST_TEST(listed.size() > 60U);
  const std::vector<Stop> stops = tour(model, image);
  BOOST_REQUIRE(stops.size() == listed.size());
  for (std::size_t i = 0; i < listed.size(); ++i) {
    BOOST_TEST(stops[i].layer.name == listed[i].name);
    BOOST_TEST(stops[i].layer.kind == listed[i].kind);
    BOOST_TEST((stops[i].layer.shape == listed[i].shape));
    // What the tour kept is what the layer gives.
    const Tensor output = [&] {
      const torch::NoGradGuard no_grad;
      return channels_of(model.activation(image, listed[i].name), image);
    }();
    BOOST_TEST(stops[i].channels == output.size(0));
    BOOST_TEST(stops[i].most == output.max().item<double>());
    for (std::size_t k = 0; k < stops[i].strongest.channels.size(); ++k)
      BOOST_TEST(stops[i].maps[std::int64_t(k)].equal(output[stops[i].strongest.channels[k]]));
  }
}

BOOST_AUTO_TEST_CASE(no_more_is_held_at_once_than_was_allowed) {
  // 4, 2, 3, 9, 1 values, at most 6 at once: 4 + 2; 3; 9 alone is too much, and goes alone; 1.
  Logbook::Model model;
  model.list = {
      {"a", "", {1, 4}}, {"b", "", {1, 2}}, {"c", "", {1, 3}}, {"d", "", {1, 1, 3, 3}}, {"e", "", {1, 1}}};
  const std::vector<Stop> stops = tour(model, torch::ones({1, 3, 3, 3}), {.held_values = 6});
  BOOST_TEST(stops.size() == 5U);
  BOOST_TEST((*model.passes == std::vector<Names>{{"a", "b"}, {"c"}, {"d"}, {"e"}}));
}

BOOST_AUTO_TEST_CASE(groups_change_nothing) {
  const auto model = test::small_net();
  const Images image = test::some_images({1, 3, 12, 12});
  const std::vector<Stop> whole = tour(model, image), single = tour(model, image, {.held_values = 1});
  BOOST_REQUIRE(whole.size() == single.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    BOOST_TEST(whole[i].layer.name == single[i].layer.name);
    BOOST_TEST(whole[i].maps.equal(single[i].maps));
    BOOST_TEST((whole[i].strongest.channels == single[i].strongest.channels));
  }
}

BOOST_AUTO_TEST_CASE(any_model_and_layers_of_any_kind) {
  const AnyModel model = test::model_of([](const Tensor& x) {
    mark("empty", x.narrow(1, 0, 0));
    mark("whole", x.to(torch::kLong));
    mark("tokens", x.flatten(2).transpose(1, 2));
    return mark("last", x.permute({0, 2, 3, 1})).sum({1, 2});
  });
  const std::vector<Stop> stops = tour(model, test::some_images({1, 3, 8, 8}));
  BOOST_REQUIRE(stops.size() == 4U);
  BOOST_TEST(stops[0].channels == 0);
  BOOST_TEST(!stops[0].maps.defined());
  BOOST_TEST(stops[1].channels == 3);
  BOOST_TEST(stops[2].channels == 3);
  BOOST_TEST((stops[2].maps.sizes().vec() == Sizes{3, 8, 8}));
  BOOST_TEST((stops[3].maps.sizes().vec() == Sizes{3, 8, 8}));
}

BOOST_AUTO_TEST_CASE(channels_are_told_by_the_image_that_the_network_sees) {
  // 6 channels 8×8 of a crop 8×8: 6×8 has the proportions of the photo 12×16, and 8×8 has not.
  const auto model = adapt(
      [](const Tensor& x) {
        return mark("maps", torch::cat({x, 2 * x}, 1)).flatten(1);
      },
      Preprocess{.resize = 8, .crop = 8});
  const Images photo = test::some_images({1, 3, 12, 16});
  const std::vector<Stop> stops = tour(model, photo, {.channels = 6});
  BOOST_REQUIRE(stops.size() == 1U);
  BOOST_TEST((stops[0].layer.shape == Sizes{1, 6, 8, 8}));
  BOOST_TEST((stops[0].maps.sizes().vec() == Sizes{6, 8, 8}));
  const Images seen = model.fit(photo);
  BOOST_TEST((seen.sizes().vec() == Sizes{1, 3, 8, 8}));
  for (std::size_t k = 0; k < 6; ++k) {
    const std::int64_t channel = stops[0].strongest.channels[k];
    BOOST_TEST(stops[0].maps[std::int64_t(k)].equal((channel < 3 ? 1 : 2) * seen[0][channel % 3]));
  }
}

BOOST_AUTO_TEST_CASE(what_does_not_lie_as_the_image_is_told) {
  // 16 places of 2×2 pixels and a class token: 17 tokens, in 2 heads of 3 numbers; windows of 8 of them.
  const auto model = test::model_of([](const Tensor& x) {
    const Tensor maps = mark("maps", torch::avg_pool2d(x, 2));
    const Tensor places = maps.flatten(2).transpose(1, 2);
    const Tensor tokens = mark("tokens", torch::cat({places.narrow(1, 0, 1), places}, 1));
    const Tensor heads = mark("heads", tokens.unsqueeze(1).repeat({1, 2, 1, 1}));
    mark("attention", heads.matmul(heads.transpose(2, 3)).softmax(3));
    mark("windows", places.reshape({2, 8, 3}));
    return mark("units", tokens.select(1, 0) * 1);
  });
  const std::vector<Stop> stops = tour(model, test::some_images({1, 3, 8, 8}));
  BOOST_REQUIRE(stops.size() == 6U);
  for (const Stop& stop : stops)
    BOOST_TEST(stop.spatial == (stop.layer.name == "maps" || stop.layer.name == "tokens"), stop.layer.name);
  BOOST_TEST((stops[1].maps.sizes().vec() == Sizes{3, 4, 4}));
  BOOST_TEST((stops[3].maps.sizes().vec() == Sizes{2, 17, 17}));
}

BOOST_AUTO_TEST_CASE(progress_is_told_and_can_cancel) {
  const auto model = test::small_net();
  const Images image = test::some_images({1, 3, 12, 12});
  double last = 0;
  tour(model, image, {.held_values = 1}, [&](const Progress& progress) {
    BOOST_TEST(progress.fraction > last);
    last = progress.fraction;
  });
  BOOST_TEST(last == 1);
  BOOST_CHECK_THROW(tour(model, image, {}, [](const Progress&) { return false; }), Cancelled);
}

BOOST_AUTO_TEST_CASE(tours_without_meaning_are_refused) {
  const auto model = test::small_net();
  const Images one = test::some_images({1, 3, 12, 12});
  BOOST_TEST(has(refusal(model, test::some_images({2, 3, 12, 12})), {"one image", "2 were given", "narrow"}));
  BOOST_TEST(has(refusal(model, one, {.channels = 0}), {"channels is 0", "at least 1"}));
  BOOST_TEST(has(refusal(model, one, {.held_values = 0}), {"held_values is 0"}));
  BOOST_TEST(has(refusal(model, Tensor{}), {"no tensor was given"}));
  const auto nothing = test::model_of([](const Tensor& x) { return x.flatten(1); });
  BOOST_TEST(has(refusal(nothing, one), {"no layer"}));
  const auto broken = test::model_of([](const Tensor& x) { return mark("log", (x - 2).log()).flatten(1); });
  BOOST_TEST(has(refusal(broken, one), {"'log'", "NaN"}));
  // −∞ is below all: no channel's strongest place shows it.
  const auto low = test::model_of([](const Tensor& x) {
    const Tensor first = torch::arange(x[0].numel()).view({1, x.size(1), x.size(2), x.size(3)}) == 0;
    return mark("cut", torch::where(first, torch::full_like(x, -std::numeric_limits<float>::infinity()), x))
        .flatten(1);
  });
  BOOST_TEST(has(refusal(low, one), {"'cut'", "infinity"}));
}

BOOST_AUTO_TEST_SUITE_END()
