#include <boost/test/unit_test.hpp>

#include <pellucid/attack/methods/fgsm.hpp>
#include <pellucid/attribution/methods/grad_cam.hpp>
#include <pellucid/attribution/methods/gradient.hpp>
#include <pellucid/model/any_model.hpp>
#include <pellucid/model/predict.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;

namespace {

/// An attack that writes into the images that it is given, or into a clone of them.
struct Brighter {
  bool clone = false;

  template <class M, class S>
  Adversarial operator()(const M&, const S& subject) const {
    Images x = clone ? subject.images.clone() : subject.images;
    x[0] += 0.25;
    return {x};
  }
};

/// An attack that divides by zero.
struct NotANumber {
  template <class M, class S>
  Adversarial operator()(const M&, const S& subject) const {
    Images x = subject.images.clone();
    x[0][1] = std::numeric_limits<float>::quiet_NaN();
    return {x};
  }
};

/// A method that gives a tensor of this shape, and writes into the images where it is told to.
struct Shaped {
  std::vector<std::int64_t> shape{};
  bool overwrites = false;

  template <class M, class S>
  Tensor operator()(const M&, const S& subject) const {
    if (overwrites) Tensor(subject.images).clamp_(0, 0.5);
    return shape.empty() ? Tensor() : torch::ones(shape);
  }
};

/// Two classes of images 1×2: s₀ = 3a − b, s₁ = b − a.
Tensor two_classes() {
  return torch::tensor({{3.0F, -1.0F}, {-1.0F, 1.0F}});
}

/// A network of one convolution: images N×3×H×W.
auto convolution() {
  torch::manual_seed(1);
  struct Net : torch::nn::Module {
    Net() : conv(register_module("conv", torch::nn::Conv2d(3, 2, 3))) {}
    Tensor forward(const Tensor& x) { return conv->forward(x).mean({2, 3}); }
    torch::nn::Conv2d conv;
  };
  return adapt(std::make_shared<Net>());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_refusals)

BOOST_AUTO_TEST_CASE(a_method_that_overwrites_the_images) {
  const auto model = test::linear(two_classes());
  const Images x = torch::tensor({{0.5F, 0.25F}});
  BOOST_CHECK_EXCEPTION(Attack<Brighter>()(model, x.clone()), Error,
                        says({"the attack", "overwrote the images", "clone"}));
  const auto found = Attack<Brighter>({.clone = true})(model, x);
  BOOST_TEST(difference(found.images, torch::tensor({{0.75F, 0.5F}})) == 0);
  BOOST_TEST(difference(found.original, x) == 0);
  BOOST_TEST(found.steps[0].back().epsilon == 0.25);
  const Attribution<Shaped> overwriting({.shape = {1, 2}, .overwrites = true});
  BOOST_CHECK_EXCEPTION(overwriting(model, x.clone()), Error, says({"the method", "overwrote the images"}));
  // Tensors of inference mode do not count how often they were written into.
  const c10::InferenceMode inference;
  const Images theirs = torch::ones({1, 2}) / 2;
  BOOST_TEST(difference(Attribution<Shaped>({.shape = {1, 2}})(model, theirs).attribution,
                        torch::ones({1, 2})) == 0);
  BOOST_TEST(difference(Attribution<Gradient>()(model, theirs, Class{1}).attribution,
                        torch::tensor({{-1.0F, 1.0F}})) == 0);
}

BOOST_AUTO_TEST_CASE(what_a_method_gives_must_fit_the_images) {
  const auto model = test::linear(torch::ones({2, 8}));
  const Images x = test::some_images({2, 2, 2, 2});
  const auto give = [&](std::vector<std::int64_t> shape) {
    return Attribution<Shaped>({.shape = std::move(shape)})(model, x).attribution;
  };
  BOOST_CHECK_EXCEPTION(give({1}), Error, says({"a map [1]", "images [2, 2, 2, 2]", "must give 2 rows"}));
  BOOST_CHECK_EXCEPTION(give({2}), Error, says({"a map [2]", "must give 2 rows"}));
  BOOST_CHECK_EXCEPTION(give({3, 2, 2, 2}), Error, says({"a map [3, 2, 2, 2]", "must give 2 rows"}));
  BOOST_CHECK_EXCEPTION(give({}), Error, says({"gives no map", "must give 2 rows"}));
  BOOST_TEST(difference(give({2, 1, 2, 2}), torch::ones({2, 1, 2, 2})) == 0);
  BOOST_CHECK_EXCEPTION(Attack<NotANumber>()(test::linear(two_classes()), torch::ones({3, 2}) / 2), Error,
                        says({"the attack gives images", "1 of 6", "NaN"}));
}

BOOST_AUTO_TEST_CASE(images_that_are_no_pixels) {
  const auto model = test::linear(torch::ones({2, 12}));
  const Images x = torch::linspace(0, 1, 12).view({1, 3, 2, 2});
  BOOST_CHECK_EXCEPTION(Attack<FGSM>()(model, x * 255), Error,
                        says({"values from 0 to 255", "clamps to [0, 1]", "/ 255", "mean and std"}));
  BOOST_CHECK_EXCEPTION(Attack<FGSM>()(model, x - 0.5), Error, says({"values from -0.5 to 0.5"}));
  Attack<FGSM>()(model, x * 1.01 - 0.005);  // rounding, as of a resized image
  const auto notices = [&](const Images& images) {
    return Attribution<Gradient>()(model, images, Class{0}).notices;
  };
  BOOST_TEST(notices(x).empty());
  const auto told = notices(torch::cat({x, x * 255}));
  BOOST_REQUIRE(told.size() == 1);
  BOOST_TEST(told.begin()->first == 1);
  BOOST_TEST(told.begin()->second.find("up to 255") != std::string::npos);
  BOOST_TEST(notices(x.view({1, 12}) * 255).empty());  // values of any kind
}

BOOST_AUTO_TEST_CASE(rows_that_are_not_there) {
  Silent nobody;
  const Images x = torch::rand({2, 3});
  const auto subject = begin(x, Class{0}, nobody);
  BOOST_CHECK_EXCEPTION(subject.only({7}), Error, says({"image 7", "there are 2", "0 to 1"}));
  BOOST_CHECK_EXCEPTION(subject.only({0, -1}), Error, says({"image -1", "there are 2"}));
  BOOST_CHECK_EXCEPTION(subject.of_rows(x, {2}, subject.report), Error, says({"image 2"}));
  BOOST_CHECK_EXCEPTION(subject.with(x, {2}, {0}, subject.report), Error, says({"image 2"}));
}

BOOST_AUTO_TEST_CASE(shapes_and_types_that_a_model_does_not_take) {
  const Images x = test::some_images({2, 3, 8, 8});
  const auto check = [&](const auto& model) {
    BOOST_CHECK_EXCEPTION(predict(model, x.permute({0, 2, 3, 1})), Error,
                          says({"[2, 8, 8, 3]", "last dimension is 3", ".permute({0, 3, 1, 2})"}));
    BOOST_CHECK_EXCEPTION(predict(model, x[0]), Error, says({"[3, 8, 8]", ".unsqueeze(0)"}));
    BOOST_CHECK_EXCEPTION(predict(model, x.to(torch::kDouble)), Error, says({".to(torch::kFloat)"}));
    BOOST_CHECK_EXCEPTION(Attribution<Gradient>()(model, x.to(torch::kDouble), Class{0}), Error,
                          says({".to(torch::kFloat)"}));
    // Another mistake has no such remedy.
    BOOST_CHECK_EXCEPTION(predict(model, torch::rand({2, 4, 8, 8})), Error, [](const Error& error) {
      const std::string message = error.what();
      return message.find("[2, 4, 8, 8]") != std::string::npos &&
             message.find("permute") == std::string::npos;
    });
  };
  BOOST_CHECK_EXCEPTION(predict(convolution(), Tensor()), Error, says({"no tensor was given"}));
  check(convolution());
  // A plain callable says the same.
  const Tensor kernel = torch::ones({2, 3, 3, 3});
  check([kernel](const Tensor& images) { return torch::conv2d(images, kernel).mean({2, 3}); });
}

BOOST_AUTO_TEST_CASE(devices_that_are_not_there) {
  if (at::hasCUDA()) return;
  const Execution on_cuda{.device = torch::Device(torch::kCUDA)};
  const auto function = [](const Tensor& x) { return x.flatten(1); };
  BOOST_CHECK_EXCEPTION(adapt(function, unchanged(), on_cuda), Error,
                        says({"device cuda", "leave .device out"}));
  BOOST_CHECK_EXCEPTION(adapt(std::make_shared<test::SmallNet>(), unchanged(), on_cuda), Error,
                        says({"device cuda", "leave .device out"}));
}

BOOST_AUTO_TEST_CASE(models_that_show_no_layers) {
  const Images x = test::some_images({1, 3, 8, 8});
  const auto plain = [](const Tensor& images) { return images.mean({2, 3}); };
  const auto none = says({"GradCAM", "shows none", "mark()", "SmoothGrad or Occlusion"});
  BOOST_CHECK_EXCEPTION(Attribution<GradCAM>()(plain, x), Error, none);
  BOOST_CHECK_EXCEPTION(Attribution<GradCAM>()(adapt(plain), x), Error, none);
  BOOST_CHECK_EXCEPTION(Attribution<GradCAM>({.layer = "b3"})(plain, x), Error,
                        says({"'b3'", "adapt() a module", "mark()", "observe(images, layers)"}));
}

BOOST_AUTO_TEST_CASE(what_was_found_is_kept_where_something_else_is_asked) {
  // (0.5, 0.9): s = (0.6, 0.4). One step of 0.1 against class 0 gives (0.4, 1): s = (0.2, 0.6), class 1.
  const auto model = test::linear(two_classes());
  const Images x = torch::tensor({{0.5F, 0.9F}});
  const auto anew = Attack<FGSM>({.epsilon = 0.1}) | [](const auto&, auto subject) {
    return subject.about(TopClass{});
  } | Attribution<Gradient>();
  const auto found = anew(model, x, Class{0});
  BOOST_TEST(difference(found.attribution, two_classes()[1].unsqueeze(0)) < 1e-6);
  BOOST_TEST(difference(found.original, x) == 0);
  BOOST_TEST(found.before[0].label == 0);
  BOOST_TEST(found.after[0].label == 1);
  BOOST_TEST(found.steps[0].size() == 2U);
  // Of several findings all are kept.
  const auto both = found.about(Class{0}, found.report);
  BOOST_TEST(difference(both.attribution, found.attribution) == 0);
  BOOST_TEST(both.labels[0] == 0);
  static_assert(std::same_as<std::remove_cvref_t<decltype(both.objective)>, Class>);
}

BOOST_AUTO_TEST_SUITE_END()
