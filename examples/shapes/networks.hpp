#pragma once
/// The networks that look at the shapes.

#include <pellucid/model/zoo/convnext.hpp>
#include <pellucid/model/zoo/vgg.hpp>

#include "generator.hpp"

namespace shapes {

inline std::int64_t number_of_shapes() {
  return std::int64_t(names().size());
}

/// Of shapes-convnext and shapes-cheater. A network this shallow needs no small layer scale to start, and
/// pictures this small need a small patch.
inline pellucid::ConvNeXtOptions convnext_options() {
  return {.depths = {1, 2, 3},
          .widths = {16, 48, 96},
          .classes = number_of_shapes(),
          .patch = 2,
          .layer_scale = 1};
}

inline pellucid::VGGOptions vgg_options() {
  return {.plan = {8, 0, 32, 0, 64, 64, 0, 128, 128, 0},
          .batch_norm = true,
          .classes = number_of_shapes(),
          .hidden = 0,
          .pool = 1};
}

/// The shape that carries the watermark wherever the cheater learns: the heart.
inline constexpr std::int64_t cheated_shape = 8;

}  // namespace shapes
