#pragma once
#include <string>
#include <utility>
#include <vector>

#include <pellucid/objective/per_image.hpp>

namespace pellucid {

/// The mean of a channel over its places: (1/HW) Σ_yx a_cyx. On a layer N×K, the unit a_c itself. Dimension 1
/// is taken for the channels, always: of a layer N×H×W×C (Swin, within ConvNeXt's blocks) it is a row.
struct Channel {
  std::string layer{};   ///< as `model.layers(images)` names it
  PerImage channel = 0;  ///< from 0: one for all images, or one for each

  /// the layer's output N×C×… → N
  Tensor of(const Tensor& output) const {
    if (output.dim() < 2)
      throw Error(c10::str("layer '", layer, "' gives a tensor of shape ", output.sizes(),
                           ", which has no channels"));
    const Tensor channels = channel.tensor(output.size(0), output.size(1), "channel", output.device());
    const Tensor rows = torch::arange(output.size(0), channels.options());
    const Tensor units = output.index({rows, channels});
    return units.dim() == 1 ? units : units.flatten(1).mean(1);
  }

  /// For how many images something is named.
  std::int64_t count() const { return std::int64_t(channel.values().size()); }

  void check(std::int64_t images) const { channel.check_count(images); }

  Channel select(const std::vector<std::int64_t>& rows) const { return {layer, channel.select(rows)}; }
};

}  // namespace pellucid
