#include <boost/test/unit_test.hpp>
#include <functional>
#include <vector>

#include <pellucid/attribution/methods/integrated_gradients.hpp>
#include <pellucid/attribution/methods/smoothgrad.hpp>
#include <pellucid/objective/channel.hpp>
#include <pellucid/objective/class.hpp>
#include <pellucid/objective/repeated.hpp>
#include <pellucid/optimizer/ascent.hpp>
#include <pellucid/optimizer/optimizer.hpp>

#include "support.hpp"

using namespace pellucid;
using namespace pellucid::test;

namespace {

/// A graph for the CPU: it does the work anew.
struct CpuGraph {
  static inline int records = 0, replays = 0;
  static inline bool possible = true;

  static bool suits(const Images& images) { return images.is_cpu(); }
  struct Aside {
    explicit Aside(const Images&) {}
  };
  template <class Work>
  void record(const Work& work, CpuGraph*) {
    if (!possible) TORCH_CHECK(false, "operation not permitted when stream is capturing");
    ++records;
    again = work;
    work();
  }
  void replay() {
    ++replays;
    again();
  }
  std::function<void()> again{};
};

struct NoGraph : CpuGraph {
  static bool suits(const Images&) { return false; }
};

template <class M>
Repeated<M, CpuGraph> repeated(M model) {
  CpuGraph::records = CpuGraph::replays = 0;
  CpuGraph::possible = true;
  return {std::move(model)};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(objective_repeated)

BOOST_AUTO_TEST_CASE(gradients_are_those_of_the_images_at_hand) {
  // ∂ Σ x³ / ∂x = 3x²
  const auto model = repeated(sum_of([](const Tensor& x) { return x.pow(3); }));
  std::vector<Images> images;
  std::vector<Derivative> found;
  for (int i = 0; i < 4; ++i) {
    images.push_back(some_images({2, 1, 3, 3}, std::uint64_t(i)));
    found.push_back(differentiate(Class{0}, model, images.back()));
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    BOOST_TEST(difference(found[i].gradient, 3 * images[i].pow(2)) < 1e-6);
    BOOST_TEST(difference(found[i].value, images[i].pow(3).flatten(1).sum(1)) < 1e-6);
    BOOST_TEST(!found[i].value.requires_grad());
  }
  // One graph forward and one backward, recorded the second time; both are replayed from that pass on.
  BOOST_TEST(CpuGraph::records == 2);
  BOOST_TEST(CpuGraph::replays == 6);
}

BOOST_AUTO_TEST_CASE(what_is_given_back_is_not_written_into_again) {
  // The network puts its scores into the same memory in each pass, as a recorded one does.
  const Tensor scores = torch::zeros({2, 1});
  const auto model =
      repeated(model_of([scores](const Tensor& x) { return scores.detach().copy_(x.flatten(1)); }));
  std::vector<Tensor> values;
  for (int i = 0; i < 4; ++i)
    values.push_back(differentiate(Class{0}, model, torch::full({2, 1}, double(i))).value);
  for (int i = 0; i < 4; ++i)
    BOOST_TEST(difference(values[std::size_t(i)], torch::full({2}, double(i))) == 0);
}

BOOST_AUTO_TEST_CASE(one_recording_serves_all_that_is_asked_about_a_layer) {
  const Tensor weights = torch::tensor({{1., 2., 3.}, {-4., 5., 0.5}}, torch::kFloat);
  const auto model = repeated(linear(weights));
  const Images images = some_images({2, 3});
  for (int round = 0; round < 3; ++round)
    for (const std::int64_t label : {0, 1}) {
      const Tensor gradient = differentiate(Class{label}, model, images).gradient;
      BOOST_TEST(difference(gradient, weights[label].expand({2, 3})) == 0);
    }
  // A class for each image.
  const Tensor mixed = differentiate(Class{{1, 0}}, model, images).gradient;
  BOOST_TEST(difference(mixed, weights.flip(0)) == 0);
  BOOST_TEST(CpuGraph::records == 2);
}

BOOST_AUTO_TEST_CASE(smoothgrad_of_a_square_is_exact_in_pairs) {
  // The mean of 2(x + ε) and 2(x − ε) is 2x.
  const auto model = repeated(sum_of([](const Tensor& x) { return x * x; }, 4));
  const Images images = some_images({2, 1, 3, 3});
  const Attribution<SmoothGrad> why({.samples = 30});
  BOOST_TEST(difference(why(model, images, Class{0}).attribution, 2 * images) < 1e-6);
  BOOST_TEST(CpuGraph::replays > 20);
}

BOOST_AUTO_TEST_CASE(methods_find_what_they_find_without) {
  const auto plain = small_net(4);
  const auto model = repeated(plain);
  const Images images = some_images({2, 3, 9, 9});
  const auto same = [&](const auto& stage, const auto& objective, const auto& of) {
    BOOST_TEST(difference(of(stage(model, images, objective)), of(stage(plain, images, objective))) == 0);
  };
  const auto attribution = [](const auto& found) { return found.attribution; };
  same(Attribution<SmoothGrad>({.samples = 20}), Class{3}, attribution);
  same(Attribution<IntegratedGradients>({.steps = 20}), TopClass{}, attribution);
  same(Attribution<SmoothGrad>({.samples = 20}), Channel{"second", 2}, attribution);
  const int before = CpuGraph::replays;
  BOOST_TEST(before > 20);
  same(Optimizer<Ascent>({.steps = 12}), Channel{"second", 2},
       [](const auto& found) { return found.synthesized; });
  BOOST_TEST(CpuGraph::replays > before);
}

BOOST_AUTO_TEST_CASE(shapes_come_and_go) {
  const auto model = repeated(sum_of([](const Tensor& x) { return x.pow(3); }));
  for (int round = 0; round < 3; ++round)
    for (std::int64_t side = 1; side <= 11; ++side) {
      const Images images = some_images({1, 1, side, side}, std::uint64_t(round));
      for (int time = 0; time < 3; ++time)
        BOOST_TEST(difference(differentiate(Class{0}, model, images).gradient, 3 * images.pow(2)) < 1e-6);
    }
}

BOOST_AUTO_TEST_CASE(images_elsewhere_and_other_objectives_go_to_the_model_itself) {
  const auto cubes = sum_of([](const Tensor& x) { return x.pow(3); });
  const Images images = some_images({2, 1, 3, 3});
  const Repeated<std::remove_const_t<decltype(cubes)>, NoGraph> elsewhere(cubes);
  const auto model = repeated(cubes);
  const auto callable = [](const auto& asked, const Images& x) { return asked(x).sum(1); };
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(difference(differentiate(Class{0}, elsewhere, images).gradient, 3 * images.pow(2)) < 1e-6);
    BOOST_TEST(difference(differentiate(callable, model, images).gradient, 3 * images.pow(2)) < 1e-6);
  }
  BOOST_TEST(CpuGraph::records == 0);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_recorded_is_an_error_that_says_so) {
  const auto model = repeated(small_net());
  const Images images = some_images({1, 3, 9, 9});
  differentiate(Class{0}, model, images);
  CpuGraph::possible = false;
  for (int i = 0; i < 2; ++i)
    BOOST_CHECK_EXCEPTION(differentiate(Class{0}, model, images), Error, [](const Error& error) {
      const std::string what = error.what();
      return what.find("the model's pass to the scores could not be recorded: operation not permitted") ==
                 0 &&
             what.find("ask the model itself") != std::string::npos;
    });
  CpuGraph::possible = true;
  BOOST_TEST(difference(differentiate(Class{0}, model, images).gradient,
                        differentiate(Class{0}, small_net(), images).gradient) == 0);
}

BOOST_AUTO_TEST_CASE(a_shuffled_model_has_recordings_of_its_own) {
  const auto another = [] { return std::make_shared<SmallNet>(); };
  const auto plain = adapt(another(), unchanged(), {}, another);
  const auto model = repeated(plain);
  const Images images = some_images({1, 3, 9, 9});
  for (int i = 0; i < 3; ++i) differentiate(Class{0}, model, images);
  const auto shuffled = model.shuffled({"last"});
  const auto other = plain.shuffled({"last"});
  for (int i = 0; i < 3; ++i)
    BOOST_TEST(difference(differentiate(Class{0}, decltype(model)(shuffled), images).gradient,
                          differentiate(Class{0}, other, images).gradient) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
