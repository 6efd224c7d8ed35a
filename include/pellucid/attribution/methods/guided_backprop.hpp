#pragma once
#include <pellucid/attribution/attribution.hpp>
#include <pellucid/attribution/relu_rule.hpp>
#include <pellucid/objective/average_over.hpp>
#include <pellucid/objective/differentiate.hpp>

namespace pellucid {

/// Guided backpropagation: the gradient, with what is negative stopped at every ReLU,
///   R_in = max(R_out, 0) · [x > 0]
/// where R is the gradient above and below the ReLU and x its input; a ReLU6 or LeakyReLU has its own
/// derivative for [x > 0]. N×C×H×W.
/// Throws Error on a network without any, where it would be the plain gradient. Sharp, and close to edge
/// detection: it changes little when the upper layers are randomised (Adebayo et al. 2018).
///
/// Springenberg, Dosovitskiy, Brox & Riedmiller, "Striving for simplicity: the all convolutional net", 2014.
struct GuidedBackprop {
  template <class M, class S>
  Tensor operator()(const M& model, const S& subject) const {
    return average_over(model, subject, {}, as_it_is(subject),
                        [](const M& m, const auto& part) {
                          const WithReluBackward rule{ReluBackward::guided};
                          return differentiate(part.objective, m, part.images, rule).gradient;
                        })
        .mean;
  }
};

}  // namespace pellucid
