#include <boost/test/unit_test.hpp>

#include <pellucid/attack/methods/ifgsm.hpp>
#include <pellucid/attack/methods/minimal_epsilon.hpp>
#include <pellucid/attack/methods/pgd.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;

namespace {

/// Stretches of a line, from … to.
using Stretches = std::vector<std::pair<double, double>>;

/// A model of one value x: it says class 1 in some stretches, and class 0 elsewhere. S₀ falls slowly with x
/// all the way, so that away from class 0 is upwards.
auto falling_in(Stretches stretches, std::int64_t micro_batch = 8) {
  return test::model_of(
      [stretches](const Tensor& x) {
        Tensor falls = torch::zeros_like(x);
        for (const auto& [from, to] : stretches)
          falls = torch::where((x > from) & (x < to), 1 - 0 * x, falls);
        const Tensor s = 0.5 - 0.001 * x - falls.detach();
        return torch::cat({s, torch::zeros_like(s)}, 1);
      },
      micro_batch);
}

Images values(std::vector<float> of) {
  return torch::tensor(of).unsqueeze(1);
}

/// The coarse values as the method documents them: tolerance, …, most, each a constant factor above the last.
std::vector<double> coarse(double most = 0.5, double tolerance = 1e-4, int count = 40) {
  std::vector<double> grid{tolerance};
  const double factor = std::exp(std::log(most / tolerance) / (count - 1));
  while (int(grid.size()) < count) grid.push_back(grid.back() * factor);
  return grid;
}

bool holds_one(const std::vector<double>& grid, double from, double to) {
  return std::any_of(grid.begin(), grid.end(), [&](double value) { return value > from && value < to; });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attack_minimal_epsilon)

BOOST_AUTO_TEST_CASE(the_crossing_of_a_line) {
  // From x = 0.25 class 1 begins at 0.45: ε = 0.2.
  const Images x = values({0.25F});
  const auto found = Attack<MinimalEpsilon<>>()(falling_in({{0.45, 2}}), x, Class{0});
  const double epsilon = found.minimal_epsilon.at(0).value();
  BOOST_TEST(epsilon > 0.2 - 1e-6);
  BOOST_TEST(epsilon < 0.2 + 1e-4 + 1e-6);
  BOOST_TEST(found.images[0][0].item<double>() == 0.25 + epsilon, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(found.after.at(0).label == 1);
  BOOST_TEST(found.steps.at(0).back().epsilon == epsilon);
  // Another tolerance.
  const auto roughly = Attack<MinimalEpsilon<>>({.tolerance = 0.01})(falling_in({{0.45, 2}}), x, Class{0});
  BOOST_TEST(roughly.minimal_epsilon.at(0).value() > 0.2 - 1e-6);
  BOOST_TEST(roughly.minimal_epsilon.at(0).value() < 0.21 + 1e-6);
  // Below the smallest that is tried, the smallest is the answer.
  const auto at_once = Attack<MinimalEpsilon<>>()(falling_in({{0.25002, 2}}), x, Class{0});
  BOOST_TEST(at_once.minimal_epsilon.at(0).value() == 1e-4, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(several_pixels_and_the_end_of_the_range) {
  // S₀ = (1, −2, 0, 3)·x = 0.25 falls by 6ε: ε = 1/24. The second image, S₀ = 1.75: ε = 7/24.
  const auto model = test::linear(torch::tensor({{1.0F, -2.0F, 0.0F, 3.0F}, {0.0F, 0.0F, 0.0F, 0.0F}}));
  const Images x = torch::tensor({{0.5F, 0.5F, 0.5F, 0.25F}, {0.5F, 0.5F, 0.5F, 0.75F}});
  const auto found = Attack<MinimalEpsilon<>>()(model, x, Class{0});
  const double exact[] = {1.0 / 24, 7.0 / 24};
  for (std::size_t i = 0; i < 2; ++i) {
    BOOST_TEST(found.minimal_epsilon.at(i).value() > exact[i] - 1e-6);
    BOOST_TEST(found.minimal_epsilon.at(i).value() < exact[i] + 1e-4 + 1e-6);
  }
  const Tensor way = torch::tensor({-1.0, 1.0, 0.0, -1.0});
  BOOST_TEST(difference(found.images[0], x[0] + *found.minimal_epsilon[0] * way) < 1e-6);
  // S₀ = 0.5 − 0.25 + 0.1875 = 0.4375. Up to ε = 1/16, where the last pixel is black, it falls by 6ε = 0.375,
  // then by 3ε: the 0.0625 left take 1/48, so ε = 1/16 + 1/48 = 1/12.
  const auto clamped =
      Attack<MinimalEpsilon<>>()(model, torch::tensor({{0.5F, 0.125F, 0.5F, 0.0625F}}), Class{0});
  BOOST_TEST(clamped.minimal_epsilon.at(0).value() > 1.0 / 12 - 1e-6);
  BOOST_TEST(clamped.minimal_epsilon.at(0).value() < 1.0 / 12 + 1e-4 + 1e-6);
}

BOOST_AUTO_TEST_CASE(of_several_crossings_the_first_that_the_coarse_batch_sees) {
  const Images x = values({0.25F});
  const auto found_in = [&](const Stretches& stretches, double factor = 1.25) {
    return Attack<MinimalEpsilon<>>({.factor = factor})(falling_in(stretches), x, Class{0})
        .minimal_epsilon.at(0)
        .value();
  };
  // It falls from 0.05 to 0.11 and from 0.35 on. The first stretch holds coarse values.
  BOOST_TEST(holds_one(coarse(), 0.05, 0.11));
  BOOST_TEST(std::abs(found_in({{0.30, 0.36}, {0.6, 2}}) - 0.05) < 1.01e-4);
  // One percent of ε is too narrow for a factor of 1.24; for one of 1.0086, ⌈ln 5000/ln 1.0086⌉ + 1 = 996
  // values, it is not.
  BOOST_TEST(!holds_one(coarse(), 0.05, 0.0505));
  BOOST_TEST(holds_one(coarse(0.5, 1e-4, 996), 0.05, 0.0505));
  BOOST_TEST(std::abs(found_in({{0.30, 0.3005}, {0.6, 2}}) - 0.35) < 1.01e-4);
  BOOST_TEST(std::abs(found_in({{0.30, 0.3005}, {0.6, 2}}, 1.0086) - 0.05) < 1.01e-4);
  // A stretch whose end is 1.25 times its beginning is seen, wherever it is.
  for (double from = 0.001; from < 0.4; from *= 1.07) BOOST_TEST(holds_one(coarse(), from, 1.25 * from));
}

BOOST_AUTO_TEST_CASE(the_coarse_values_are_as_dense_whatever_the_range_is) {
  // A stretch of ε from 0.05 to 0.065, 1.3 times its beginning. 40 values from 1e−6 to 0.5, 1.4 apart, need
  // not see it, and do not: 0.0474 and 0.0664. ⌈ln(5e5)/ln 1.25⌉ + 1 = 60 do, as those of a larger range do:
  // ⌈ln(4e4)/ln 1.25⌉ + 1 = 49.
  const Images x = values({0.25F});
  const auto model = falling_in({{0.30, 0.315}, {0.6, 2}});
  BOOST_TEST(!holds_one(coarse(0.5, 1e-6, 40), 0.05, 0.065));
  const auto exactly = Attack<MinimalEpsilon<>>({.tolerance = 1e-6})(model, x, Class{0});
  BOOST_TEST(std::abs(exactly.minimal_epsilon.at(0).value() - 0.05) < 1.1e-6);
  const auto further = Attack<MinimalEpsilon<>>({.most = 4})(model, x, Class{0});
  BOOST_TEST(std::abs(further.minimal_epsilon.at(0).value() - 0.05) < 1.01e-4);
  const auto rows = [&](MinimalEpsilon<> options) {
    return Attack<MinimalEpsilon<>>(options)(falling_in({}), x, Class{0}).steps.at(0).size();
  };
  BOOST_TEST(rows({}) == 1 + 40U);
  BOOST_TEST(rows({.tolerance = 1e-6}) == 1 + 60U);
  BOOST_TEST(rows({.most = 4}) == 1 + 49U);
  BOOST_TEST(rows({.most = 1.5e-4}) == 1 + 3U);  // ⌈ln 1.5/ln 1.25⌉ = ⌈1.82⌉
}

BOOST_AUTO_TEST_CASE(a_search_ends_where_no_number_is_left) {
  const double one = 0.25, next = std::nextafter(one, 1.0);
  pellucid::detail::Search search{.low = one, .high = next};
  BOOST_TEST(!search.goes_on(1e-18));  // though the two are 5.6e−17 apart
  search.high = std::nextafter(next, 1.0);
  BOOST_TEST(search.goes_on(1e-18));
  BOOST_TEST(search.middle() == next);
  // The smallest tolerance there may be: 1e−7 of a crossing at 0.2.
  const auto found = Attack<MinimalEpsilon<>>({.tolerance = 1e-7})(
      falling_in({{0.45, 2}}), values({0.25F}).to(torch::kDouble), Class{0});
  BOOST_TEST(std::abs(found.minimal_epsilon.at(0).value() - 0.2) < 1.01e-7);
}

BOOST_AUTO_TEST_CASE(it_takes_one_backward_and_few_forward_passes) {
  // Of a batch: none is found; crossings at 0.4999 and at 0.002; as wished already.
  const Images x = values({0.0F, 0.25F, 0.7479F, 0.9F});
  std::vector<std::int64_t> batches;
  const auto counting = [&](const Tensor& images) {
    batches.push_back(images.size(0));
    const Tensor s = 0.7499 - images;
    return torch::cat({s, torch::zeros_like(s)}, 1);
  };
  const auto found = Attack<MinimalEpsilon<>>()(counting, x, Class{0});
  BOOST_TEST(!found.minimal_epsilon.at(0).has_value());
  BOOST_TEST(std::abs(found.minimal_epsilon.at(1).value() - 0.4999) < 1.01e-4);
  BOOST_TEST(std::abs(found.minimal_epsilon.at(2).value() - 0.002) < 1.01e-4);
  BOOST_TEST(found.minimal_epsilon.at(3).value() == 0);
  // At most: the gradient's pass, the coarse batch, and ⌈log₂(0.5 (1 − 1/1.244)/1e−4)⌉ = 10 halvings.
  const std::vector<double> grid = coarse();
  const auto halvings = [&](double epsilon) {
    const auto above = std::lower_bound(grid.begin(), grid.end(), epsilon);
    return std::int64_t(std::ceil(std::log2((*above - *(above - 1)) / 1e-4)));
  };
  BOOST_TEST(halvings(0.4999) == 10);
  const std::int64_t forward[] = {2, 2 + halvings(0.4999), 2 + halvings(0.002), 1};
  for (std::size_t i = 0; i < 4; ++i) {
    BOOST_TEST(found.passes.at(i).forward == forward[i]);
    BOOST_TEST(found.passes[i].backward == 1);
  }
  // What the model was called with: four images, 3 · 40 in eights, then two together and the last one alone.
  std::vector<std::int64_t> expected{4};
  expected.insert(expected.end(), 15, 8);
  expected.insert(expected.end(), std::size_t(halvings(0.002)), 2);
  expected.insert(expected.end(), std::size_t(halvings(0.4999) - halvings(0.002)), 1);
  BOOST_TEST(batches == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_it_gives_where_there_is_nothing_to_find) {
  const Images x = values({0.25F, 0.9F});
  // Never; and already.
  const auto found = Attack<MinimalEpsilon<>>({.most = 0.25})(falling_in({{0.8, 2}}), x, Class{0});
  BOOST_TEST(!found.minimal_epsilon.at(0).has_value());
  BOOST_TEST(found.images[0][0].item<float>() == 0.5F);  // as far as was tried
  BOOST_TEST(found.after.at(0).label == 0);
  BOOST_TEST(found.steps.at(0).size() == 1 + 37U);  // ⌈ln 2500/ln 1.25⌉ + 1 = ⌈35.06⌉ + 1
  BOOST_TEST(found.steps[0].back().epsilon == 0.25);
  BOOST_TEST(found.minimal_epsilon.at(1).value() == 0);
  BOOST_TEST(found.images[1][0].item<float>() == 0.9F);
  BOOST_TEST(found.steps.at(1).size() == 1U);
  BOOST_TEST(found.unmoved.empty());
  // Nowhere to go: S₀ = relu(x − 2) + 0 · x.
  const auto off = test::model_of([](const Tensor& t) {
    const Tensor s = torch::relu(t - 2);
    return torch::cat({s + 1, torch::zeros_like(s)}, 1);
  });
  const auto still = Attack<MinimalEpsilon<>>()(off, x, Class{0});
  BOOST_TEST(still.unmoved == (std::vector<std::int64_t>{0, 1}), boost::test_tools::per_element());
  BOOST_TEST(!still.minimal_epsilon.at(0).has_value());
  BOOST_TEST(difference(still.images, x) == 0);
  BOOST_TEST(still.passes.at(0).forward == 1);
}

BOOST_AUTO_TEST_CASE(the_table_goes_up_to_the_answer) {
  const auto found = Attack<MinimalEpsilon<>>()(falling_in({{0.45, 2}}), values({0.25F}), Class{0});
  const std::vector<AttackStep>& table = found.steps.at(0);
  for (std::size_t i = 0; i < table.size(); ++i) {
    BOOST_TEST(table[i].step == std::int64_t(i));
    if (i > 0) BOOST_TEST(table[i].epsilon > table[i - 1].epsilon);
    BOOST_TEST(table[i].reached == (i + 1 == table.size()));
    const double score = 0.5 - 0.001 * (0.25 + table[i].epsilon) - (table[i].reached ? 1 : 0);
    BOOST_TEST(table[i].label_probability == 1 / (1 + std::exp(-score)), boost::test_tools::tolerance(1e-6));
  }
  BOOST_TEST(table.front().epsilon == 0);
  BOOST_TEST(table.back().epsilon - table[table.size() - 2].epsilon <= 1e-4);
}

BOOST_AUTO_TEST_CASE(targets_and_images_by_themselves) {
  // S₀ = 0, S₁ = 10x − 4y, S₂ = 20x − 10y; y = 1 cannot go up. From x = 0.3, which is class 0, towards 1: x
  // up and y down, S₁ = 14ε − 1 > 0 at 1/14, where S₂ = 30ε − 4 is below 0. Towards 2: S₂ − S₁ = 16ε − 3 > 0
  // at 3/16. From x = 0.5, class 1, towards 0: x down, S₁ = 1 − 10ε. From x = 0.7, class 2, towards 1: x
  // down, S₂ − S₁ = 1 − 10ε.
  const auto three = [](std::int64_t micro_batch) {
    return test::linear(torch::tensor({{0.0F, 0.0F}, {10.0F, -4.0F}, {20.0F, -10.0F}}), micro_batch);
  };
  const Images x = torch::tensor({{0.3F, 1.0F}, {0.3F, 1.0F}, {0.5F, 1.0F}, {0.7F, 1.0F}});
  const PerImage targets{{1, 2, 0, 1}};
  const double exact[] = {1.0 / 14, 3.0 / 16, 0.1, 0.1};
  for (const std::int64_t micro_batch : {1, 3, 8}) {
    const auto found = Attack<MinimalEpsilon<>>({.base = {.target = targets}})(three(micro_batch), x);
    for (std::size_t i = 0; i < 4; ++i) {
      BOOST_TEST(found.minimal_epsilon.at(i).value() > exact[i] - 1e-6);
      BOOST_TEST(found.minimal_epsilon[i].value() < exact[i] + 1e-4 + 1e-6);
      const MinimalEpsilon<> one{.base = {.target = targets.values()[i]}};
      const auto alone = Attack<MinimalEpsilon<>>(one)(three(8), x.narrow(0, std::int64_t(i), 1));
      BOOST_TEST(alone.minimal_epsilon.at(0).value() == found.minimal_epsilon[i].value());
      BOOST_TEST(difference(alone.images[0], found.images[std::int64_t(i)]) == 0);
      BOOST_TEST(found.after.at(i).label == targets.values()[i]);
    }
  }
}

BOOST_AUTO_TEST_CASE(of_methods_in_steps) {
  // The crossings of the line and of the plane above, by a method that goes there in steps.
  const auto model = test::linear(torch::tensor({{1.0F, -2.0F, 0.0F, 3.0F}, {0.0F, 0.0F, 0.0F, 0.0F}}));
  // The third has S₀ = −0.25; the fourth, S₀ = 4, loses at most 6 · 0.5 = 3.
  const Images x = torch::tensor({{0.5F, 0.5F, 0.5F, 0.25F},
                                  {0.5F, 0.5F, 0.5F, 0.75F},
                                  {0.25F, 0.5F, 0.5F, 0.16666F},
                                  {1.0F, 0.0F, 0.5F, 1.0F}});
  const auto check = [&](const auto& found, double longest) {
    const double exact[] = {0.25 / 6, 1.75 / 6};
    for (std::size_t i = 0; i < 2; ++i) {
      BOOST_TEST(found.minimal_epsilon.at(i).value() > exact[i] - 1e-6);
      BOOST_TEST(found.minimal_epsilon.at(i).value() < exact[i] + 1e-4 + 1e-6);
      BOOST_TEST(found.after.at(i).label == 1);
      const double way = (found.images - x)[std::int64_t(i)].abs().max().template item<double>();
      BOOST_TEST(way <= found.minimal_epsilon[i].value());
      // The clean image, `most`, and ⌈log₂(0.5/1e−4)⌉ = 13 halvings, of which those above the answer left.
      BOOST_TEST(found.steps.at(i).size() <= 15U);
      BOOST_TEST(found.passes.at(i).forward <= 14 * longest);
    }
    BOOST_TEST(found.minimal_epsilon.at(2).value() == 0);
    BOOST_TEST(difference(found.images[2], x[2]) == 0);
    BOOST_TEST(found.steps.at(2).size() == 1U);
    BOOST_TEST(!found.minimal_epsilon.at(3).has_value());
    BOOST_TEST(found.steps.at(3).size() == 2U);
    BOOST_TEST(found.after.at(3).label == 0);
  };
  check(Attack<MinimalEpsilon<IFGSM>>()(model, x, Class{0}), 11);
  check(Attack<MinimalEpsilon<PGD>>()(model, x, Class{0}), 42);
  // In L2 the way to S₀ = 0 is 0.25/√14, as long as no value meets an end.
  const MinimalEpsilon<PGD> l2{.base = {.norm = Norm::two, .random_start = false}};
  const auto found = Attack<MinimalEpsilon<PGD>>(l2)(model, x.narrow(0, 0, 1), Class{0});
  BOOST_TEST(found.minimal_epsilon.at(0).value() > 0.25 / std::sqrt(14.0) - 1e-6);
  BOOST_TEST(found.minimal_epsilon.at(0).value() < 0.25 / std::sqrt(14.0) + 1e-4 + 1e-6);
}

BOOST_AUTO_TEST_CASE(each_image_has_its_target_and_its_noise) {
  // ε = 1 reaches every image, and of a linear model each class has some: white where its weights are the
  // largest, and black elsewhere. So there is an ε for each, above 0 where the target is not the label.
  const auto generator = at::make_generator<at::CPUGeneratorImpl>(2);
  const auto model = test::linear(0.1 * torch::randn({3, 48}, generator, torch::kDouble));
  const Images images = torch::rand({3, 48}, generator, torch::kDouble);
  const std::vector<std::int64_t> labels = TopClass{}.resolve(model, images).label.values();
  std::vector<std::int64_t> targets;
  for (const std::int64_t label : labels) targets.push_back((label + 1) % 3);
  const MinimalEpsilon<PGD> options{.most = 1, .tolerance = 0.01, .base = {.steps = 3, .target = targets}};
  const auto found = Attack<MinimalEpsilon<PGD>>(options)(model, images);
  for (std::size_t i = 0; i < 3; ++i) {
    BOOST_TEST_REQUIRE(found.minimal_epsilon.at(i).has_value());
    BOOST_TEST(*found.minimal_epsilon[i] > 0);
    // The image is what the method itself gives at that ε.
    const PGD itself{.epsilon = *found.minimal_epsilon[i], .steps = 3, .target = targets, .stop_early = true};
    const auto direct = Attack<PGD>(itself)(model, images);
    BOOST_TEST(difference(direct.images[std::int64_t(i)], found.images[std::int64_t(i)]) < 1e-9);
    BOOST_TEST(direct.steps.at(i).back().reached);
  }
}

BOOST_AUTO_TEST_CASE(progress_and_memory) {
  const auto tight = test::model_of([](const Tensor& t) {
    if (t.size(0) > 2) throw std::bad_alloc();
    return torch::cat({0.45 - t, torch::zeros_like(t)}, 1);
  });
  const Images x = values({0.25F, 0.1F, 0.44F});
  const auto run = [&](const auto& attack) {
    std::vector<double> fractions;
    const auto found =
        attack(tight, x, Class{0}, [&](const Progress& p) { fractions.push_back(p.fraction); });
    BOOST_TEST(std::is_sorted(fractions.begin(), fractions.end()));
    BOOST_TEST(fractions.front() > 0);
    BOOST_TEST(fractions.back() == 1);
    const double exact[] = {0.2, 0.35, 0.01};
    for (std::size_t i = 0; i < 3; ++i)
      BOOST_TEST(std::abs(found.minimal_epsilon.at(i).value() - exact[i]) < 1.01e-4);
    int calls = 0;
    const auto third = [&](const Progress&) { return ++calls < 3; };
    BOOST_CHECK_THROW(attack(tight, x, Class{0}, third), Cancelled);
  };
  run(Attack<MinimalEpsilon<>>());
  run(Attack<MinimalEpsilon<IFGSM>>({.base = {.steps = 2}}));
}

BOOST_AUTO_TEST_CASE(wrong_requests) {
  using Smallest = Attack<MinimalEpsilon<>>;
  BOOST_CHECK_EXCEPTION(Smallest({.most = 0}), Error, says({"most is 0", "above the tolerance"}));
  BOOST_CHECK_EXCEPTION(Smallest({.most = INFINITY}), Error, says({"most is inf"}));
  BOOST_CHECK_EXCEPTION(Smallest({.tolerance = -1}), Error, says({"tolerance is -1", "1e-7 or more"}));
  BOOST_CHECK_EXCEPTION(Smallest({.tolerance = 1e-18}), Error, says({"tolerance is 1e-18", "32 bits"}));
  BOOST_CHECK_EXCEPTION(Smallest({.tolerance = INFINITY}), Error, says({"tolerance is inf"}));
  BOOST_CHECK_EXCEPTION(Smallest({.most = 1e-5}), Error, says({"most is 0.00001", "0.0001"}));
  BOOST_CHECK_EXCEPTION(Smallest({.factor = 1}), Error, says({"factor is 1", "1.001 or more"}));
  BOOST_CHECK_EXCEPTION(Smallest({.factor = INFINITY}), Error, says({"factor is inf"}));
  BOOST_CHECK_EXCEPTION(Attack<MinimalEpsilon<IFGSM>>({.base = {.steps = 0}}), Error, says({"steps is 0"}));
  BOOST_CHECK_EXCEPTION(Attack<MinimalEpsilon<IFGSM>>({.tolerance = 0}), Error, says({"tolerance is 0"}));
  BOOST_CHECK_EXCEPTION(Smallest({.base = {.target = 2}})(falling_in({}), values({0.5F})), Error,
                        says({"class 2", "0 to 1"}));
}

BOOST_AUTO_TEST_SUITE_END()
