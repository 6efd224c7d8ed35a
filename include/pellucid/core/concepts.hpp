#pragma once
#include <concepts>
#include <cstdint>
#include <string>
#include <vector>

#include <pellucid/core/torch.hpp>

namespace pellucid {

/// A model: callable, images → scores N×K (before softmax). `adapt()` and `load_script()` make one; any
/// callable of this shape is one too.
template <class M>
concept Model = requires(const M& model, const Images& images) {
  { model(images) } -> std::convertible_to<Tensor>;
};

/// A model that lets its layers be seen: `observe(images, layers)` gives their outputs, in order, each a
/// tensor in the autograd graph. The layer "" is the whole model, whose output is the scores.
template <class M>
concept LayeredModel = Model<M> &&
    requires(const M& model, const Images& images, const std::vector<std::string>& layers) {
  { model.observe(images, layers) } -> std::convertible_to<std::vector<Tensor>>;
};

/// A model whose weights can be shuffled: `weighted_layers(images)` names the layers that have weights, in
/// the order in which they run, and `shuffled(layers, seed)` is the same model with the values of each of
/// their weights in another order. What is shuffled is not shared with the model, which stays as it is.
template <class M>
concept ShufflableModel = Model<M> &&
    requires(const M& model, const Images& images, const std::vector<std::string>& layers) {
  { model.weighted_layers(images) } -> std::convertible_to<std::vector<std::string>>;
  { model.shuffled(layers, std::uint64_t{}) } -> std::convertible_to<M>;
};

/// An objective that asks about one layer ("" for the scores): `layer` names it and `of(output)` turns its
/// output into one number per image.
template <class O>
concept LayerObjective = requires(const O& objective, const Tensor& output) {
  { objective.layer } -> std::convertible_to<std::string>;
  { objective.of(output) } -> std::convertible_to<Tensor>;
};

/// What is asked about a model: a LayerObjective, or any callable (model, images) → one number per image.
template <class O, class M>
concept ObjectiveOf = LayerObjective<O> ||
    requires(const O& objective, const M& model, const Images& images) {
  { objective(model, images) } -> std::convertible_to<Tensor>;
};

}  // namespace pellucid
