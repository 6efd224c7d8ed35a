#pragma once
#include <pellucid/core/torch.hpp>

namespace pellucid::detail {

/// While one lives autograd is on, whatever the caller is in: inference mode makes no graph.
struct Recorded {
  c10::InferenceMode inference{false};
  torch::AutoGradMode gradients{true};
};

}  // namespace pellucid::detail
