#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/gradient.hpp>
#include <pellucid/attribution/methods/smoothgrad.hpp>
#include <pellucid/check/max_sensitivity.hpp>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;

namespace {

auto parabola(std::int64_t micro_batch = 8) {
  return test::sum_of([](const Tensor& t) { return t.square(); }, micro_batch);
}

const Images x = torch::tensor({{3.0, 4.0}}, torch::kDouble);

/// A method that counts its calls' images, and gives them back.
struct Echo {
  std::shared_ptr<int> seen{std::make_shared<int>(0)};
  template <class M, class S>
  Tensor operator()(const M&, const S& subject) const {
    *seen += int(subject.images.size(0));
    return subject.images;
  }
};

/// A method whose noise is drawn as all methods draw it, and that looks at nothing else.
struct Noise {
  template <class M, class S>
  Tensor operator()(const M&, const S& subject) const {
    std::vector<Tensor> rows;
    for (std::size_t n = 0; n < subject.numbers.size(); ++n)
      rows.push_back(gaussian(subject.images.sizes().slice(1), subject.draw(0, n, 0)));
    return torch::stack(rows);
  }
};

/// A method that differentiates by itself.
struct OwnGradient {
  template <class M, class S>
  Tensor operator()(const M& model, const S& subject) const {
    const Images images = subject.images.clone().requires_grad_();
    return torch::autograd::grad({model(images).sum()}, {images})[0];
  }
};

/// 1/x of the image.
struct Inverse {
  template <class M, class S>
  Tensor operator()(const M&, const S& subject) const {
    return 1 / subject.images;
  }
};

struct Refusing {
  void check() const { throw Error("Refusing: never"); }
  template <class M, class S>
  Tensor operator()(const M&, const S& subject) const {
    return subject.images;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(check_max_sensitivity)

BOOST_AUTO_TEST_CASE(the_gradient_of_a_linear_model_is_the_same_everywhere) {
  const auto linear = test::linear(torch::tensor({{1.0, -2.0}}, torch::kDouble));
  BOOST_TEST(max_sensitivity(Gradient{}, linear, x, Class{0}).item<double>() == 0);
}

BOOST_AUTO_TEST_CASE(the_gradient_of_a_parabola_moves_with_the_image) {
  // S = Σx²: A = 2x, so ‖A(x + δ) − A(x)‖/‖A(x)‖ = ‖δ‖/‖x‖ with ‖x‖ = 5. Of 20,000 draws in the square one is
  // in its corners of side r/50, where ‖δ‖ ≥ √2·r·49/50, but for a chance of (1 − 1/2500)^20,000 = 0.0003.
  const double r = 0.02;
  const double found =
      max_sensitivity(Gradient{}, parabola(500), x, Class{0}, {.radius = r, .samples = 20'000})
          .item<double>();
  BOOST_TEST(found <= std::sqrt(2) * r / 5 + 1e-12);
  BOOST_TEST(found >= std::sqrt(2) * r * 49 / 50 / 5);
  // Echo's map is the image: half as long a way as of 2x, over half the length.
  BOOST_TEST(
      max_sensitivity(Echo{}, parabola(500), x, Class{0}, {.radius = r, .samples = 20'000}).item<double>() ==
          found,
      boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(the_draws_are_uniform_in_the_cube) {
  // E δ² = r²/3, so one draw of D values has ‖δ‖/‖x‖ = r/√3 for x of ones, within 1/√D.
  const Images large = torch::ones({1, 30'000}, torch::kDouble);
  const double one =
      max_sensitivity(Echo{}, parabola(), large, Class{0}, {.radius = 0.1, .samples = 1}).item<double>();
  BOOST_TEST(one == 0.1 / std::sqrt(3), boost::test_tools::tolerance(0.02));
}

BOOST_AUTO_TEST_CASE(what_is_random_in_a_method_is_no_sensitivity) {
  BOOST_TEST(max_sensitivity(Noise{}, parabola(), torch::rand({3, 50}), Class{0}).max().item<double>() == 0);
}

BOOST_AUTO_TEST_CASE(it_runs_the_method_once_more_than_it_draws) {
  const Echo echo;
  max_sensitivity(echo, parabola(), torch::rand({3, 5}), Class{0}, {.samples = 7});
  BOOST_TEST(*echo.seen == 3 * (1 + 7));
}

BOOST_AUTO_TEST_CASE(a_method_may_differentiate_by_itself) {
  // Of S = Σx² both give 2x.
  const Tensor own = max_sensitivity(OwnGradient{}, parabola(), x, Class{0});
  BOOST_TEST(own.item<double>() > 0);
  BOOST_TEST(difference(own, max_sensitivity(Gradient{}, parabola(), x, Class{0})) < 1e-12);
}

BOOST_AUTO_TEST_CASE(a_smoothed_map_is_steadier) {
  const auto net = test::small_net();
  const Images images = test::some_images({4, 3, 8, 8});
  const Tensor plain = max_sensitivity(Gradient{}, net, images, Class{1});
  const Tensor smooth = max_sensitivity(SmoothGrad{.samples = 20, .noise = 0.3}, net, images, Class{1});
  BOOST_TEST(smooth.mean().item<double>() < plain.mean().item<double>());
}

BOOST_AUTO_TEST_CASE(neither_batch_nor_micro_batch_matters) {
  const Images images = test::some_images({3, 3, 8, 8});
  const SmoothGrad method{.samples = 3};
  const Class asked{{0, 1, 2}};
  const Tensor whole = max_sensitivity(method, test::small_net(8), images, asked, {.samples = 5, .seed = 2});
  for (const std::int64_t micro_batch : {1, 4, 64})
    BOOST_TEST(test::relative_difference(max_sensitivity(method, test::small_net(micro_batch), images, asked,
                                                         {.samples = 5, .seed = 2}),
                                         whole) < 1e-4);
  const Tensor first =
      max_sensitivity(method, test::small_net(), images.narrow(0, 0, 1), Class{0}, {.samples = 5, .seed = 2});
  BOOST_TEST(test::relative_difference(first, whole.narrow(0, 0, 1)) < 1e-4);
}

BOOST_AUTO_TEST_CASE(maps_that_are_zero) {
  // S = Σ relu(x)² is flat at −1 and around it; at 0 it is flat, and beside it, it is not.
  const auto relu = test::sum_of([](const Tensor& t) { return torch::relu(t).square(); });
  const Images images = torch::tensor({{-1.0, -1.0}, {0.0, 0.0}}, torch::kDouble);
  const Tensor found = max_sensitivity(Gradient{}, relu, images, Class{0});
  BOOST_TEST(found[0].item<double>() == 0);
  BOOST_TEST(std::isinf(found[1].item<double>()));
}

BOOST_AUTO_TEST_CASE(wrong_requests) {
  const auto ask = [](const MaxSensitivityOptions& options) {
    max_sensitivity(Gradient{}, parabola(), x, Class{0}, options);
  };
  BOOST_CHECK_EXCEPTION(ask({.radius = 0}), Error, says({"radius is 0", "above 0"}));
  BOOST_CHECK_EXCEPTION(ask({.radius = -0.5}), Error, says({"radius is -0.5"}));
  BOOST_CHECK_EXCEPTION(ask({.samples = 0}), Error, says({"samples is 0"}));
  BOOST_CHECK_EXCEPTION(max_sensitivity(Refusing{}, parabola(), x, Class{0}), Error, says({"never"}));
  const Images zero = torch::tensor({{0.5, 0.5}, {0.5, 0.0}}, torch::kDouble);
  BOOST_CHECK_EXCEPTION(max_sensitivity(Inverse{}, parabola(), zero, Class{0}), Error,
                        says({"attribution of image 1", "NaN or infinity"}));
}

BOOST_AUTO_TEST_SUITE_END()
