#pragma once
#include <pellucid/attribution/attribution.hpp>
#include <pellucid/attribution/relu_rule.hpp>
#include <pellucid/objective/average_over.hpp>
#include <pellucid/objective/differentiate.hpp>

namespace pellucid {

/// Deconvnet: the gradient, with what is negative stopped at every ReLU, whatever the ReLU's own input was,
///   R_in = max(R_out, 0)
/// where R is the gradient above and below the ReLU and x its input (ReLU6 and LeakyReLU alike). N×C×H×W.
/// Throws Error on a network without any, where it would be the plain gradient. Zeiler & Fergus, "Visualizing
/// and understanding convolutional networks", 2014.
struct Deconvnet {
  template <class M, class S>
  Tensor operator()(const M& model, const S& subject) const {
    return average_over(model, subject, {}, as_it_is(subject),
                        [](const M& m, const auto& part) {
                          const WithReluBackward rule{ReluBackward::deconvnet};
                          return differentiate(part.objective, m, part.images, rule).gradient;
                        })
        .mean;
  }
};

}  // namespace pellucid
