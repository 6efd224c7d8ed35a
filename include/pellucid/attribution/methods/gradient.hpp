#pragma once
#include <pellucid/attribution/attribution.hpp>
#include <pellucid/objective/average_over.hpp>
#include <pellucid/objective/differentiate.hpp>

namespace pellucid {

/// The gradient of the objective with respect to the image (saliency):
///   A = ∂S(x)/∂x
/// Signed, in units of score per pixel value, N×C×H×W; a picture shows its magnitude.
///
/// Simonyan, Vedaldi & Zisserman, "Deep inside convolutional networks", 2013.
struct Gradient {
  template <class M, class S>
  Tensor operator()(const M& model, const S& subject) const {
    return average_over(model, subject, {}, as_it_is(subject),
                        [](const M& m, const auto& part) {
                          return differentiate(part.objective, m, part.images).gradient;
                        })
        .mean;
  }
};

}  // namespace pellucid
