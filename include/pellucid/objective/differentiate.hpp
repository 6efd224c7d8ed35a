#pragma once
#include <concepts>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/core/average.hpp>
#include <pellucid/core/recorded.hpp>
#include <pellucid/objective/objective.hpp>

namespace pellucid {

/// The plain chain rule: nothing in the graph is changed.
struct ChainRule {
  void operator()(const Tensor&) const {}
};

/// The values of an objective, N, and their gradient with respect to something.
struct Derivative {
  Tensor value{};     ///< N, without a graph
  Tensor gradient{};  ///< in the shape of what it is with respect to: N×…
};

namespace detail {

/// The images as the beginning of a graph.
inline Tensor leaf(const Images& images) {
  return (images.is_inference() ? images.clone() : images.detach()).requires_grad_();
}

/// ∂ Σ values / ∂ input. Images do not influence one another, so this is each value's own gradient.
inline Tensor gradient_of(const Tensor& values, const Tensor& input, const std::string& what) {
  Tensor gradient;
  try {
    if (values.requires_grad() && input.requires_grad())
      gradient = torch::autograd::grad({values.sum()}, {input}, /*grad_outputs=*/{}, /*retain_graph=*/{},
                                       /*create_graph=*/false, /*allow_unused=*/true)[0];
  } catch (const c10::Error& error) {
    if (is_out_of_memory(error)) throw;
    throw Error("the gradient with respect to the " + what +
                " could not be computed: " + first_line(error.what_without_backtrace()));
  }
  if (!gradient.defined())
    throw Error(
        "the objective does not depend on the " + what +
        ": there is no path between them in the graph (is the forward pass under NoGradGuard or "
        "InferenceMode, does it detach() or round its input, or does the layer lie behind what is asked "
        "about?)");
  return gradient;
}

/// Whether the objective of a subject is one whose layer can be differentiated at; where it is not, the
/// compiler says so in a sentence.
template <class S>
constexpr bool about_a_layer() {
  constexpr bool is = LayerObjective<decltype(S::objective)>;
  static_assert(
      is,
      "GradCAM, and every method that differentiates at a layer, needs an objective about a layer or "
      "the scores (TopClass, Class, Channel, Neuron, Layer, ...): a plain callable runs the model "
      "itself, and the layer of that pass cannot be seen.");
  return is;
}

}  // namespace detail

/// ∂ objective / ∂ images, for each image of one micro-batch.
///
/// `rule(values)` may change how the graph differentiates before it does. By the plain chain rule a model
/// that has `derivative(objective, images)` is asked for it. Throws Error when no path leads from the
/// objective to the images.
template <class O, class M, class Rule = ChainRule>
Derivative differentiate(const O& objective, const M& model, const Images& images, const Rule& rule = {}) {
  if constexpr (std::same_as<Rule, ChainRule> &&
                requires { Derivative(model.derivative(objective, images)); })
    return model.derivative(objective, images);
  const detail::Recorded recorded;
  const Tensor input = detail::leaf(images);
  const Tensor values = evaluate(objective, model, input);
  rule(values);
  return {values.detach(), detail::gradient_of(values, input, "images")};
}

/// ∂ objective / ∂ a layer's output, with that output.
struct LayerDerivative {
  Tensor value{};     ///< N, of the objective
  Tensor output{};    ///< N×…, of the layer
  Tensor gradient{};  ///< in the output's shape
};

/// ∂ objective / ∂ the output of a layer, from one forward pass.
template <LayerObjective O, class M>
LayerDerivative differentiate_at(const std::string& layer, const O& objective, const M& model,
                                 const Images& images) {
  const detail::Recorded recorded;
  const Tensor input = detail::leaf(images);
  const std::vector<Tensor> seen = observe(model, input, {layer, objective.layer});
  const Tensor values = detail::numbers_of(objective, detail::widened(seen[1], images), images.size(0));
  const Tensor gradient = detail::gradient_of(values, seen[0], "layer '" + layer + "'");
  const auto given_back = [&](const Tensor& found) {
    return detail::widened(found.detach(), images).to(images.device());
  };
  return {given_back(values), given_back(seen[0]), given_back(gradient)};
}

}  // namespace pellucid
