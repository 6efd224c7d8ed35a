#include <pellucid/activation/unit_gradients.hpp>
#include <pellucid/attribution/layer_grid.hpp>
#include <pellucid/render/unit_grid.hpp>

#include "activations.hpp"
#include "json.hpp"
#include "progress_line.hpp"
#include "sheets.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

struct Driven : Looked {
  std::string layer{};
  UnitGradients units{};
  double largest(std::size_t unit) const {
    return units.gradients[std::int64_t(unit)].abs().max().item<double>();
  }
  Json place(std::size_t unit) const { return units.y.empty() ? Json() : Json{units.y[unit], units.x[unit]}; }
};

/// The units of a layer that are looked at: those asked for, or the strongest.
Neuron units_of(const ActivationsWish& wish, const AnyModel& model, const Images& image,
                const std::string& layer) {
  const torch::NoGradGuard no_grad;
  const Tensor output = model.activation(image, layer);
  if ((output.dim() != 2 && output.dim() != 4) || output.size(0) != 1)
    throw Error("--gradients: layer '" + layer + "' gives " + shape_text(output.sizes().vec()) +
                "; units are those of a layer N×K or N×C×H×W");
  if (const auto grid = grid_of(output.sizes(), image.sizes()); grid && grid->channels_last)
    throw Error("--gradients: layer '" + layer + "' gives " + shape_text(output.sizes().vec()) +
                ", its channels last, and units are those of a layer N×C×H×W; name a layer before or behind "
                "it that gives such (`pellucid layers` lists them), or leave --gradients out");
  const Tensor maps = output[0].reshape({output.size(1), -1, 1}).to(torch::kFloat);
  StrongestChannels chosen = shown_channels(wish, in_range(wish, maps, layer), most_units);
  for (std::int64_t& unit : chosen.channels) unit += wish.range ? wish.range->first : 0;
  if (wish.place.empty()) return {layer, chosen.channels};
  return {layer, chosen.channels, wish.place[0], wish.place[1]};
}

void print_text(const std::vector<Driven>& all) {
  for (const Driven& one : all) {
    const bool placed = !one.units.y.empty();
    std::cout << one.file << ", " << one.layer << '\n';
    Table table({placed ? "channel" : "unit", placed ? "at (y, x)" : "", "responds", "largest gradient"});
    for (std::size_t u = 0; u < one.units.units.size(); ++u)
      table.add({std::to_string(one.units.units[u]),
                 placed ? std::to_string(one.units.y[u]) + ", " + std::to_string(one.units.x[u]) : "",
                 number(one.units.values[u]),
                 one.largest(u) > 0 ? number(one.largest(u)) : "0: nothing drives it (a ReLU that is off)"});
    std::cout << table.text();
  }
}

Json document(const std::vector<Driven>& all) {
  Json images = Json::array();
  for (const Driven& one : all) {
    if (images.empty() || images.back()["input"] != one.file)
      images.push_back({{"input", one.file}, {"layers", Json::array()}});
    Json units = Json::array();
    for (std::size_t u = 0; u < one.units.units.size(); ++u)
      units.push_back({{"unit", one.units.units[u]},
                       {"place", one.place(u)},
                       {"value", one.units.values[u]},
                       {"largest_gradient", one.largest(u)}});
    images.back()["layers"].push_back({{"layer", one.layer}, {"units", units}});
  }
  return {{"images", images}};
}

}  // namespace

void show_unit_gradients(const ActivationsWish& wish, const Setup& setup) {
  if (!wish.common.array.empty() && setup.images() != 1)
    throw Error("--array with --gradients writes the gradients of units, U×..., for one image; " +
                std::to_string(setup.images()) + " were given");
  for (const Input& input : setup.inputs)
    if (!wish.common.out.empty() && input.images.dim() != 4)
      throw Error("--out with --gradients draws gradients of images N×C×H×W, and " + input.file + " has " +
                  shape_text(input.images.sizes().vec()) + "; write them with --array");
  std::vector<Driven> all;
  ProgressLine progress("gradients", setup.images() * std::int64_t(wish.layers.size()));
  for (const Looked& looked : images_of(setup))
    for (const std::string& layer : wish.layers) {
      const Neuron units = units_of(wish, setup.model, looked.image, layer);
      all.push_back({looked, layer, unit_gradients(setup.model, looked.image, units, progress)});
      progress.next();
    }
  if (!wish.common.array.empty()) save_array(wish.common.array, all.front().units.gradients);
  if (!wish.common.out.empty()) {
    std::vector<Picture> parts;
    for (const Driven& one : all)
      parts.push_back(unit_grid(
          one.units,
          {.scale = wish.colours(), .title = "What drives units of " + one.layer + ", for " + one.shown}));
    save_picture(wish.common.out, stacked(parts));
  }
  if (wish.common.json) return print(document(all));
  print_text(all);
  tell_written(wish.common);
}

}  // namespace pellucid::app
