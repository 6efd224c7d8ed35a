#pragma once
/// What the methods of class activation maps share: GradCAM and its kin.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/attribution/attribution.hpp>
#include <pellucid/attribution/layer_grid.hpp>
#include <pellucid/image/resize.hpp>
#include <pellucid/objective/average_over.hpp>
#include <pellucid/objective/differentiate.hpp>

namespace pellucid {

namespace detail {

/// Of layers of tokens, in order, the last whose places the objective depends on: behind a transformer's last
/// attention only the class token counts. Empty where there is none.
template <class M, class O>
std::string last_that_counts(const std::vector<std::pair<std::string, LayerGrid>>& layers, const M& model,
                             const Images& image, const O& objective) {
  const Recorded recorded;
  std::vector<std::string> names{objective.layer};
  for (const auto& [name, grid] : layers) names.push_back(name);
  std::vector<Tensor> outputs = observe(model, leaf(image), names);
  const Tensor value = numbers_of(objective, widened(outputs[0], image), image.size(0)).sum();
  for (std::size_t i = layers.size(); i-- > 0 && value.requires_grad();) {
    if (!outputs[i + 1].requires_grad()) continue;
    const Tensor gradient = torch::autograd::grad({value}, {outputs[i + 1]}, {}, /*retain_graph=*/true,
                                                  /*create_graph=*/false, /*allow_unused=*/true)[0];
    if (gradient.defined() && folded(gradient, layers[i].second).any().template item<bool>())
      return layers[i].first;
  }
  return "";
}

}  // namespace detail

/// The last layer with more than one place that does not lie behind the one that is asked about: of N×C×h×w
/// and N×h×w×C; behind it, tokens N×T×C of the same grid whose places the objective depends on (ViT, whose
/// convolution is its first layer), or of any grid where there is nothing else; attention between tokens is
/// no such layer. `image` is one, which decides for all. Throws Error when there is none; `method` is whom
/// the layer is for, `layout` how its values lie.
template <class M, class O>
std::string last_spatial_layer(const M& model, const Images& image, const O& objective,
                               const std::string& method = "GradCAM", const LayerLayout& layout = {}) {
  std::string asked, last;
  bool shows_layers = LayeredModel<M>;
  if constexpr (LayerObjective<O>) asked = objective.layer;
  std::optional<LayerGrid> maps;
  std::vector<std::pair<std::string, LayerGrid>> tokens;
  if constexpr (requires { model.layers(image); }) {
    GridsInOrder grids(image.sizes(), layout);
    const auto layers = model.layers(image);
    shows_layers = !layers.empty();
    for (const auto& layer : layers) {
      const auto grid = grids.next(layer.shape);
      if (grid && grid->places() > 1) {
        if (layer.shape.size() == 4) {
          last = layer.name;
          maps = grid;
          tokens.clear();
        } else if (!maps || (maps->height == grid->height && maps->width == grid->width)) {
          tokens.emplace_back(layer.name, *grid);
        }
      }
      if (!asked.empty() && layer.name == asked) break;
    }
  }
  if (!tokens.empty()) {
    std::string counts = tokens.back().first;
    if constexpr (LayerObjective<O>)
      counts = detail::last_that_counts(tokens, model, image, select(objective, {0}));
    if (!counts.empty()) return counts;
    if (last.empty()) return tokens.back().first;
  }
  if (!shows_layers)
    throw Error(
        method +
        ": no layer was named, and this model shows none; load_script() or adapt() a module, mark() a "
        "place in a function, or take SmoothGrad or Occlusion, which need none");
  if (last.empty())
    throw Error(
        method +
        ": no layer was named, and none that gives N×C×h×w, N×h×w×C or tokens of a grid can be seen in "
        "this model" +
        (asked.empty() ? "" : " up to '" + asked + "'") + "; name one: " + method + "{.layer = \"layer4\"}");
  return last;
}

namespace detail {

/// A class activation map: one number for each place of a layer, made of its channels.
struct ClassActivation {
  std::string method;
  std::string layer;
  bool relu;
  bool upsample;
  LayerLayout layout;

  /// The layer that was named, or `last_spatial_layer` for the first of these images.
  template <class M, class S>
  std::string place(const M& model, const S& subject) const {
    if (!layer.empty()) return layer;
    return last_spatial_layer(model, subject.images.narrow(0, 0, 1), select(subject.objective, {0}), method,
                              layout);
  }

  /// A method with `place` in its options, for these images.
  template <class Method, class M, class S>
  Method settled(Method method, const M& model, const S& subject) const {
    method.layer = place(model, subject);
    return method;
  }

  /// A layer's values as maps N×C×h×w.
  Tensor maps(const Tensor& values, const Images& images, const std::string& place) const {
    return folded(values, images, layout, method + ": layer '" + place + "'");
  }

  /// The end of every method: N×1×h×w → what was asked for.
  Tensor finished(const Tensor& sum, const Images& images) const {
    const Tensor map = relu ? sum.relu() : sum;
    return upsample ? resize(map, images.size(2), images.size(3)) : map;
  }

  /// N×1×H×W from weigh(maps a, gradient ∂S/∂a), both N×C×h×w, → N×1×h×w.
  template <class M, class S, class Weigh>
  Tensor from_gradients(const M& model, const S& subject, const Weigh& weigh) const {
    if (upsample && subject.images.dim() != 4)
      throw Error(c10::str(method, ": inputs of shape ", subject.images.sizes(),
                           " have no height and width to bring the map to; ", method,
                           "{.upsample = false} gives it at the layer's size"));
    const std::string at = place(model, subject);
    const Tensor sum = average_over(model, subject, {}, as_it_is(subject), [&](const M& m, const auto& part) {
                         const LayerDerivative d = differentiate_at(at, part.objective, m, part.images);
                         return weigh(maps(d.output, part.images, at), maps(d.gradient, part.images, at));
                       }).mean;
    return finished(sum, subject.images);
  }
};

}  // namespace detail

}  // namespace pellucid
