#pragma once
#include <string>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>

namespace pellucid {

/// How far a layer's output points in a direction v: with v of C values, the mean over places of
/// Σ_c v_c a_cyx / ‖v‖; with v of the output's whole shape, Σ v · a / ‖v‖.
///
/// A concept found by probing, a sum or difference of channels, the answer to another image.
struct Direction {
  std::string layer{};  ///< as `model.layers(images)` names it
  Tensor v{};           ///< C values, or one output's shape; of any length but 0

  /// the layer's output N×C×… → N
  Tensor of(const Tensor& output) const {
    const Tensor flat = output.flatten(1);
    const double length = v.defined() ? v.norm().item<double>() : 0;
    if (!(length > 0))
      throw Error("Direction of layer '" + layer + "': v is " + (v.defined() ? "zero" : "not given") +
                  "; give a tensor of C values, or of the output's shape");
    const Tensor unit = (v / length).to(output.options()).flatten();
    if (unit.numel() == flat.size(1)) return flat.mv(unit);
    if (output.dim() > 2 && unit.numel() == output.size(1)) return output.flatten(2).mean(2).mv(unit);
    throw Error(c10::str("Direction of layer '", layer, "': v has shape ", v.sizes(), " and the output ",
                         output.sizes(),
                         "; give as many values as it has channels, or the shape of one output"));
  }
};

}  // namespace pellucid
