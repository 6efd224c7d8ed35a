#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/recorded.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/model/recording.hpp>

namespace pellucid {

/// One layer's output is computed from another's, with no listed layer between.
struct LayerEdge {
  std::string from{};  ///< empty: the images
  std::string to{};    ///< a listed layer

  bool operator==(const LayerEdge&) const = default;
};

namespace detail {

/// Whether a name is that of a module which the other is within: `layer1` of `layer1.0.conv1`.
inline bool contains_layer(const std::string& module, const std::string& layer) {
  const std::string inner = without_call(layer), outer = without_call(module);
  return inner.size() > outer.size() && inner.starts_with(outer) && inner[outer.size()] == '.';
}

/// A tensor's place in the autograd graph: the operator that gave it, and which of its results it is.
using Place = std::pair<const torch::autograd::Node*, std::uint32_t>;

/// The names at the places that an operator's gradient goes to first.
class NearestPlaces {
 public:
  explicit NearestPlaces(const std::map<Place, std::string>& names) : names_(names) {}

  /// In the order in which they are found, each once.
  std::vector<std::string> below(const torch::autograd::Node* node) {
    found_.clear();
    seen_.clear();
    std::vector<const torch::autograd::Node*> open{node};
    while (!open.empty()) {
      const torch::autograd::Node* const next = open.back();
      open.pop_back();
      for (const torch::autograd::Edge& edge : next->next_edges()) {
        if (!edge.is_valid()) continue;
        const auto named = names_.find({edge.function.get(), edge.input_nr});
        if (named != names_.end()) {
          if (std::find(found_.begin(), found_.end(), named->second) == found_.end())
            found_.push_back(named->second);
        } else if (seen_.insert(edge.function.get()).second) {
          open.push_back(edge.function.get());
        }
      }
    }
    return std::move(found_);
  }

 private:
  const std::map<Place, std::string>& names_;
  std::vector<std::string> found_{};
  std::set<const torch::autograd::Node*> seen_{};
};

}  // namespace detail

/// How the layers of a model hang together: the network as a graph, for a drawing of it.
///
///   const auto layers = model.layers(images);
///   for (const LayerEdge& edge : layer_edges(model, images, layers)) …
///
/// Found by one forward pass, along the way that gradients go back: an edge for each layer that another's
/// output is computed from without a layer between. A container that only hands on what a layer within it
/// gives has no edges; what it adds itself (a residual block's sum) is a node like any other. A layer that
/// gives what it is given (Dropout) has that as its source. What no gradient goes through (an argmax) has no
/// edges.
///
/// images N×…: as for `layers`, of which a few or all are given. Throws Error on layers that the model does
/// not have.
template <class M>
std::vector<LayerEdge> layer_edges(const M& model, const Images& images,
                                   const std::vector<LayerInfo>& layers) {
  const detail::Recorded recorded;
  const Images input = images.detach().requires_grad_();
  std::vector<std::string> names;
  for (const LayerInfo& layer : layers) names.push_back(layer.name);
  const std::vector<Tensor> outputs = model.observe(input, names);

  std::map<detail::Place, std::string> at;
  at[{torch::autograd::impl::gradient_edge(input).function.get(), 0}] = "";
  std::vector<LayerEdge> edges;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!outputs[i].requires_grad()) continue;
    const torch::autograd::Edge edge = torch::autograd::impl::gradient_edge(outputs[i]);
    const detail::Place place{edge.function.get(), edge.input_nr};
    const auto same = at.find(place);
    if (same == at.end()) {
      for (std::string& from : detail::NearestPlaces(at).below(edge.function.get()))
        edges.push_back({std::move(from), names[i]});
    } else if (detail::contains_layer(names[i], same->second)) {
      continue;
    } else {
      edges.push_back({same->second, names[i]});
    }
    at[place] = names[i];
  }
  return edges;
}

}  // namespace pellucid
