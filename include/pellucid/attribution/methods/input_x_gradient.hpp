#pragma once
#include <pellucid/attribution/methods/gradient.hpp>

namespace pellucid {

/// The image times the gradient of the objective:
///   A = x ⊙ ∂S(x)/∂x
/// For a linear model, what each pixel contributes to the score; N×C×H×W.
///
/// Shrikumar, Greenside, Shcherbina & Kundaje, "Not just a black box", 2016.
struct InputXGradient {
  template <class M, class S>
  Tensor operator()(const M& model, const S& subject) const {
    return subject.images * Gradient{}(model, subject);
  }
};

}  // namespace pellucid
