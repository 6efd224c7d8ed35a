#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/layer_grid.hpp>
#include <pellucid/attribution/methods/grad_cam.hpp>
#include <pellucid/attribution/methods/grad_cam_plus_plus.hpp>
#include <pellucid/attribution/methods/guided_grad_cam.hpp>
#include <pellucid/attribution/methods/layer_activation.hpp>
#include <pellucid/attribution/methods/layer_cam.hpp>
#include <pellucid/attribution/methods/layer_conductance.hpp>
#include <pellucid/attribution/methods/layer_gradient_x_activation.hpp>
#include <pellucid/attribution/methods/score_cam.hpp>
#include <pellucid/objective/layer.hpp>

#include <algorithm>
#include <cmath>

#include "attribution/quarters.hpp"
#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;
using test::square;
using test::upsampled;

namespace {

const Images image = test::quarters_image;

/// How a layer "here" shows the maps of Quarters.
enum class Shown { tokens, with_class, with_registers, channels_last };

/// Quarters whose maps pass as tokens, in front of which are others that count for the score, too, or with
/// their channels last. These are five, three of them zero, so that w×C is no h×w.
auto shown_as(Shown how,
              const Tensor& weights = torch::tensor({1.0F, 0.0F, 0.0F, 1.0F, -3.0F, 1.0F, 2.0F, 4.0F})) {
  return test::model_of([=](const Tensor& x) {
    const Tensor means = torch::avg_pool2d(x, 2);
    Tensor maps = torch::cat({means, 3 - means, torch::zeros_like(means).expand({-1, 3, -1, -1})}, 1);
    Tensor score;
    if (how == Shown::channels_last) {
      maps = mark("here", maps.permute({0, 2, 3, 1}) * 1).permute({0, 3, 1, 2});
      score = torch::zeros_like(x.flatten(1).sum(1, true));
    } else {
      const std::int64_t extra = how == Shown::tokens ? 0 : how == Shown::with_class ? 1 : 5;
      const Tensor in_front = 7 * maps.mean({2, 3}).unsqueeze(1).expand({-1, extra, -1});
      const Tensor tokens = mark("here", torch::cat({in_front, maps.flatten(2).transpose(1, 2)}, 1));
      score = 5 * tokens.narrow(1, 0, extra).flatten(1).sum(1, true);
      maps = tokens.narrow(1, extra, 4).transpose(1, 2).reshape_as(maps);
    }
    return score + torch::relu(maps.narrow(1, 0, 2)).flatten(1).matmul(weights.unsqueeze(1));
  });
}

constexpr Shown all[] = {Shown::tokens, Shown::with_class, Shown::with_registers, Shown::channels_last};

/// A transformer of images: a convolution gives the patches of 2×2 pixels, a class token goes in front, and
/// each block adds to every token the mean of all: two heads attend to all alike. The score is of the class
/// token alone.
auto transformer(bool patches_are_seen, bool attention_is_seen = false) {
  return test::model_of([=](const Tensor& x) {
    Tensor patches = torch::avg_pool2d(x, 2).repeat({1, 3, 1, 1});
    if (patches_are_seen) patches = mark("conv_proj", patches);
    Tensor tokens = patches.flatten(2).transpose(1, 2);
    tokens = torch::cat({torch::zeros_like(tokens.narrow(1, 0, 1)), tokens}, 1);
    for (const std::string block : {"blocks.0", "blocks.1"}) {
      const Tensor in = mark(block + ".norm", tokens * 1);
      Tensor mean = in.mean(1, true);
      if (attention_is_seen) {
        const Tensor heads = mark(block + ".heads", in.unsqueeze(1).repeat({1, 2, 1, 1}));
        const Tensor attention = (0 * heads.matmul(heads.transpose(2, 3))).softmax(3);
        mean = mark(block + ".attention", attention).matmul(heads).mean(1);
      }
      tokens = mark(block, tokens + mean.square());
    }
    return mark("norm", tokens * 2).select(1, 0);
  });
}

std::optional<LayerGrid> grid(std::vector<std::int64_t> layer, std::vector<std::int64_t> images,
                              const LayerLayout& layout = {}) {
  return grid_of(layer, images, layout);
}

bool is(const std::optional<LayerGrid>& found, const LayerGrid& expected) {
  return found && *found == expected;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attribution_tokens)

BOOST_AUTO_TEST_CASE(grids_of_tokens) {
  const std::vector<std::int64_t> photo{1, 3, 224, 224}, wide{2, 3, 32, 64};
  BOOST_TEST(is(grid({1, 196, 768}, photo), {14, 14, 0, true}));
  BOOST_TEST(is(grid({1, 197, 768}, photo), {14, 14, 1, true}));  // ViT-B/16
  BOOST_TEST(is(grid({1, 198, 768}, photo), {14, 14, 2, true}));  // and one for distillation
  BOOST_TEST(is(grid({1, 261, 384}, photo), {16, 16, 5, true}));  // DINOv2 with registers
  BOOST_TEST(is(grid({1, 50, 768}, photo), {7, 7, 1, true}));     // ViT-B/32
  BOOST_TEST(is(grid({1, 3136, 96}, photo), {56, 56, 0, true}));  // Swin's first stage
  BOOST_TEST(is(grid({2, 33, 8}, wide), {4, 8, 1, true}));
  // 225 = 15² would leave 5 of 230, but 224 pixels are not 15 patches; DETR's queries are no grid.
  BOOST_TEST(!grid({1, 230, 768}, photo));
  BOOST_TEST(is(grid({1, 230, 768}, photo, {.leading_tokens = 34}), {14, 14, 34, true}));
  BOOST_TEST(is(grid({1, 230, 768}, photo, {.leading_tokens = 5}), {15, 15, 5, true}));
  BOOST_TEST(!grid({1, 197, 768}, photo, {.leading_tokens = 0}));
  BOOST_TEST(!grid({1, 197, 768}, photo, {.leading_tokens = 197}));
  BOOST_TEST(!grid({1, 100, 256}, photo));
  BOOST_TEST(!grid({1, 1, 768}, photo));
  BOOST_TEST(!grid({1, 197, 768}, {1, 16}));
  BOOST_TEST(!grid({1, 768}, photo));
}

BOOST_AUTO_TEST_CASE(channels_first_or_last) {
  const std::vector<std::int64_t> photo{1, 3, 224, 224}, wide{1, 3, 225, 300};
  BOOST_TEST(is(grid({1, 7, 7, 768}, photo), {7, 7, 0, true}));
  BOOST_TEST(is(grid({1, 768, 7, 7}, photo), {7, 7, 0, false}));
  BOOST_TEST(is(grid({1, 56, 56, 56}, photo), {56, 56, 0, false}));  // ambiguous
  BOOST_TEST(is(grid({1, 56, 56, 56}, photo, {.channels = ChannelAxis::last}), {56, 56, 0, true}));
  BOOST_TEST(is(grid({1, 7, 7, 768}, photo, {.channels = ChannelAxis::first}), {7, 768, 0, false}));
  // Strides that do not divide the image are rounded up or down.
  BOOST_TEST(is(grid({1, 8, 10, 96}, wide), {8, 10, 0, true}));
  BOOST_TEST(is(grid({1, 7, 9, 96}, wide), {7, 9, 0, true}));
  BOOST_TEST(is(grid({1, 96, 7, 9}, wide), {7, 9, 0, false}));
  BOOST_TEST(is(grid({1, 512, 7, 7}, {1, 3, 224, 448}), {7, 7, 0, false}));  // VGG's pooling: neither
  BOOST_TEST(is(grid({1, 8, 1, 6}, {1, 2, 6}), {1, 6, 0, false}));           // nothing to compare with
}

BOOST_AUTO_TEST_CASE(every_map_is_that_of_the_convolution) {
  // The numbers of the other suites, worked out there.
  const Tensor plus = square(2 / 3.0F, 7 / 12.0F, 0.5F, 5 / 12.0F);
  for (const Shown how : all) {
    const auto model = shown_as(how);
    const auto found = [&](const auto& method) {
      return Attribution{method}(model, image, Class{0}).attribution;
    };
    BOOST_TEST_CONTEXT(int(how)) {
      BOOST_TEST(difference(found(GradCAM{.layer = "here", .relu = false, .upsample = false}),
                            square(-0.5F, 0.5F, 1.5F, 2.5F)) < 1e-5);
      BOOST_TEST(difference(found(GradCAM{}), upsampled(square(0, 0.5F, 1.5F, 2.5F))) < 1e-5);
      BOOST_TEST(difference(found(LayerCAM{.upsample = false}), square(1, 1, 0, 4)) < 1e-5);
      BOOST_TEST(difference(found(GradCAMPlusPlus{.upsample = false}), plus) < 1e-5);
      const Tensor guided = upsampled(square(0, 0.5F, 1.5F, 2.5F)) *
                            Attribution<GuidedBackprop>()(model, image, Class{0}).attribution;
      BOOST_TEST(difference(found(GuidedGradCAM{}), guided) < 1e-5);
      BOOST_TEST(difference(found(LayerGradientXActivation{.layer = "here", .upsample = true}),
                            upsampled(square(-5, 1, 0, 4))) < 1e-5);
      BOOST_TEST(difference(found(LayerActivation{.layer = "here", .upsample = true}),
                            torch::full({1, 1, 4, 4}, 3.0F)) < 1e-5);
    }
  }
}

BOOST_AUTO_TEST_CASE(score_cam_of_tokens) {
  // A channel of zeros shows nothing, and of a black image a₁ is 3: S = 3·(−3 + 1 + 2 + 4)/10 = 1.2. The
  // others as for the convolution: −0.05 and 1.05.
  const Tensor weights = torch::tensor({1.0F, 0.0F, 0.0F, 1.0F, -3.0F, 1.0F, 2.0F, 4.0F}) / 10;
  const double w0 = std::exp(-0.05), w1 = std::exp(1.05), all_weights = w0 + w1 + 3 * std::exp(1.2);
  const Tensor sum = (w0 * square(1, 2, 3, 4) + w1 * square(2, 1, 0, -1)) / all_weights;
  for (const Shown how : {Shown::tokens, Shown::channels_last}) {
    const auto found =
        Attribution<ScoreCAM>({.relu = false, .upsample = false})(shown_as(how, weights), image, Class{0});
    BOOST_TEST(difference(found.attribution, sum) < 1e-5);
  }
}

BOOST_AUTO_TEST_CASE(layers_keep_their_shape_unless_upsampled) {
  const auto found = [&](const auto& method) {
    return Attribution{method}(shown_as(Shown::with_class), image, Class{0}).attribution;
  };
  // The class token 7·(2.5, 0.5, 0…) counts five times.
  const Tensor expected = torch::zeros({1, 5, 5});
  expected[0].narrow(1, 0, 2).copy_(
      torch::tensor({{87.5F, 17.5F}, {1.0F, -6.0F}, {0.0F, 1.0F}, {0.0F, 0.0F}, {4.0F, 0.0F}}));
  BOOST_TEST(difference(found(LayerGradientXActivation{.layer = "here"}), expected) < 1e-4);
  const auto conductance =
      Attribution<LayerConductance>({.layer = "here"})(shown_as(Shown::with_class), image, Class{0});
  BOOST_TEST((conductance.attribution.sizes() == torch::IntArrayRef{1, 5, 5}));
  // Upsampled, the class token's part is not on the image; the gap is that of the whole layer all the same.
  const auto upsampled = Attribution<LayerConductance>({.layer = "here", .upsample = true})(
      shown_as(Shown::with_class), image, Class{0});
  BOOST_TEST(difference(upsampled.completeness_gap, conductance.completeness_gap) == 0);
  const Tensor places = conductance.attribution.narrow(1, 1, 4).sum(2).view({1, 1, 2, 2});
  BOOST_TEST(difference(upsampled.attribution, ::upsampled(places)) < 1e-5);
}

BOOST_AUTO_TEST_CASE(the_layer_of_a_transformer) {
  // Only the class token goes on behind the last mean: the last layer whose places count is what it is the
  // mean of.
  for (const bool seen : {false, true}) {
    const auto model = transformer(seen);
    BOOST_TEST(last_spatial_layer(model, image, TopClass{}) == "blocks.1.norm");
    BOOST_TEST(last_spatial_layer(model, image, Layer{"blocks.0"}) == "blocks.0");
    BOOST_TEST(difference(Attribution<GradCAM>()(model, image).attribution,
                          Attribution<GradCAM>({.layer = "blocks.1.norm"})(model, image).attribution) == 0);
    BOOST_TEST(test::largest(Attribution<GradCAM>()(model, image).attribution) > 0);
    BOOST_TEST(test::largest(Attribution<GradCAM>({.layer = "norm"})(model, image).attribution) == 0);
    // A callable cannot be differentiated at a layer: the last that there is.
    const auto mine = [](const auto& m, const Images& x) { return m(x).sum(1); };
    BOOST_TEST(last_spatial_layer(model, image, mine) == "norm");
  }
}

BOOST_AUTO_TEST_CASE(attention_between_tokens_is_no_map) {
  // 5 tokens of 3 numbers: heads 1×2×5×3, attention 1×2×5×5.
  for (const bool patches_are_seen : {false, true}) {
    const auto model = transformer(patches_are_seen, true);
    const auto layers = model.layers(image);
    BOOST_TEST(std::any_of(layers.begin(), layers.end(), [](const LayerInfo& layer) {
      return layer.name == "blocks.1.attention" && layer.shape == std::vector<std::int64_t>{1, 2, 5, 5};
    }));
    BOOST_TEST(last_spatial_layer(model, image, TopClass{}) == "blocks.1.norm");
    BOOST_TEST(test::relative_difference(Attribution<GradCAM>()(model, image).attribution,
                                         Attribution<GradCAM>()(transformer(true), image).attribution) <
               1e-5);
  }
  // Of the proportions of the image, and not the square of the tokens: five rows of a photo 10×8 are a map.
  GridsInOrder grids({1, 3, 10, 8});
  BOOST_TEST(is(grids.next({1, 20, 7}), {5, 4, 0, true}));
  BOOST_TEST(is(grids.next({1, 6, 20, 16}), {20, 16, 0, false}));
  BOOST_TEST(!grids.next({1, 6, 20, 20}));
  BOOST_TEST(!grids.next({1, 6, 20, 7}));
  BOOST_TEST(!grids.next({2, 6, 5, 4}));
}

BOOST_AUTO_TEST_CASE(the_layout_is_that_of_the_layer_that_is_found) {
  // 36 tokens in front of 2×2 places: more than are looked for by the shape.
  const auto model = test::model_of([](const Tensor& x) {
    const Tensor places = torch::avg_pool2d(x, 2).flatten(2).transpose(1, 2);
    return mark("tokens", torch::cat({places.repeat({1, 9, 1}), places}, 1))
        .square()
        .sum({1, 2})
        .unsqueeze(1);
  });
  const LayerLayout layout{.leading_tokens = 36};
  const auto found = Attribution<LayerCAM>({.upsample = false, .layout = layout})(model, image, Class{0});
  // g = 2a: 2a².
  BOOST_TEST(difference(found.attribution, square(2, 8, 18, 32)) < 1e-5);
  BOOST_CHECK_EXCEPTION(Attribution<LayerCAM>()(model, image, Class{0}), Error, says({"no layer was named"}));
  BOOST_CHECK_EXCEPTION(Attribution<GuidedGradCAM>()(model, image, Class{0}), Error,
                        says({"GuidedGradCAM: no layer was named", "GuidedGradCAM{.layer"}));
}

BOOST_AUTO_TEST_CASE(tokens_of_another_grid_are_not_taken_for_maps) {
  // N×4×3 behind maps of 4×4 places: four channels by three numbers.
  const auto model = test::model_of([](const Tensor& x) {
    const Tensor maps = mark("maps", x.square());
    return mark("pooled", maps.mean({2, 3}).view({-1, 1, 1}).expand({-1, 4, 3}) * 1)
        .mean({1, 2})
        .unsqueeze(1);
  });
  BOOST_TEST(last_spatial_layer(model, image, TopClass{}) == "maps");
}

BOOST_AUTO_TEST_CASE(an_image_that_is_wide) {
  const auto model = test::model_of([](const Tensor& x) {
    const Tensor tokens = mark("here", torch::avg_pool2d(x, 2).flatten(2).transpose(1, 2) * 1);
    return tokens.square().sum({1, 2}).unsqueeze(1);
  });
  // 1×2 patches of means 1 and 2: the mean gradient is 3, the map (3, 6).
  const Images wide = torch::kron(torch::tensor({{1.0F, 2.0F}}), torch::ones({2, 2})).view({1, 1, 2, 4});
  const auto found = Attribution<GradCAM>({.upsample = false})(model, wide);
  BOOST_TEST(difference(found.attribution, torch::tensor({3.0F, 6.0F}).view({1, 1, 1, 2})) < 1e-6);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_folded) {
  const auto model = test::model_of([](const Tensor& x) {
    const Tensor tokens = x.flatten(2).transpose(1, 2);
    return mark("windows", torch::cat({tokens, tokens})).narrow(0, 0, x.size(0)).sum({1, 2}).unsqueeze(1) +
           mark("three", tokens.narrow(1, 0, 3) * 1).sum({1, 2}).unsqueeze(1);
  });
  const auto cam = [&](const std::string& layer, const LayerLayout& layout) {
    return Attribution<GradCAM>({.layer = layer, .layout = layout})(model, image);
  };
  BOOST_CHECK_EXCEPTION(
      cam("three", {}), Error,
      says({"GradCAM: layer 'three'", "[1, 3, 1]", "[1, 1, 4, 4]", "N×T×C", "leading_tokens"}));
  BOOST_CHECK_EXCEPTION(cam("three", {.leading_tokens = 1}), Error, says({"'three'"}));
  BOOST_CHECK_EXCEPTION(cam("windows", {}), Error,
                        says({"'windows'", "[2, 16, 1]", "for 1 images", "one row"}));
}

BOOST_AUTO_TEST_SUITE_END()
