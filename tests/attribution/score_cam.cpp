#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/score_cam.hpp>
#include <pellucid/objective/channel.hpp>

#include <algorithm>
#include <cmath>

#include "attribution/quarters.hpp"
#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;
using test::quarters;
using test::square;
using test::upsampled;

namespace {

// The score is a tenth of Quarters', so that softmax has more than one say. Upsampled, a₀ goes from 1 to 4
// and a₁ = 3 − a₀ from −1 to 2: the masks are m₀ = (up(a₀) − 1)/3 and m₁ = 1 − m₀. a₀ is 1 + column + 2·row,
// so up of it is linear, with the columns (rows) of a quarter at 1/8 or 7/8 in the mean:
//   means of m₀ over the quarters: (1, 3; 5, 7)/8, of m₁: (7, 5; 3, 1)/8
//   the image (1, 2; 3, 4) through m₀: means (0.125, 0.75; 1.875, 3.5),
//     S = (3.625 − 3·2.875 + 2.25 + 2·1.125 + 0)/10 = −0.05
//   through m₁: means (0.875, 1.25; 1.125, 0.5),
//     S = (1.375 − 3·2.125 + 1.75 + 2·1.875 + 4·2.5)/10 = 1.05
//   α₁ = 1/(1 + e^−1.1), α₀ = 1 − α₁
const Images image = test::quarters_image;
const double alpha = 1 / (1 + std::exp(-1.1));

Tensor map(ScoreCAM options, const Images& images = image, std::int64_t micro_batch = 8) {
  return Attribution<ScoreCAM>(options)(quarters(0.1, micro_batch), images, Class{0}).attribution;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attribution_score_cam)

BOOST_AUTO_TEST_CASE(worked_by_hand) {
  const Tensor sum = (1 - alpha) * square(1, 2, 3, 4) + alpha * square(2, 1, 0, -1);
  BOOST_TEST(difference(map({.layer = "conv", .relu = false, .upsample = false}), sum) < 1e-6);
  BOOST_TEST(difference(map({.layer = "conv", .upsample = false}), sum.relu()) < 1e-6);
  BOOST_TEST(difference(map({.layer = "conv"}), upsampled(sum.relu())) < 1e-6);
  BOOST_TEST(difference(map({}), upsampled(sum.relu())) < 1e-6);
}

BOOST_AUTO_TEST_CASE(channels_that_show_nothing) {
  // "maps": the image, and a channel of sevens whose mask shows the baseline b alone; the score is the mean.
  const auto model = test::model_of([](const Tensor& x) {
    const Tensor maps = mark("maps", torch::cat({x, torch::full_like(x, 7)}, 1));
    return maps.narrow(1, 0, 1).flatten(1).mean(1, true);
  });
  // x = (0, 1; 2, 4) is its own mask (0, 1; 2, 4)/4: S(x₀) = mean(b + (x/4)(x − b)).
  const Images x = square(0, 1, 2, 4);
  const auto found = [&](const Baseline& baseline) {
    return Attribution<ScoreCAM>({.layer = "maps", .baseline = baseline})(model, x).attribution;
  };
  // b = 0: S = (0 + 1 + 4 + 16)/16 = 21/16, against 0.
  double share = 1 / (1 + std::exp(-21 / 16.0));
  BOOST_TEST(difference(found(Baseline::black()), share * x + (1 - share) * 7) < 1e-5);
  // b = 2: Σ 2 + (x/4)(x − 2) = 8 + (0 − 1 + 0 + 8)/4 = 9.75, S = 9.75/4 against 2.
  share = 1 / (1 + std::exp(2 - 9.75 / 4));
  BOOST_TEST(difference(found(Baseline::image(torch::full({1, 1, 2, 2}, 2.0F))),
                        share * x + (1 - share) * 7) < 1e-5);
}

BOOST_AUTO_TEST_CASE(a_loop_from_the_formula_finds_the_same) {
  auto net = std::make_shared<test::SmallNet>();
  net->to(torch::kDouble);
  const Images x = test::some_images({2, 3, 10, 14}).to(torch::kDouble);
  const Tensor found =
      Attribution<ScoreCAM>({.layer = "first", .relu = false})(adapt(net), x, Class{{3, 0}}).attribution;
  const torch::NoGradGuard no_grad;
  for (std::int64_t n = 0; n < 2; ++n) {
    const Tensor maps = net->first->forward(x.narrow(0, n, 1))[0];  // of the image's own size
    std::vector<double> scores;
    double total = 0;
    for (std::int64_t c = 0; c < maps.size(0); ++c) {
      const double least = maps[c].min().item<double>(), most = maps[c].max().item<double>();
      const Images masked = x.narrow(0, n, 1) * ((maps[c] - least) / (most - least));
      scores.push_back(std::exp(net->forward(masked)[0][n == 0 ? 3 : 0].item<double>()));
      total += scores.back();
    }
    Tensor expected = torch::zeros_like(maps[0]);
    for (std::int64_t c = 0; c < maps.size(0); ++c) expected += scores[std::size_t(c)] / total * maps[c];
    BOOST_TEST(test::relative_difference(found[n][0], expected) < 1e-10);
  }
}

BOOST_AUTO_TEST_CASE(each_image_of_a_batch_by_itself) {
  const Images both = torch::cat({image, image * 0.5, image});
  const Tensor half = map({.upsample = false}, image * 0.5), whole = map({.upsample = false});
  for (const std::int64_t micro_batch : {1, 2, 8}) {
    const Tensor found = map({.upsample = false}, both, micro_batch);
    BOOST_TEST(difference(found, torch::cat({whole, half, whole})) < 1e-6);
  }
  BOOST_TEST(difference(half, whole) > 0.1);
}

BOOST_AUTO_TEST_CASE(any_objective_will_do) {
  // A plain callable, which has no layer of its own: the score itself.
  const auto mine = [](const auto& m, const Images& x) { return m(x).flatten(); };
  const auto found = Attribution<ScoreCAM>({.layer = "conv"})(quarters(0.1), image, mine);
  BOOST_TEST(difference(found.attribution, map({})) < 1e-6);
  BOOST_TEST(difference(Attribution<ScoreCAM>()(quarters(0.1), image, mine).attribution, map({})) < 1e-6);
  // The mean of a₁, 0.5 − mean of what is seen: 3 − 25/16 through m₀, 3 − 15/16 through m₁.
  const double share = 1 / (1 + std::exp(-10 / 16.0));
  const auto channel =
      Attribution<ScoreCAM>({.relu = false, .upsample = false})(quarters(), image, Channel{"conv", 1});
  BOOST_TEST(difference(channel.attribution, (1 - share) * square(1, 2, 3, 4) + share * square(2, 1, 0, -1)) <
             1e-6);
}

BOOST_AUTO_TEST_CASE(how_far_it_is_goes_up_to_the_end) {
  std::vector<double> told;
  const auto note = [&](const Progress& progress) { told.push_back(progress.fraction); };
  Attribution<ScoreCAM>()(quarters(0.1, 1), torch::cat({image, image}), Class{0}, note);
  BOOST_REQUIRE(told.size() >= 4U);
  BOOST_TEST(std::is_sorted(told.begin(), told.end()));
  BOOST_TEST(told.back() == 1);
}

BOOST_AUTO_TEST_CASE(what_cannot_be) {
  BOOST_CHECK_EXCEPTION(map({.layer = "fc"}), Error, says({"ScoreCAM", "'fc'", "[1, 1]", "N×C×H×W"}));
  const auto sums = test::sum_of([](const Tensor& x) { return x; });
  BOOST_CHECK_EXCEPTION(Attribution<ScoreCAM>()(sums, test::some_images({1, 2, 6})), Error,
                        says({"ScoreCAM", "[1, 2, 6]", "N×C×H×W are needed"}));
  BOOST_CHECK_EXCEPTION(Attribution<ScoreCAM>()(sums, image), Error, says({"ScoreCAM: no layer was named"}));
}

BOOST_AUTO_TEST_SUITE_END()
