#pragma once
#include <string>
#include <vector>

#include <pellucid/core/concepts.hpp>
#include <pellucid/core/error.hpp>
#include <pellucid/core/images.hpp>
#include <pellucid/core/remedy.hpp>
#include <pellucid/objective/rows.hpp>

namespace pellucid {

/// The outputs of layers of any model; "" is the scores, which every model has.
template <class M>
std::vector<Tensor> observe(const M& model, const Images& images, const std::vector<std::string>& layers) {
  if constexpr (LayeredModel<M>) {
    return detail::run_on(images, [&]() -> std::vector<Tensor> { return model.observe(images, layers); });
  } else {
    for (const std::string& layer : layers)
      if (!layer.empty())
        throw Error("this model is a plain callable, in which no layer '" + layer +
                    "' can be seen; adapt() a module or load_script() the file; a function needs mark(), and "
                    "a type of yours the member observe(images, layers)");
    return detail::run_on(images, [&] { return std::vector<Tensor>(layers.size(), model(images)); });
  }
}

/// The output of one layer, as methods compute with it.
template <class M>
Tensor output_of(const M& model, const Images& images, const std::string& layer) {
  return detail::widened(observe(model, images, {layer})[0], images);
}

/// Asks the objective: (model, images) → one number per image.
///
/// Throws Error for numbers of another shape, where an objective of one's own cannot be asked about so many
/// images, and where an objective about a layer that has no select(rows) gives an image another number when
/// it stands in another row: what is held of each image (labels, targets) needs it, since the rows of a pass
/// are variants of images, or a part of them.
template <class O, class M>
requires ObjectiveOf<O, M> Tensor evaluate(const O& objective, const M& model, const Images& images) {
  if constexpr (LayerObjective<O>) {
    const Tensor output = output_of(model, images, objective.layer);
    return detail::numbers_of(objective, output, images.size(0)).to(images.device());
  } else {
    return detail::numbers<O>(images.size(0), [&]() -> Tensor { return objective(model, images); })
        .to(images.device());
  }
}

/// The objective with everything settled that depends on the image it is asked about (the top class, the
/// place of the strongest response), so that it means the same for noisy variants of that image. A callable
/// objective, which has nothing to settle, is asked once about one image in several rows: Error where it
/// gives another number in another row.
template <class O, class M>
auto resolve(const O& objective, const M& model, const Images& images) {
  if constexpr (requires { objective.check(images.size(0)); }) objective.check(images.size(0));
  if constexpr (requires { objective.resolve(model, images); }) {
    return objective.resolve(model, images);
  } else {
    if constexpr (!LayerObjective<O>) detail::check_callable(objective, model, images);
    return objective;
  }
}

}  // namespace pellucid
