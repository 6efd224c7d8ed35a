#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/grad_cam.hpp>
#include <pellucid/attribution/methods/smoothed.hpp>
#include <pellucid/objective/channel.hpp>

#include "attribution/quarters.hpp"
#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;
using test::square;
using test::upsampled;

namespace {

// α₀ = 1/2, α₁ = −1/2: Σ α a = (−0.5, 0.5; 1.5, 2.5)
const Images image = test::quarters_image;

auto model() {
  return test::quarters();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attribution_grad_cam)

BOOST_AUTO_TEST_CASE(worked_by_hand) {
  const auto map = [](GradCAM options) {
    return Attribution<GradCAM>(options)(model(), image, Class{0}).attribution;
  };
  const Tensor sum = square(-0.5F, 0.5F, 1.5F, 2.5F);
  BOOST_TEST(difference(map({.layer = "conv", .relu = false, .upsample = false}), sum) < 1e-6);
  BOOST_TEST(difference(map({.layer = "conv", .upsample = false}), sum.relu()) < 1e-6);
  BOOST_TEST(difference(map({.layer = "conv", .relu = false}), upsampled(sum)) < 1e-6);
  BOOST_TEST(difference(map({.layer = "conv"}), upsampled(sum.relu())) < 1e-6);
}

BOOST_AUTO_TEST_CASE(the_layer_left_out_is_the_last_with_places) {
  const auto named = Attribution<GradCAM>({.layer = "conv"})(model(), image);
  BOOST_TEST(difference(Attribution<GradCAM>()(model(), image).attribution, named.attribution) == 0);
  // A place of one pixel behind it has nothing to show.
  const auto marked = test::model_of([](const Tensor& x) {
    const Tensor maps = mark("maps", torch::cat({x, x.square()}, 1));
    return mark("pooled", maps.mean({2, 3}, true)).flatten(1);
  });
  // Class 1 is the mean of x²: α = (0, 1/16), the map x²/16.
  BOOST_TEST(difference(Attribution<GradCAM>()(marked, image, Class{1}).attribution, image.square() / 16) <
             1e-6);
}

BOOST_AUTO_TEST_CASE(each_image_of_a_batch_by_itself) {
  const Images both = torch::cat({image, image * 0.5, image});
  for (const std::int64_t micro_batch : {1, 2, 8}) {
    const auto m = test::quarters(1, micro_batch);
    const Tensor found =
        Attribution<GradCAM>({.relu = false, .upsample = false})(m, both, Class{0}).attribution;
    BOOST_TEST(difference(found[0], found[2]) == 0);
    // Half the image: a₀ = (0.5, 1; 1.5, 2), a₁ = (2.5, 2; 1.5, 1), all on: α₁ = 1.
    BOOST_TEST(difference(found[1].unsqueeze(0), square(2.75F, 2.5F, 2.25F, 2)) < 1e-6);
  }
}

BOOST_AUTO_TEST_CASE(a_channel_can_be_the_objective) {
  // The mean of a₁ over four places: α = (0, 1/4).
  const auto found = Attribution<GradCAM>({.layer = "conv", .relu = false, .upsample = false})(
      model(), image, Channel{"conv", 1});
  BOOST_TEST(difference(found.attribution, square(0.5F, 0.25F, 0, -0.25F)) < 1e-6);
}

BOOST_AUTO_TEST_CASE(what_is_all_against_is_zeros_and_a_notice) {
  const auto against = test::model_of([](const Tensor& x) { return -mark("maps", x * 1).mean({2, 3}); });
  const auto found = Attribution<GradCAM>({.layer = "maps"})(against, image);
  BOOST_TEST(test::largest(found.attribution) == 0);
  BOOST_TEST(found.notices.size() == 1u);
}

BOOST_AUTO_TEST_CASE(smoothed) {
  const auto found = Attribution<Smoothed<GradCAM>>({.samples = 3, .noise = 0, .base = {.layer = "conv"}})(
      model(), image, Class{0});
  BOOST_TEST(difference(found.attribution, upsampled(square(0, 0.5F, 1.5F, 2.5F))) < 1e-6);
}

BOOST_AUTO_TEST_CASE(layers_that_cannot_be) {
  BOOST_CHECK_EXCEPTION(Attribution<GradCAM>({.layer = "fc"})(model(), image), Error,
                        says({"'fc'", "[1, 1]", "N×C×H×W is needed"}));
  BOOST_CHECK_EXCEPTION(Attribution<GradCAM>({.layer = "conf"})(model(), image), Error,
                        says({"'conf'", "The closest: conv"}));
  BOOST_CHECK_EXCEPTION(Attribution<GradCAM>()(test::linear(torch::ones({2, 16})), image), Error,
                        says({"no layer was named", "shows none"}));
  const auto plain = [](const Tensor& x) { return x.flatten(1); };
  BOOST_CHECK_EXCEPTION(Attribution<GradCAM>()(plain, image), Error, says({"no layer was named"}));
  // A layer that the objective lies before.
  const auto marked = test::model_of([](const Tensor& x) {
    return mark("late", mark("early", x * 1).square()).mean({2, 3});
  });
  BOOST_CHECK_EXCEPTION(Attribution<GradCAM>({.layer = "late"})(marked, image, Channel{"early", 0}), Error,
                        says({"'late'", "does not depend"}));
  // Left out, the layer is none of those.
  const Channel early{"early", 0};
  BOOST_TEST(difference(Attribution<GradCAM>()(marked, image, early).attribution,
                        Attribution<GradCAM>({.layer = "early"})(marked, image, early).attribution) == 0);
}

BOOST_AUTO_TEST_CASE(sequences_have_no_size_to_bring_a_map_to) {
  const auto lifted = test::model_of([](const Tensor& x) {
    return mark("maps", x.unsqueeze(2).repeat({1, 1, 2, 1})).mean({2, 3});
  });
  const Images sequence = test::some_images({1, 2, 6});
  BOOST_CHECK_EXCEPTION(Attribution<GradCAM>()(lifted, sequence), Error, says({"[1, 2, 6]"}));
  const auto found = Attribution<GradCAM>({.upsample = false})(lifted, sequence);
  BOOST_TEST((found.attribution.sizes() == torch::IntArrayRef{1, 1, 2, 6}));
}

BOOST_AUTO_TEST_SUITE_END()
