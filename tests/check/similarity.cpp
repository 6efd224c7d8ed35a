#include <boost/test/unit_test.hpp>

#include <pellucid/check/similarity.hpp>

#include <cmath>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;

BOOST_AUTO_TEST_SUITE(check_similarity)

BOOST_AUTO_TEST_CASE(spearman_without_ties) {
  // ρ = 1 − 6Σd²/(n(n² − 1)). Ranks 1 2 3 4 5 against 2 1 4 3 5: Σd² = 4, ρ = 1 − 24/120 = 0.8. Any rising
  // function of the values leaves it.
  const Tensor a = torch::tensor({{1.0, 2.0, 3.0, 4.0, 5.0}}),
               b = torch::tensor({{0.2, 0.1, 40.0, 3.0, 500.0}});
  BOOST_TEST(std::abs(rank_correlation(a, b).item<double>() - 0.8) < 1e-12);
  BOOST_TEST(std::abs(rank_correlation(a.exp(), b.log()).item<double>() - 0.8) < 1e-12);
  BOOST_TEST(std::abs(rank_correlation(a, -a).item<double>() + 1) < 1e-12);
}

BOOST_AUTO_TEST_CASE(spearman_with_ties) {
  // 0 0 1 has the ranks 1.5 1.5 3, 1 2 3 its own: centred −½ −½ 1 and −1 0 1, so 1.5/√(1.5·2) = √3/2.
  const Tensor a = torch::tensor({{0.0, 0.0, 1.0}}), b = torch::tensor({{1.0, 2.0, 3.0}});
  BOOST_TEST(std::abs(rank_correlation(a, b).item<double>() - std::sqrt(3) / 2) < 1e-12);
  BOOST_TEST(rank_correlation(torch::zeros({1, 3}), b).item<double>() == 0);
}

BOOST_AUTO_TEST_CASE(each_row_by_itself) {
  const Tensor a = torch::tensor({1.0, 0.0, 0.0, 2.0}).view({2, 1, 1, 2}),
               b = torch::tensor({1.0, 1.0, 0.0, -3.0}).view({2, 1, 1, 2});
  const Tensor cosines = cosine_between(a, b);
  BOOST_TEST(std::abs(cosines[0].item<double>() - std::sqrt(0.5)) < 1e-12);
  BOOST_TEST(std::abs(cosines[1].item<double>() + 1) < 1e-12);
  BOOST_TEST(cosine_between(torch::zeros({1, 2}), b[0].view({1, 2})).item<double>() == 0);
}

BOOST_AUTO_TEST_CASE(maps_with_holes_are_like_nothing) {
  const Tensor whole = torch::tensor({{1.0, 2.0}, {3.0, 4.0}});
  for (const double bad : {std::nan(""), double(INFINITY)}) {
    const Tensor broken = torch::tensor({{1.0, 2.0}, {3.0, bad}});
    const auto refusal = says({"image 1", "NaN or infinity"});
    BOOST_CHECK_EXCEPTION(cosine_between(whole, broken), Error, refusal);
    BOOST_CHECK_EXCEPTION(cosine_between(broken, whole), Error, refusal);
    BOOST_CHECK_EXCEPTION(rank_correlation(whole, broken), Error, refusal);
    BOOST_CHECK_EXCEPTION(rank_correlation(broken, whole), Error, refusal);
  }
}

BOOST_AUTO_TEST_SUITE_END()
