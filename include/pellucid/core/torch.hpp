#pragma once
/// The one place that includes LibTorch's eager interface: tensors and their gradients.
/// (Modules cost half as much again to compile; `model/modules.hpp` is their one place. TorchScript's is
/// `model/script/torch.hpp`.)

// Clang in C++20 mode refuses LibTorch 1.13 unless this header comes first.
#include <ATen/core/ivalue.h>

#include <torch/autograd.h>
#include <torch/types.h>
// Behind the types that it names.
#include <torch/utils.h>

namespace pellucid {

using torch::Tensor;

/// Images: a float tensor N×3×H×W, RGB, in [0, 1]. Methods that only need gradients, scores or layers take
/// any tensor N×…; only pictures need images.
using Images = torch::Tensor;

}  // namespace pellucid
