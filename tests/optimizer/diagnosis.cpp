// The three figures on images whose answer is known.
#include <boost/test/unit_test.hpp>

#include <pellucid/optimizer/diagnosis.hpp>

#include <cmath>
#include <numbers>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;

namespace {

Diagnosis of(const Tensor& plane) {
  return diagnose(plane.view({1, 1, plane.size(0), plane.size(1)}).expand({1, 3, -1, -1}))[0];
}

/// 0.5 + 0.4 sin 2πfx, the same in all rows
Tensor sinusoid(double frequency, std::int64_t side = 80) {
  const Tensor x = torch::arange(side, torch::kDouble);
  return (0.5 + 0.4 * (2 * std::numbers::pi * frequency * x).sin()).expand({side, side});
}

Tensor noise(std::int64_t side, std::uint64_t seed) {
  return torch::rand({side, side}, at::make_generator<at::CPUGeneratorImpl>(seed), torch::kDouble);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(optimizer_diagnosis)

BOOST_AUTO_TEST_CASE(white_noise_has_all_frequencies_alike) {
  // The share of the square of frequencies that lies outside a circle of radius 1/4: 1 − π/16.
  const Diagnosis found = of(noise(256, 1));
  BOOST_TEST(found.high_frequencies == 1 - std::numbers::pi / 16, boost::test_tools::tolerance(0.01));
  BOOST_TEST(found.extreme < 0.006);  // 1/255 of evenly spread values lies within half a step of 0 or 1
  BOOST_TEST(found.extreme > 0.002);
  BOOST_TEST(found.repetition < 0.05);
}

BOOST_AUTO_TEST_CASE(one_sinusoid) {
  BOOST_TEST(of(sinusoid(0.1)).high_frequencies < 1e-9);
  BOOST_TEST(of(sinusoid(0.4)).high_frequencies > 1 - 1e-9);
  BOOST_TEST(of(sinusoid(0.1)).repetition > 0.99);
  BOOST_TEST(of(sinusoid(0.1)).extreme == 0);
  // A fifth of the energy: amplitudes 0.2 and 0.1.
  const Tensor two = 0.5 + (sinusoid(0.1) - 0.5) / 2 + (sinusoid(0.4) - 0.5) / 4;
  BOOST_TEST(of(two).high_frequencies == 0.2, boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(flat_images_and_ramps_have_nothing_wrong) {
  const Diagnosis grey = of(torch::full({32, 40}, 0.5, torch::kDouble));
  BOOST_TEST(grey.high_frequencies == 0);
  BOOST_TEST(grey.extreme == 0);
  BOOST_TEST(grey.repetition == 0);
  const Tensor ramp = (torch::arange(40, torch::kDouble) / 50 + 0.1).expand({32, 40});
  BOOST_TEST(of(ramp).repetition == 0);
  BOOST_TEST(of(ramp).extreme == 0);
}

BOOST_AUTO_TEST_CASE(extreme_values_are_those_shown_as_0_or_255) {
  BOOST_TEST(of(torch::zeros({8, 8}, torch::kDouble)).extreme == 1);
  BOOST_TEST(of(torch::ones({8, 8}, torch::kDouble)).extreme == 1);
  Tensor image = torch::full({8, 8}, 1 / 255.0, torch::kDouble);
  BOOST_TEST(of(image).extreme == 0);
  image[0] = 0.4 / 255;
  image[1] = 1 - 0.4 / 255;
  BOOST_TEST(of(image).extreme == 0.25);
}

BOOST_AUTO_TEST_CASE(a_tiled_motif) {
  const Tensor tiled = noise(16, 2).repeat({4, 4});
  BOOST_TEST(of(tiled).repetition > 0.99);
  // Noise of a tenth of its variance over it: the copies are alike by 1 / 1.1.
  const Tensor noisy = tiled + (noise(64, 3) - 0.5) * std::sqrt(0.1);
  BOOST_TEST(of(noisy).repetition == 1 / 1.1, boost::test_tools::tolerance(0.05));
  // Tiles that do not fit a whole number of times are copies as well.
  BOOST_TEST(of(noise(20, 4).repeat({4, 4}).slice(0, 0, 64).slice(1, 0, 64)).repetition > 0.99);
  // One blob alone is large, and not repeated.
  const Tensor x = (torch::arange(64, torch::kDouble) - 31.5) / 8;
  const Tensor blob = (-(x.square() + x.view({-1, 1}).square()) / 2).exp();
  BOOST_TEST(of(blob).repetition < 0.05);
}

BOOST_AUTO_TEST_CASE(each_image_of_a_batch_and_refusals) {
  const auto both = diagnose(torch::cat({torch::zeros({1, 3, 8, 8}), torch::full({1, 3, 8, 8}, 0.5)}));
  BOOST_REQUIRE(both.size() == 2U);
  BOOST_TEST(both[0].extreme == 1);
  BOOST_TEST(both[1].extreme == 0);
  BOOST_TEST(diagnose(torch::rand({1, 3, 1, 1}))[0].repetition == 0);
  BOOST_CHECK_EXCEPTION(diagnose(torch::rand({3, 8, 8})), Error, says({"[3, 8, 8]", "N×C×H×W"}));
}

BOOST_AUTO_TEST_SUITE_END()
