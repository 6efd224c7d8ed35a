#include <boost/test/unit_test.hpp>

#include <pellucid/core/average.hpp>
#include <pellucid/core/moments.hpp>
#include <pellucid/core/quadrature.hpp>

#include <cmath>
#include <numbers>
#include <stdexcept>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;

namespace {

const auto silent = [](std::int64_t, std::int64_t) {};

Tensor doubles(std::vector<double> values) {
  return torch::tensor(values, torch::kDouble);
}

/// Variants answered from a table: values[image][sample], each a tensor of one element.
auto answers(std::vector<std::vector<double>> table, std::vector<std::size_t>* batches = nullptr) {
  return [=](const std::vector<Variant>& variants) {
    if (batches != nullptr) batches->push_back(variants.size());
    std::vector<double> rows;
    for (const Variant& v : variants)
      rows.push_back(table.at(std::size_t(v.image)).at(std::size_t(v.sample)));
    return doubles(rows).unsqueeze(1);
  };
}

/// A value for every (image, sample, place) that follows no pattern.
Tensor scattered(const std::vector<Variant>& variants) {
  std::vector<Tensor> rows;
  for (const Variant& v : variants)
    rows.push_back(torch::sin(torch::arange(4) * 3.7 + double(100 * v.image + v.sample) * 12.9898) * 43.75 +
                   5);
  return torch::stack(rows).to(torch::kFloat);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_statistics)

BOOST_AUTO_TEST_CASE(moments_of_four_numbers) {
  Moments moments;
  for (const double x : {1.0, 2.0, 4.0, 9.0}) moments.add(doubles({x, 10}));
  BOOST_TEST(moments.count() == 4);
  BOOST_TEST(difference(moments.mean(), doubles({4, 10})) < 1e-14);
  BOOST_TEST(difference(moments.variance(), doubles({38.0 / 3, 0})) < 1e-13);
  BOOST_TEST(difference(moments.standard_error(), doubles({std::sqrt(38.0 / 12), 0})) < 1e-13);
}

BOOST_AUTO_TEST_CASE(moments_do_not_cancel_far_from_zero) {
  Moments moments;
  for (const double x : {1.0, 2.0, 4.0, 9.0}) moments.add(torch::full({1}, 1e6 + x, torch::kFloat));
  BOOST_TEST(moments.mean().item<double>() == 1e6 + 4, boost::test_tools::tolerance(1e-7));
  BOOST_TEST(moments.variance().item<double>() == 38.0 / 3, boost::test_tools::tolerance(1e-5));
}

BOOST_AUTO_TEST_CASE(moments_with_weights) {
  // μ = (2·1 + 1·4)/3 = 2; se² = 2/1 · (2²·1² + 1²·2²)/3² = 16/9, whatever the weights' scale.
  for (const double scale : {1.0, 0.01, 70.0}) {
    Moments moments;
    moments.add(doubles({1}), 2 * scale);
    moments.add(doubles({4}), scale);
    BOOST_TEST(moments.mean().item<double>() == 2.0, boost::test_tools::tolerance(1e-12));
    BOOST_TEST(moments.standard_error().item<double>() == 4.0 / 3, boost::test_tools::tolerance(1e-12));
  }
}

BOOST_AUTO_TEST_CASE(moments_of_one_tensor) {
  Moments moments;
  Tensor x = doubles({3, -1});
  moments.add(x);
  x.zero_();  // what was added stays
  BOOST_TEST(difference(moments.mean(), doubles({3, -1})) == 0);
  BOOST_TEST(difference(moments.variance(), doubles({0, 0})) == 0);
  BOOST_TEST(moments.standard_error().isinf().all().item<bool>());
}

BOOST_AUTO_TEST_CASE(average_is_the_two_pass_mean_for_every_micro_batch) {
  for (const std::int64_t samples : {2, 7, 50}) {
    std::vector<Tensor> means, variances;
    for (std::int64_t image = 0; image < 3; ++image) {
      std::vector<Variant> all;
      for (std::int64_t sample = 0; sample < samples; ++sample) all.push_back({image, sample});
      const Tensor values = scattered(all).to(torch::kDouble);
      means.push_back(values.mean(0));
      variances.push_back(values.var(0, /*unbiased=*/true));
    }
    const Tensor mean = torch::stack(means), variance = torch::stack(variances);
    for (const std::int64_t micro_batch : {1, 3, 7, 16, 50, 1000}) {
      BOOST_TEST_CONTEXT(samples << " samples in micro-batches of " << micro_batch) {
        const Average found =
            average({.images = 3, .samples = samples, .micro_batch = micro_batch}, scattered, silent);
        BOOST_TEST(test::relative_difference(found.mean, mean) < 1e-5);
        BOOST_TEST(test::relative_difference(found.variance, variance) < 1e-5);
        BOOST_TEST(test::relative_difference(found.standard_error, (variance / samples).sqrt()) < 1e-5);
        BOOST_TEST(found.samples == std::vector<std::int64_t>(3, samples), boost::test_tools::per_element());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(average_fills_its_batches_across_images) {
  std::vector<std::size_t> sizes;
  std::vector<std::pair<std::int64_t, std::int64_t>> asked, expected;
  average(
      {.images = 3, .samples = 5, .micro_batch = 4},
      [&](const std::vector<Variant>& variants) {
        sizes.push_back(variants.size());
        for (const Variant& v : variants) asked.emplace_back(v.image, v.sample);
        return scattered(variants);
      },
      silent);
  for (std::int64_t i = 0; i < 15; ++i) expected.emplace_back(i / 5, i % 5);
  BOOST_TEST((asked == expected));
  BOOST_TEST(sizes == (std::vector<std::size_t>{4, 4, 4, 3}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(average_makes_its_batches_alike) {
  const auto sizes = [](const AveragePlan& plan) {
    std::vector<std::size_t> found;
    average(
        plan,
        [&](const std::vector<Variant>& variants) {
          found.push_back(variants.size());
          return scattered(variants);
        },
        silent);
    return found;
  };
  BOOST_TEST(sizes({.samples = 50, .micro_batch = 16}) == (std::vector<std::size_t>{13, 13, 12, 12}),
             boost::test_tools::per_element());
  BOOST_TEST(sizes({.images = 3, .micro_batch = 2}) == (std::vector<std::size_t>{2, 1}),
             boost::test_tools::per_element());
  // How many samples an open-ended image takes is not known.
  BOOST_TEST(sizes({.samples = 10, .micro_batch = 8, .until = 1e9, .most_samples = 10}) ==
                 (std::vector<std::size_t>{8, 2}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(average_of_one_sample_is_the_answer) {
  const Average found = average({.images = 7, .samples = 1, .micro_batch = 3}, scattered, silent);
  std::vector<Variant> all;
  for (std::int64_t image = 0; image < 7; ++image) all.push_back({image, 0});
  BOOST_TEST(difference(found.mean, scattered(all)) == 0);
  BOOST_TEST(!found.standard_error.defined());
  BOOST_TEST(found.samples.size() == 7u);
}

BOOST_AUTO_TEST_CASE(average_with_weights) {
  // Σ w·x / Σ w = (1·2 + 3·10 + 4·1)/8 = 4.5
  const Average found =
      average({.samples = 3, .micro_batch = 2, .weights = {1, 3, 4}}, answers({{2, 10, 1}}), silent);
  BOOST_TEST(found.mean.item<double>() == 4.5, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(average_of_pairs_with_an_odd_end) {
  // Draws (1 + 2)/2 = 1.5, (3 + 7)/2 = 5 and a single 4, with weights 2, 2, 1: mean 17/5 = 3.4,
  // se² = 3/2 · (2²·1.9² + 2²·1.6² + 1²·0.6²)/5² = 1.5024.
  for (const std::int64_t micro_batch : {1, 2, 3, 4, 5, 8}) {
    const Average found = average({.images = 2, .samples = 5, .micro_batch = micro_batch, .pairs = true},
                                  answers({{1, 2, 3, 7, 4}, {1, 2, 3, 7, 4}}), silent);
    BOOST_TEST(difference(found.mean, doubles({3.4, 3.4}).unsqueeze(1)) < 1e-12);
    BOOST_TEST(difference(found.standard_error, doubles({1.5024, 1.5024}).sqrt().unsqueeze(1)) < 1e-12);
  }
  // An even number: the standard error of the mean of 1.5 and 5 is |5 − 1.5|/2.
  const Average even = average({.samples = 4, .pairs = true}, answers({{1, 2, 3, 7}}), silent);
  BOOST_TEST(even.mean.item<double>() == 3.25, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(even.standard_error.item<double>() == 1.75, boost::test_tools::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(average_goes_on_until_the_error_is_small) {
  // 1 ± s, alternating: after an even n the standard error is s/√(n − 1), the mean 1. It is looked at after
  // 10 samples, and then every 16: below 0.11 for s = 0.5 at n = 26, for s = 0.05 at once; below 0.09 at n
  // = 42.
  const auto alternating = [](const std::vector<Variant>& variants) {
    std::vector<double> rows;
    for (const Variant& v : variants)
      rows.push_back(1 + (v.sample % 2 == 0 ? 1 : -1) * (v.image == 0 ? 0.5 : 0.05));
    return doubles(rows).unsqueeze(1);
  };
  for (const std::int64_t micro_batch : {1, 3, 8, 50}) {
    AveragePlan plan{
        .images = 2, .samples = 10, .micro_batch = micro_batch, .until = 0.11, .most_samples = 1000};
    Average found = average(plan, alternating, silent);
    BOOST_TEST(found.samples == (std::vector<std::int64_t>{26, 10}), boost::test_tools::per_element());
    BOOST_TEST(found.standard_error[0].item<double>() == 0.1, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(found.standard_error[1].item<double>() == 0.05 / 3, boost::test_tools::tolerance(1e-9));
    plan.until = 0.09;
    found = average(plan, alternating, silent);
    BOOST_TEST(found.samples[0] == 42);
    plan.until = 1e-9;
    plan.most_samples = 37;
    found = average(plan, alternating, silent);
    BOOST_TEST(found.samples == (std::vector<std::int64_t>{37, 37}), boost::test_tools::per_element());
    BOOST_TEST(found.mean[0].item<double>() == 1 + 0.5 / 37, boost::test_tools::tolerance(1e-9));
  }
}

BOOST_AUTO_TEST_CASE(average_of_pairs_goes_on_in_whole_pairs) {
  // Pairs 1 ± 0.5 ± 10, whose means are 1 ± 0.5 in turn. k of them, k odd, have the mean 1 + 0.5/k and the
  // standard error √((0.25 − 0.25/k²)/(k − 1)); that over the mean is 0.115 at k = 19 and 0.096 at k = 27.
  const auto pairs = [](const std::vector<Variant>& variants) {
    std::vector<double> rows;
    for (const Variant& v : variants)
      rows.push_back(1 + (v.sample / 2 % 2 == 0 ? 0.5 : -0.5) + (v.sample % 2 == 0 ? 10 : -10));
    return doubles(rows).unsqueeze(1);
  };
  for (const std::int64_t micro_batch : {1, 7, 16}) {
    AveragePlan plan{
        .samples = 5, .micro_batch = micro_batch, .pairs = true, .until = 0.11, .most_samples = 999};
    const Average found = average(plan, pairs, silent);  // 6, 22, 38, 54 samples
    BOOST_TEST(found.samples[0] == 54);
    BOOST_TEST(found.mean.item<double>() == 1 + 0.5 / 27, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(found.standard_error.item<double>() == std::sqrt((0.25 - 0.25 / 729) / 26),
               boost::test_tools::tolerance(1e-9));
  }
  // Never more than the most that were allowed, be that odd or no more than there are to begin with.
  for (const std::int64_t samples : {5, 51}) {
    AveragePlan plan{.samples = samples, .pairs = true, .until = 1e-9, .most_samples = 51};
    BOOST_TEST(average(plan, pairs, silent).samples[0] == 51);
  }
}

BOOST_AUTO_TEST_CASE(average_halves_the_micro_batch_when_memory_runs_out) {
  const Average expected = average({.images = 3, .samples = 7, .micro_batch = 8}, scattered, silent);
  for (const bool by_libtorch : {false, true}) {
    std::vector<std::size_t> sizes;
    const Average found = average(
        {.images = 3, .samples = 7, .micro_batch = 8},
        [&](const std::vector<Variant>& variants) {
          sizes.push_back(variants.size());
          if (variants.size() > 2 && by_libtorch)
            TORCH_CHECK(false, "DefaultCPUAllocator: not enough memory: you tried …");
          if (variants.size() > 2) throw std::bad_alloc();
          return scattered(variants);
        },
        silent);
    BOOST_TEST(difference(found.mean, expected.mean) == 0);
    BOOST_TEST(difference(found.standard_error, expected.standard_error) == 0);
    BOOST_TEST(sizes == (std::vector<std::size_t>{7, 4, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1}),
               boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(average_gives_up_when_one_image_is_too_much) {
  std::size_t attempts = 0;
  const auto never = [&](const std::vector<Variant>&) -> Tensor {
    ++attempts;
    throw std::bad_alloc();
  };
  BOOST_CHECK_EXCEPTION(
      average({.samples = 5, .micro_batch = 8}, never, silent), Error, [](const Error& error) {
        return error.fault() == Fault::failure && says({"not enough memory", "one image"})(error);
      });
  BOOST_TEST(attempts == 4u);  // 8 (5 of them there), 4, 2, 1
}

BOOST_AUTO_TEST_CASE(average_lets_other_exceptions_pass) {
  const auto broken = [&](const std::vector<Variant>&) -> Tensor { throw std::domain_error("broken"); };
  BOOST_CHECK_THROW(average({.samples = 5}, broken, silent), std::domain_error);
}

BOOST_AUTO_TEST_CASE(average_reports_up_to_the_end) {
  std::vector<std::int64_t> done;
  average({.images = 2, .samples = 5, .micro_batch = 4}, scattered, [&](std::int64_t d, std::int64_t total) {
    BOOST_TEST(total == 10);
    done.push_back(d);
  });
  BOOST_TEST(done == (std::vector<std::int64_t>{4, 7, 10}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(gauss_legendre_has_the_published_nodes_and_weights) {
  const auto check = [](std::vector<double> nodes, std::vector<double> weights) {  // on [−1, 1]
    const Quadrature rule = gauss_legendre(std::int64_t(nodes.size()));
    BOOST_TEST(difference(doubles(rule.nodes), (doubles(nodes) + 1) / 2) < 3e-15);
    BOOST_TEST(difference(doubles(rule.weights), doubles(weights) / 2) < 3e-15);
  };
  const double third = 1 / std::numbers::sqrt3, fifths = std::sqrt(0.6);
  check({0}, {2});
  check({-third, third}, {1, 1});
  check({-fifths, 0, fifths}, {5.0 / 9, 8.0 / 9, 5.0 / 9});
  check({-0.9061798459386640, -0.5384693101056831, 0, 0.5384693101056831, 0.9061798459386640},
        {0.2369268850561891, 0.4786286704993665, 0.5688888888888889, 0.4786286704993665, 0.2369268850561891});
}

BOOST_AUTO_TEST_CASE(gauss_legendre_integrates_polynomials_exactly) {
  for (std::int64_t n = 1; n <= 20; ++n) {
    const Quadrature rule = gauss_legendre(n);
    for (std::int64_t degree = 0; degree <= 2 * n; ++degree) {
      double sum = 0;
      for (std::size_t k = 0; k < rule.nodes.size(); ++k)
        sum += rule.weights[k] * std::pow(rule.nodes[k], double(degree));
      const double error = std::abs(sum - 1.0 / double(degree + 1));
      if (degree < 2 * n) {
        BOOST_TEST(error < 1e-14);
      } else if (n <= 4) {
        BOOST_TEST(error > 1e-6);  // and of no higher degree
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(gauss_legendre_with_many_nodes) {
  const Quadrature rule = gauss_legendre(200);
  const Tensor nodes = doubles(rule.nodes);
  BOOST_TEST(doubles(rule.weights).sum().item<double>() == 1.0, boost::test_tools::tolerance(1e-13));
  BOOST_TEST((nodes.diff() > 0).all().item<bool>());
  BOOST_TEST(((nodes > 0) & (nodes < 1)).all().item<bool>());
  BOOST_TEST(difference(nodes + nodes.flip(0), torch::ones({200})) < 1e-14);
}

BOOST_AUTO_TEST_SUITE_END()
