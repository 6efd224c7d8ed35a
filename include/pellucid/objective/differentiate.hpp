#pragma once
#include <string>
#include <utility>
#include <vector>

#include <pellucid/objective/objective.hpp>

namespace pellucid {

/// The plain chain rule: nothing in the graph is changed.
struct ChainRule {
  void operator()(const Tensor&) const {}
};

/// The values of an objective, N, and their gradient with respect to something.
struct Derivative {
  Tensor value{};
  Tensor gradient{};
};

namespace detail {

/// ∂ Σ values / ∂ input. Images do not influence one another, so this is each value's own gradient.
inline Tensor gradient_of(const Tensor& values, const Tensor& input, const std::string& what) {
  Tensor gradient;
  if (values.requires_grad())
    gradient = torch::autograd::grad({values.sum()}, {input}, /*grad_outputs=*/{}, /*retain_graph=*/{},
                                     /*create_graph=*/false, /*allow_unused=*/true)[0];
  if (!gradient.defined())
    throw Error(
        "the objective does not depend on the " + what +
        ": there is no path between them in the graph (is the forward pass under NoGradGuard, or does it "
        "detach() or round its input?)");
  return gradient;
}

}  // namespace detail

/// ∂ objective / ∂ images, for each image of one micro-batch.
///
/// `rule(values)` may change how the graph differentiates before it does. Throws Error when no path leads
/// from the objective to the images.
template <class O, class M, class Rule = ChainRule>
Derivative differentiate(const O& objective, const M& model, const Images& images, const Rule& rule = {}) {
  const torch::AutoGradMode on(true);
  const Tensor input = images.detach().requires_grad_();
  const Tensor values = evaluate(objective, model, input);
  rule(values);
  return {values.detach(), detail::gradient_of(values, input, "images")};
}

/// ∂ objective / ∂ a layer's output, with that output.
struct LayerDerivative {
  Tensor value{};
  Tensor output{};
  Tensor gradient{};
};

/// ∂ objective / ∂ the output of a layer, from one forward pass.
template <LayerObjective O, class M>
LayerDerivative differentiate_at(const std::string& layer, const O& objective, const M& model,
                                 const Images& images) {
  const torch::AutoGradMode on(true);
  const Tensor input = images.detach().requires_grad_();
  const std::vector<Tensor> seen = observe(model, input, {layer, objective.layer});
  const Tensor values = objective.of(seen[1]);
  return {values.detach(), seen[0].detach(), detail::gradient_of(values, seen[0], "layer '" + layer + "'")};
}

}  // namespace pellucid
