#include <pellucid/activation/unit_gradients.hpp>
#include <pellucid/attribution/layer_grid.hpp>
#include <pellucid/render/unit_grid.hpp>

#include "activations.hpp"
#include "progress_line.hpp"
#include "sheets.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

double largest(const UnitGradients& units, std::size_t unit) {
  return units.gradients[std::int64_t(unit)].abs().max().item<double>();
}

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
  const StrongestChannels chosen = shown_channels(wish, maps, layer, most_units);
  if (wish.place.empty()) return {layer, chosen.channels};
  return {layer, chosen.channels, wish.place[0], wish.place[1]};
}

std::string as_text(const UnitGradients& units) {
  const bool placed = !units.y.empty();
  Table table({placed ? "channel" : "unit", placed ? "at (y, x)" : "", "responds", "largest gradient"});
  for (std::size_t u = 0; u < units.units.size(); ++u) {
    const double most = largest(units, u);
    table.add({std::to_string(units.units[u]),
               placed ? std::to_string(units.y[u]) + ", " + std::to_string(units.x[u]) : "",
               number(units.values[u]),
               most > 0 ? number(most) : "0: nothing drives it (a ReLU that is off)"});
  }
  return table.text();
}

Json as_json(const UnitGradients& units) {
  Json all = Json::array();
  for (std::size_t u = 0; u < units.units.size(); ++u) {
    Json one{{"neuron", units.units[u]}};
    if (!units.y.empty()) {
      one["y"] = units.y[u];
      one["x"] = units.x[u];
    }
    one["value"] = units.values[u];
    one["largest_gradient"] = largest(units, u);
    all.push_back(one);
  }
  return all;
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
  Json images = Json::array();
  std::string text;
  std::vector<Tensor> rows;
  LongSheet sheet(wish.common.out);
  {
    ProgressLine progress("gradients", setup.images() * std::int64_t(wish.layers.size()));
    for (const Looked& looked : images_of(setup)) {
      images.push_back({{"input", looked.file}, {"layers", Json::array()}});
      for (const std::string& layer : wish.layers) {
        const Neuron chosen = units_of(wish, setup.model, looked.image, layer);
        const UnitGradients units = unit_gradients(setup.model, looked.image, chosen, progress);
        progress.next();
        images.back()["layers"].push_back({{"layer", layer}, {"units", as_json(units)}});
        text += looked.file + ", " + layer + "\n" + as_text(units);
        if (!wish.common.array.empty()) rows.push_back(units.gradients);
        sheet.add([&] {
          return unit_grid(units, {.scale = wish.colours(),
                                   .title = "What drives units of " + layer + ", for " + looked.shown});
        });
      }
      sheet.next();
    }
  }
  give(wish.common, {{{"images", images}}, text}, rows, [&] { return std::move(sheet).picture(); });
}

}  // namespace pellucid::app
