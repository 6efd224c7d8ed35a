#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <pellucid/core/torch.hpp>

namespace pellucid {

/// How strongly a layer responds as a whole: the mean of its squared outputs (DeepDream's objective;
/// Mordvintsev, Olah & Tyka 2015).
struct Layer {
  std::string layer{};  ///< as `model.layers(images)` names it

  /// the layer's output N×… → N
  Tensor of(const Tensor& output) const { return output.square().flatten(1).mean(1); }

  Layer select(const std::vector<std::int64_t>&) const { return *this; }
};

}  // namespace pellucid
