#pragma once
/// The one place that includes what all modules of LibTorch are. (The kinds of modules, and what holds them,
/// take a fifth of <torch/torch.h> to compile; `model/zoo/modules.hpp` is their one place.)
#include <pellucid/core/torch.hpp>

#include <torch/nn/module.h>
