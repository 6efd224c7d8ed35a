#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/grad_cam.hpp>
#include <pellucid/attribution/methods/gradient.hpp>
#include <pellucid/attribution/methods/integrated_gradients.hpp>
#include <pellucid/attribution/methods/smoothgrad.hpp>
#include <pellucid/objective/layer.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;

namespace {

/// The score of each image's label, without a word about which images are meant.
struct Towards {
  static constexpr const char* layer = "";
  Tensor labels{};

  Tensor of(const Tensor& scores) const { return scores.gather(1, labels.unsqueeze(1)).squeeze(1); }
};

/// The same, with it.
struct Chosen : Towards {
  Chosen select(const std::vector<std::int64_t>& rows) const {
    return {labels.index_select(0, torch::tensor(rows, torch::kLong))};
  }
};

/// The first class, noisily.
struct Random {
  static constexpr const char* layer = "";
  Tensor of(const Tensor& scores) const { return scores.select(1, 0) + torch::rand({scores.size(0)}); }
};

/// How far each unit of a layer is from the middle of the batch: another number in another batch, but not
/// in another row.
struct BesideTheRest {
  std::string layer{};
  Tensor of(const Tensor& output) const { return (output - output.mean(0, true)).flatten(1).sum(1); }
};

/// 3×2: the gradient of class k is row k.
const Tensor weights = torch::tensor({{1.0F, 2.0F}, {3.0F, 4.0F}, {5.0F, 6.0F}});

Tensor labels_of(std::vector<std::int64_t> labels) {
  return torch::tensor(labels, torch::kLong);
}

const auto another_number = says({"another number", "another row", "select(rows)"});

}  // namespace

BOOST_AUTO_TEST_SUITE(objective_own)

BOOST_AUTO_TEST_CASE(what_holds_something_of_each_image_needs_select) {
  const std::vector<std::int64_t> labels{2, 0, 1, 1, 2, 0, 0, 2};
  const Images x = test::some_images({8, 2});
  const Tensor expected = weights.index({labels_of(labels)});
  const auto model = test::linear(weights);  // micro-batches of 8
  const Towards mute{labels_of(labels)};
  const Chosen chosen{{labels_of(labels)}};
  BOOST_CHECK_EXCEPTION(Attribution<SmoothGrad>({.samples = 3})(model, x, mute), Error, another_number);
  BOOST_CHECK_EXCEPTION(Attribution<IntegratedGradients>({.steps = 4})(model, x, mute), Error,
                        another_number);
  BOOST_CHECK_EXCEPTION(Attribution<Gradient>()(model, x, mute), Error, another_number);
  const auto smooth = Attribution<SmoothGrad>({.samples = 3})(model, x, chosen);
  BOOST_TEST(difference(smooth.attribution, expected) < 1e-5);
  BOOST_TEST(difference(Attribution<Gradient>()(model, x, chosen).attribution, expected) < 1e-6);
  // Of labels that read the same from both ends, too.
  const Towards same_backwards{labels_of({1, 0, 0, 1})};
  BOOST_CHECK_EXCEPTION(Attribution<Gradient>()(model, x.narrow(0, 0, 4), same_backwards), Error,
                        another_number);
  // One label for all asks the same of each.
  const Towards one{labels_of({1, 1, 1, 1})};
  BOOST_TEST(difference(Attribution<Gradient>()(model, x.narrow(0, 0, 4), one).attribution,
                        weights[1].expand({4, 2})) < 1e-6);
}

BOOST_AUTO_TEST_CASE(another_count_of_images_names_select) {
  const auto model = test::linear(weights);
  // 2 labels for a pass of 8 variants, and 16 for a pass of 8 images.
  const Towards two{labels_of({2, 0})};
  BOOST_CHECK_EXCEPTION(Attribution<SmoothGrad>({.samples = 8})(model, test::some_images({2, 2}), two), Error,
                        says({"[2]", "8 images", "select(rows)"}));
  const Towards many{labels_of(std::vector<std::int64_t>(16, 1))};
  BOOST_CHECK_EXCEPTION(Attribution<Gradient>()(model, test::some_images({16, 2}), many), Error,
                        says({"could not be asked about 8 images", "select(rows)"}));
  // GradCAM asks at a layer; 12 images are two passes of 6.
  const auto marked = test::model_of([](const Tensor& x) { return mark("maps", x * 1).mean({2, 3}); });
  const Towards three{labels_of({0, 1, 0})};
  BOOST_CHECK_EXCEPTION(
      Attribution<GradCAM>({.layer = "maps"})(marked, test::some_images({3, 2, 4, 4}), three), Error,
      another_number);
  BOOST_CHECK_EXCEPTION(
      Attribution<GradCAM>({.layer = "maps"})(marked, test::some_images({12, 2, 4, 4}), three), Error,
      says({"[3]", "6 images", "select(rows)"}));
}

