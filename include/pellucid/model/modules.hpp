#pragma once
/// The one place that includes what all modules of LibTorch are. (Its kinds of modules take a fifth of
/// <torch/torch.h> to compile; the networks of the zoo have their own, `model/zoo/layers.hpp`.)
#include <pellucid/core/torch.hpp>

#include <torch/nn/module.h>

namespace pellucid::detail {

/// A module of whose work a part can be folded away while it is only evaluated.
class Foldable {
 public:
  virtual ~Foldable() = default;
  /// Gives the names of the layers whose own output cannot be seen any more.
  virtual std::vector<std::string> fold() = 0;
};

}  // namespace pellucid::detail
