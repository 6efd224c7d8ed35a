#pragma once
#include <cstdint>
#include <optional>

#include <pellucid/optimizer/ascent.hpp>
#include <pellucid/optimizer/optimizer.hpp>
#include <pellucid/optimizer/regularizers/blur.hpp>
#include <pellucid/optimizer/regularizers/clip_contribution.hpp>
#include <pellucid/optimizer/regularizers/clip_norm.hpp>
#include <pellucid/optimizer/regularizers/jitter.hpp>
#include <pellucid/optimizer/regularizers/l2.hpp>
#include <pellucid/optimizer/regularizers/random_contrast.hpp>
#include <pellucid/optimizer/regularizers/random_rotation.hpp>
#include <pellucid/optimizer/regularizers/random_scale.hpp>

namespace pellucid {

/// What a preset is given by name: natural({.steps = 100, .height = 96, .width = 96}).
struct PresetOptions {
  std::optional<std::int64_t> steps{};  ///< 1 or more; left out: as many as the preset has
  std::int64_t height = 0;  ///< of images that are made from nothing, in pixels; 0: as the model crops
  std::int64_t width = 0;   ///< likewise
  std::uint64_t seed = 0;   ///< of the start and of what the regularizer draws
};

/// The four combinations that Yosinski et al. found by random search, in their units: pixels 0…255 around the
/// mean image, from N(0, 10²).
///
/// Yosinski et al., "Understanding neural networks through deep visualization", 2015, table 1.
namespace yosinski {

/// The stage that they all are.
using Preset = Optimizer<Ascent, Regularizer<L2, Blur, ClipNorm, ClipContribution>>;

namespace detail {
inline Preset preset(const PresetOptions& options, std::int64_t steps, const LearningRate& rate,
                     const L2& decay, const Blur& blur, double norm_percentile,
                     double contribution_percentile) {
  return Preset({.steps = options.steps.value_or(steps),
                 .learning_rate = rate,
                 .noise = 10,
                 .height = options.height,
                 .width = options.width,
                 .seed = options.seed,
                 .parameters = {.unit = 1.0 / 255}},
                Regularizer<L2, Blur, ClipNorm, ClipContribution>(decay, blur, {norm_percentile},
                                                                  {contribution_percentile}));
}
}  // namespace detail

/// Blurred and half of the pixels clipped: the object alone, in few colours.
inline Preset a(const PresetOptions& options = {}) {
  return detail::preset(options, 500, ProgressRate{.progress = 2, .limit = 100}, {0}, {0.5, 4}, 50, 0);
}

/// Strong decay: high frequencies, sharp patterns.
inline Preset b(const PresetOptions& options = {}) {
  return detail::preset(options, 750, 100, {0.3}, {0, 1}, 20, 0);
}

/// Wide blur: low frequencies, large shapes.
inline Preset c(const PresetOptions& options = {}) {
  return detail::preset(options, 1000, 100, {0.0001}, {1, 4}, 0, 0);
}

/// Only the tenth of the pixels that contributes most: sparse.
inline Preset d(const PresetOptions& options = {}) {
  return detail::preset(options, 1000, ProgressRate{.progress = 2, .limit = 1e8}, {0}, {0.5, 4}, 0, 90);
}

}  // namespace yosinski

/// What shows the network the image shifted, sized and turned a little and with less contrast, another way in
/// each step.
using RandomViews = Regularizer<Jitter, RandomScale, RandomRotation, Jitter, RandomContrast>;

/// Images by their Fourier coefficients in independent colours, seen under random views: the pictures that
/// are nearest to photos. Wider views, less contrast and a steeper falloff than in the source: what is made
/// then means the same to other networks more often; of a class most often with LogOdds as the objective.
///
/// 200 steps, at the size that the model crops to; the options say otherwise:
///
///   Images seen = natural({.height = 96, .width = 96})(model, Channel{"features.28", 42});
///
/// Olah, Mordvintsev & Schubert, "Feature visualization", Distill 2017.
inline Optimizer<AscentIn<Fourier>, RandomViews> natural(const PresetOptions& options) {
  return Optimizer<AscentIn<Fourier>, RandomViews>(
      {.steps = options.steps.value_or(200),
       .learning_rate = 0.05,
       .update = Adam{},
       .noise = 0.01,
       .height = options.height,
       .width = options.width,
       .seed = options.seed,
       .parameters = {.contrast = 0.04, .falloff = 1.75}},
      RandomViews({.pixels = 12}, {.least = 0.7, .most = 1.3}, {.degrees = 30}, {.pixels = 6},
                  {.least = 0.3, .most = 1}));
}

/// The same with so many steps.
inline Optimizer<AscentIn<Fourier>, RandomViews> natural(std::int64_t steps = 200) {
  return natural(PresetOptions{.steps = steps});
}

}  // namespace pellucid
