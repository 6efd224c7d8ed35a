#pragma once
/// The one place that includes LibTorch's eager interface.
/// (TorchScript costs as much again to compile; `model/script/torch.hpp` is its one place.)

// Clang in C++20 mode refuses LibTorch 1.13 unless this header comes first.
#include <ATen/core/ivalue.h>

// at::RecordFunction has a member more without NDEBUG. Distributed LibTorch is a release build, so a Debug
// program must see the class as the library was built.
#ifndef NDEBUG
#define NDEBUG
#include <ATen/record_function.h>
#undef NDEBUG
#include <cassert>
#else
#include <ATen/record_function.h>
#endif

#include <torch/autograd.h>
#include <torch/csrc/autograd/functions/tensor.h>
#include <torch/nn.h>
#include <torch/types.h>
// Behind the types that it names.
#include <torch/fft.h>
#include <torch/utils.h>

namespace pellucid {

using torch::Tensor;

/// Images: a float tensor N×3×H×W, RGB, in [0, 1]. Methods that only need gradients, scores or layers take
/// any tensor N×…; only pictures need images.
using Images = torch::Tensor;

}  // namespace pellucid
