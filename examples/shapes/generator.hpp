#pragma once
/// A world of pictures with known answers: each shows one shape, and what belongs to it is known to the
/// pixel.

#include <pellucid/core/torch.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace shapes {

using torch::Tensor;

/// How much there is besides the shape.
enum class Level {
  plain,       ///< one colour for the shape, one for the background
  textured,    ///< stripes, checks, dots, blotches and gradients on both
  distracting  ///< and lines, scribbles and patches of noise behind the shape
};

struct SceneOptions {
  std::int64_t size = 64;  ///< of a side, in pixels; 32 to 256
  Level level = Level::distracting;
  std::int64_t label = -1;            ///< the shape to show; −1: drawn by lot
  double watermark_share = 0;         ///< of the pictures that carry the watermark, whatever their shape
  std::int64_t watermark_class = -1;  ///< all pictures of this shape carry the watermark, and no other does
};

/// One picture and what is known of it.
struct Scene {
  Tensor image{};  ///< float 3×S×S in [0, 1]
  Tensor mask{};   ///< bool S×S: the pixels of the shape (covered by half or more)
  std::int64_t label = 0;
  Tensor watermark_mask{};  ///< bool S×S: the pixels of the watermark; all false without one
};

/// Several of them.
struct Scenes {
  Tensor images{};           ///< float N×3×S×S in [0, 1]
  Tensor masks{};            ///< bool N×S×S
  Tensor labels{};           ///< int64 N
  Tensor watermark_masks{};  ///< bool N×S×S
};

/// The shapes by their labels. They stay what they are under any rotation.
const std::vector<std::string>& names();

/// The picture with this number in the world of this seed: a function of these and the options alone.
///
/// The watermark lies in the corner at the right and the bottom, where no shape ever is, and covers 1.6 % of
/// the picture. The same picture with and without it differs in those pixels only.
/// Throws pellucid::Error on options out of range.
Scene scene(std::uint64_t seed, std::uint64_t number, const SceneOptions& options = {});

/// The pictures with the numbers from `first` on.
Scenes scenes(std::uint64_t seed, std::uint64_t first, std::int64_t count, const SceneOptions& options = {});

/// The seed of the pictures that no network is trained on.
inline constexpr std::uint64_t held_out = 0;

}  // namespace shapes
