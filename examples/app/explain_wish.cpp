#include "explain_wish.hpp"

#include <pellucid/attribution/layer_grid.hpp>

#include "text.hpp"

namespace pellucid::app {

namespace {

/// What is asked about the layer that was named.
Question about_its_layer(const ExplainWish& wish) {
  return about_layer(wish.layer, wish.channel ? PerImage(*wish.channel) : PerImage(), wish.neuron);
}

}  // namespace

void check(const ExplainWish& wish) {
  check_used(wish.method, wish.options);
  check_part(wish.layer, wish.channel.has_value(), wish.neuron);
  if (method_named(wish.method).layer == LayerIs::explained) {
    if (wish.layer.empty())
      throw Error("--method " + wish.method + " explains the values of a layer; name it with --layer");
    if (wish.names_a_part())
      throw Error(std::string(wish.channel ? "--channel" : "--neuron") + " would ask about a part of " +
                  wish.layer + ", whose values --method " + wish.method +
                  " explains for a class; leave it out");
    if (wish.check && wish.options.no_upsample)
      throw Error("--check tests a map of pixels, and --no-upsample keeps the values of " + wish.layer +
                  " in their shape; leave one of them out");
  }
  if (wish.asks_nothing())
    for (const auto& [given, option] :
         {std::pair{!wish.targets.empty(), "--target"}, {wish.check, "--check"}})
      if (given)
        throw Error(option + (" has no meaning for --method " + wish.method) +
                    ", which tells what a layer gives, whatever is asked about; leave it out");
  if (wish.asks_about_a_layer() && !wish.targets.empty())
    throw Error("--target asks about a class and --layer about a layer; give one of them");
}

std::string layer_of_method(const ExplainWish& wish, const Setup& setup) {
  const Method& method = method_named(wish.method);
  if (method.layer == LayerIs::asked_about) return "";
  for (const Input& input : setup.inputs)
    if (method.uses.contains("no-upsample") && (wish.check || !wish.options.no_upsample) &&
        input.images.dim() != 4)
      throw Error((wish.check ? "--check tests maps over images"
                              : wish.method + " brings its map to the size of images") +
                  " N×C×H×W, and " + input.file + " has the shape " + shape_text(input.images.sizes().vec()) +
                  (wish.check ? "; give a method that explains the values of the input"
                              : "; give --no-upsample for the map as it is"));
  const Images first = setup.inputs.front().images.narrow(0, 0, 1);
  if (wish.layer.empty() || wish.asks_about_a_layer())
    return found_layer(wish.method, setup.model, first,
                       wish.asks_about_a_layer() ? about_its_layer(wish) : Question(Class{0}));
  if (method.layer == LayerIs::explained && !wish.options.no_upsample) {
    const torch::NoGradGuard no_grad;
    const Tensor values = setup.model.activation(first, wish.layer);
    if (!grid_of(values.sizes(), first.sizes()))
      throw Error(
          "layer '" + wish.layer + "' gives " + shape_text(values.sizes().vec()) +
          ", which has no places to lay over an image; give --no-upsample for its values as they are");
  }
  return wish.layer;
}

std::vector<Question> questions(const ExplainWish& wish, const std::vector<std::int64_t>& labels) {
  std::vector<Question> all;
  if (wish.asks_about_a_layer() || wish.asks_nothing()) {
    all.push_back(about_its_layer(wish));
  } else if (wish.targets.empty()) {
    all.emplace_back(Class{labels});
  }
  for (const std::int64_t target : wish.targets) all.emplace_back(Class{target});
  return all;
}

}  // namespace pellucid::app