BOOST_AUTO_TEST_CASE(a_callable_that_holds_something_of_each_image) {
  const auto model = test::linear(weights);
  const Images x = test::some_images({4, 2});
  const Tensor labels = labels_of({2, 0, 0, 2});
  const auto held = [&](const auto& m, const Images& images) {
    return m(images).gather(1, labels.unsqueeze(1)).squeeze(1);
  };
  BOOST_CHECK_EXCEPTION(Attribution<Gradient>()(model, x, held), Error, another_number);
  BOOST_CHECK_EXCEPTION(Attribution<Gradient>()(model, test::some_images({5, 2}), held), Error,
                        says({"[4]", "5 images", "select(rows)"}));
  std::int64_t passes = 0;
  const auto free = [&](const auto& m, const Images& images) {
    ++passes;
    return m(images).select(1, 1);
  };
  BOOST_TEST(difference(Attribution<Gradient>()(model, x, free).attribution, weights[1].expand({4, 2})) <
             1e-6);
  BOOST_TEST(passes == 2);  // one of them to look at its rows
  passes = 0;
  Attribution<Gradient>()(model, x.narrow(0, 0, 1), free);
  BOOST_TEST(passes == 1);  // one image has one row
}

BOOST_AUTO_TEST_CASE(what_is_random_or_about_the_batch_is_not_refused) {
  const auto model = test::linear(weights);
  const Images x = test::some_images({4, 2});
  BOOST_TEST(difference(Attribution<Gradient>()(model, x, Random{}).attribution, weights[0].expand({4, 2})) <
             1e-6);
  const auto noisy = [](const auto& m, const Images& images) { return Random{}.of(m(images)); };
  BOOST_TEST(difference(Attribution<Gradient>()(model, x, noisy).attribution, weights[0].expand({4, 2})) <
             1e-6);
  // Σ of the deviations from the mean: each row's own part is taken off again by the mean's.
  BOOST_TEST(test::largest(Attribution<Gradient>()(model, x, BesideTheRest{}).attribution) < 1e-5);
  Attribution<Gradient>()(model, x, Layer{""});
}

BOOST_AUTO_TEST_CASE(a_layer_with_several_rows_for_an_image) {
  // Images of 4 values as 2 rows of 2 each; the first value of an image's second row: its third.
  struct OfWindows {
    std::string layer = "windows";
    Tensor of(const Tensor& output) const { return output.view({-1, 2, 2}).select(1, 1).select(1, 0); }
  };
  const auto model = test::model_of([](const Tensor& x) {
    return mark("windows", (x * 3).view({-1, 2})).view({-1, 4});
  });
  const auto found = Attribution<Gradient>()(model, test::some_images({3, 4}), OfWindows{});
  BOOST_TEST(difference(found.attribution, torch::tensor({{0.0F, 0.0F, 3.0F, 0.0F}}).expand({3, 4})) < 1e-6);
}

BOOST_AUTO_TEST_CASE(numbers_per_image_from_a_tensor) {
  const auto values = [](const Tensor& given) { return PerImage(given).values(); };
  BOOST_TEST((values(labels_of({2, 0, 1})) == std::vector<std::int64_t>{2, 0, 1}));
  BOOST_TEST((values(torch::tensor(7, torch::kInt)) == std::vector<std::int64_t>{7}));
  BOOST_TEST((values(torch::arange(6).view({3, 2}).select(1, 1)) == std::vector<std::int64_t>{1, 3, 5}));
  BOOST_CHECK_EXCEPTION(values(torch::ones({2})), Error, says({"[2]", "int64", "argmax"}));
  BOOST_CHECK_EXCEPTION(values(torch::ones({2, 3}, torch::kLong)), Error, says({"[2, 3]", "[N]"}));
  BOOST_CHECK_EXCEPTION(values(Tensor()), Error, says({"undefined"}));
  const Images x = test::some_images({3, 2});
  const auto found = Attribution<Gradient>()(test::linear(weights), x, Class{labels_of({2, 0, 1})});
  BOOST_TEST(difference(found.attribution, weights.index({labels_of({2, 0, 1})})) < 1e-6);
}

BOOST_AUTO_TEST_SUITE_END()
