#pragma once
#include <string>
#include <vector>

#include <pellucid/core/concepts.hpp>
#include <pellucid/core/error.hpp>

namespace pellucid {

/// The outputs of layers of any model; "" is the scores, which every model has.
template <class M>
std::vector<Tensor> observe(const M& model, const Images& images, const std::vector<std::string>& layers) {
  if constexpr (LayeredModel<M>) {
    return model.observe(images, layers);
  } else {
    for (const std::string& layer : layers)
      if (!layer.empty())
        throw Error("this model is a plain callable, in which no layer '" + layer +
                    "' can be seen; give pellucid::adapt(model) instead");
    return std::vector<Tensor>(layers.size(), model(images));
  }
}

/// Asks the objective: (model, images) → one number per image.
template <class O, class M>
requires ObjectiveOf<O, M> Tensor evaluate(const O& objective, const M& model, const Images& images) {
  Tensor values;
  if constexpr (LayerObjective<O>) {
    values = objective.of(observe(model, images, {objective.layer})[0]);
  } else {
    values = objective(model, images);
  }
  if (values.dim() != 1 || values.size(0) != images.size(0))
    throw Error(c10::str("the objective gives a tensor of shape ", values.sizes(), " for ", images.size(0),
                         " images; one number per image is expected, shape [", images.size(0), "]"));
  return values.to(images.device());
}

/// The objective with everything settled that depends on the image it is asked about (the top class, the
/// place of the strongest response), so that it means the same for noisy variants of that image.
template <class O, class M>
auto resolve(const O& objective, const M& model, const Images& images) {
  if constexpr (requires { objective.check(images.size(0)); }) objective.check(images.size(0));
  if constexpr (requires { objective.resolve(model, images); }) {
    return objective.resolve(model, images);
  } else {
    return objective;
  }
}

}  // namespace pellucid
