#pragma once
#include <concepts>
#include <cstdint>

#include <pellucid/core/noise.hpp>
#include <pellucid/core/torch.hpp>

namespace pellucid {

/// One step of an optimization, as the parts of a regularizer see it.
struct Step {
  std::int64_t number = 1;  ///< from 1
  Tensor gradient{};  ///< N×C×H×W, ∂ objective / ∂ images before the step; in units of `after`'s images
  std::uint64_t seed = 0;  ///< of this part in this run

  /// A number from [least, most), another for each `which` and in each step.
  double random(double least, double most, std::uint64_t which = 0) const {
    return least + (most - least) * uniform(seed, 8 * std::uint64_t(number) + which);
  }
};

/// A part that changes the images after a step, such as a blur. Images N×C×H×W with the mean image taken off:
/// 0 is the mean.
template <class Part>
concept Projection = requires(const Part& part, const Tensor& centered, const Step& step) {
  { part.after(centered, step) } -> std::convertible_to<Tensor>;
};

/// A part that is a price for being unnatural, subtracted from the objective: images with the mean image
/// taken off, N×C×H×W → one number per image. Differentiable.
template <class Part>
concept Penalty = requires(const Part& part, const Tensor& centered) {
  { part.penalty(centered) } -> std::convertible_to<Tensor>;
};

/// A part that shows the network the images in another way in each step, such as shifted a little: images
/// N×C×H×W in pixels. Differentiable.
template <class Part>
concept Transformation = requires(const Part& part, const Images& images, const Step& step) {
  { part.shown(images, step) } -> std::convertible_to<Tensor>;
};

/// What a Regularizer is made of.
template <class Part>
concept RegularizerPart = std::copy_constructible<Part> &&
    (Projection<Part> || Penalty<Part> || Transformation<Part>);

/// What published prices depend on: which layer is inverted, and how large the image is.
struct Inverted {
  double depth = 1;         ///< of the layer: which share of the network's layers comes before it, or is it
  std::int64_t values = 0;  ///< of an image: C·H·W
};

}  // namespace pellucid
