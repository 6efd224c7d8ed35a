#pragma once
#include <string>
#include <utility>

#include <pellucid/attribution/attribution.hpp>
#include <pellucid/image/resize.hpp>
#include <pellucid/objective/average_over.hpp>
#include <pellucid/objective/differentiate.hpp>

namespace pellucid {

/// The last layer that gives N×C×h×w with more than one place, and does not lie behind the layer `asked` (""
/// for the scores). Throws Error when there is none.
template <class M>
std::string last_spatial_layer(const M& model, const Images& image, const std::string& asked) {
  std::string last;
  if constexpr (requires { model.layers(image); }) {
    for (const auto& layer : model.layers(image)) {
      if (layer.shape.size() == 4 && layer.shape[2] * layer.shape[3] > 1) last = layer.name;
      if (!asked.empty() && layer.name == asked) break;
    }
  }
  if (last.empty())
    throw Error("GradCAM: no layer was named, and none that gives N×C×h×w can be seen in this model" +
                (asked.empty() ? "" : " up to '" + asked + "'") + "; name one: GradCAM{.layer = \"layer4\"}");
  return last;
}

/// Grad-CAM: where a layer's channels respond, each weighted by how much it counts for the objective,
///   A = ReLU(Σ_c α_c a_c),   α_c = 1/HW Σ_yx ∂S/∂a_cyx
/// upsampled to the image (bilinearly): N×1×H×W, or N×1×h×w of the layer. The layer must give N×C×h×w; left
/// out, it is `last_spatial_layer`. Throws Error when no layer does.
///
/// Selvaraju, Cogswell, Das, Vedantam, Parikh & Batra, "Grad-CAM: visual explanations from deep networks",
/// 2017.
struct GradCAM {
  std::string layer{};   ///< whose channels are looked at
  bool relu = true;      ///< keep only what speaks for the objective
  bool upsample = true;  ///< to the size of the image

  template <class M, class S>
  Tensor operator()(const M& model, const S& subject) const {
    constexpr bool about_a_layer = LayerObjective<decltype(subject.objective)>;
    static_assert(about_a_layer,
                  "GradCAM needs an objective about a layer or the scores (TopClass, Class, Channel, Neuron, "
                  "Layer, ...): a plain callable runs the model itself, and the layer of that pass cannot be "
                  "seen.");
    if constexpr (about_a_layer) return of(model, subject);
  }

 private:
  template <class M, class S>
  Tensor of(const M& model, const S& subject) const {
    if (upsample && subject.images.dim() != 4)
      throw Error(
          c10::str("GradCAM: inputs of shape ", subject.images.sizes(),
                   " have no height and width to bring the map to; GradCAM{.upsample = false} gives it at "
                   "the layer's size"));
    const std::string place =
        layer.empty() ? last_spatial_layer(model, subject.images.narrow(0, 0, 1), subject.objective.layer)
                      : layer;
    const Tensor map =
        average_over(model, subject, {}, as_it_is(subject), [&](const M& m, const auto& part) {
          const LayerDerivative d = differentiate_at(place, part.objective, m, part.images);
          if (d.output.dim() != 4)
            throw Error(c10::str("GradCAM: layer '", place, "' gives a tensor of shape ", d.output.sizes(),
                                 "; a layer N×C×H×W is needed, such as a convolution"));
          const Tensor sum = (d.gradient.mean({2, 3}, true) * d.output).sum(1, true);
          return relu ? sum.relu() : sum;
        }).mean;
    return upsample ? resize(map, subject.images.size(2), subject.images.size(3)) : map;
  }
};

}  // namespace pellucid
