#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/images.hpp>
#include <pellucid/image/resize.hpp>
#include <pellucid/objective/objective.hpp>

namespace pellucid {

/// How the channels of an attribution are one number for a pixel.
enum class PixelRank {
  magnitude,  ///< Σ_c |a_c|: how much a pixel counts, for or against (gradients, SmoothGrad, GuidedBackprop)
  value       ///< Σ_c a_c: how much it speaks for the objective (IntegratedGradients, InputXGradient, CAMs)
};

namespace detail {

/// Refuses attributions that do not belong to these images. `what` begins the message.
inline void check_attribution(const Tensor& attribution, const Images& images, const std::string& what) {
  const auto fits = [&] {
    if (!attribution.defined() || attribution.dim() != images.dim() || attribution.size(0) != images.size(0))
      return false;
    if (images.dim() == 2) return attribution.sizes() == images.sizes();
    if (attribution.size(1) != 1 && attribution.size(1) != images.size(1)) return false;
    for (std::int64_t d = 2; d < images.dim(); ++d)
      if (images.dim() == 4 ? attribution.size(d) > images.size(d) : attribution.size(d) != images.size(d))
        return false;
    return attribution.numel() > 0;
  };
  if (!fits())
    throw Error(
        what +
        c10::str(": an attribution ", attribution.defined() ? c10::str(attribution.sizes()) : "undefined",
                 " was given for images ", images.sizes(),
                 "; it must be of their shape, have one channel (N×1×H×W), or be a smaller map (N×1×h×w)"));
  if (!all_finite(attribution))
    throw Error(what + ": the attribution holds NaN or infinity; look at the model's scores");
}

/// The attribution at the size of the images: a smaller map is upsampled bilinearly, as GradCAM's is.
inline Tensor at_size_of(const Images& images, const Tensor& attribution) {
  const Tensor values = attribution.detach();
  return images.dim() == 4 ? resize(values, images.size(2), images.size(3)) : values;
}

/// N×C×… → N×places: one number for each pixel. Of N×D, which has no channels, one for each value.
inline Tensor of_pixels(const Tensor& attribution, PixelRank rank) {
  const Tensor values = rank == PixelRank::magnitude ? attribution.abs() : attribution;
  return values.dim() > 2 ? values.sum(1).flatten(1) : values;
}

/// How much each place of a map of these images counts: `of_pixels`; of a map of another shape (a layer's,
/// N×T×C or N×H×W×C) nothing tells which of its dimensions are channels, so each of its values is a place.
inline Tensor magnitudes(const Tensor& attribution, const Images& images) {
  const bool pixels = attribution.dim() == images.dim() &&
                      attribution.sizes().slice(2) == images.sizes().slice(2) &&
                      (attribution.size(1) == 1 || attribution.size(1) == images.size(1));
  return pixels ? of_pixels(attribution, PixelRank::magnitude) : attribution.abs().flatten(1);
}

/// What the objective says of a subject's images, N. Throws Error for NaN and infinity.
template <class M, class S>
Tensor answers(const M& model, const S& subject) {
  const Tensor values = evaluate(subject.objective, model, subject.images).detach();
  check_finite(values, "the objective",
               "the model's weights or its preprocessing are damaged, or its numbers overflow",
               subject.numbers);
  return values;
}

}  // namespace detail

}  // namespace pellucid
