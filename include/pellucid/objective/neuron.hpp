#pragma once
#include <string>
#include <utility>
#include <vector>

#include <pellucid/model/predict.hpp>
#include <pellucid/objective/objective.hpp>
#include <pellucid/objective/per_image.hpp>

namespace pellucid {

/// One unit of a layer: a_cyx. Without y and x, a_c on a layer N×K, and the place of the strongest response
/// on a layer N×C×H×W, settled on the image itself. Dimension 1 is taken for the channels, always: on a layer
/// N×H×W×C (Swin, within ConvNeXt's blocks) its numbers are rows.
struct Neuron {
  std::string layer{};   ///< as `model.layers(images)` names it
  PerImage channel = 0;  ///< from 0: one for all images, or one for each
  PerImage y{};          ///< row of the layer, from 0; left out with x: where the channel responds most
  PerImage x{};          ///< column of the layer, from 0

  /// the layer's output N×C×H×W or N×K → N
  Tensor of(const Tensor& output) const {
    const Tensor units = channel_of(output);
    if (units.dim() == 1) return units;
    if (y.empty() || x.empty()) return units.flatten(1).amax(1);
    const Tensor places_y = y.tensor(units.size(0), units.size(1), "row y", units.device());
    const Tensor places_x = x.tensor(units.size(0), units.size(2), "column x", units.device());
    return units.index({torch::arange(units.size(0), places_y.options()), places_y, places_x});
  }

  template <class M>
  Neuron resolve(const M& model, const Images& images) const {
    if (!y.empty() && !x.empty()) return *this;
    // N×2, the row and column of each image; N×0 where units have no place.
    const Tensor places =
        ask_in_parts(model, images, [this](const M& m, const Images& part, const auto& rows) {
          const Tensor units = select(rows).channel_of(output_of(m, part, layer));
          if (units.dim() == 1) return torch::empty({units.size(0), 0}, torch::kLong);
          const Tensor place = units.flatten(1).argmax(1).cpu();
          return torch::stack({place.floor_divide(units.size(2)), place.remainder(units.size(2))}, 1);
        });
    if (places.size(1) == 0) return *this;
    std::vector<std::int64_t> rows, columns;
    for (std::int64_t n = 0; n < places.size(0); ++n) {
      rows.push_back(places[n][0].template item<std::int64_t>());
      columns.push_back(places[n][1].template item<std::int64_t>());
    }
    return {layer, channel, rows, columns};
  }

  /// For how many images something is named.
  std::int64_t count() const { return std::int64_t(channel.values().size()); }

  void check(std::int64_t images) const {
    channel.check_count(images);
    if (y.empty() != x.empty())
      throw Error("Neuron of layer '" + layer +
                  "': " + (y.empty() ? "x was given without y" : "y was given without x") +
                  "; give both, or neither for the place of the strongest response");
    if (y.empty()) return;
    y.check_count(images);
    x.check_count(images);
  }

  Neuron select(const std::vector<std::int64_t>& rows) const {
    return {layer, channel.select(rows), y.select(rows), x.select(rows)};
  }

 private:
  /// N×C×H×W → N×H×W, N×K → N
  Tensor channel_of(const Tensor& output) const {
    if (output.dim() != 4 && output.dim() != 2)
      throw Error(c10::str("layer '", layer, "' gives a tensor of shape ", output.sizes(),
                           "; a neuron is one unit of N×C×H×W or N×K"));
    if ((!y.empty() || !x.empty()) && output.dim() == 2)
      throw Error("layer '" + layer + "' gives N×K, whose units have no place; leave y and x out");
    const Tensor channels = channel.tensor(output.size(0), output.size(1), "channel", output.device());
    return output.index({torch::arange(output.size(0), channels.options()), channels});
  }
};

}  // namespace pellucid
