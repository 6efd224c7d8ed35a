#pragma once
/// The one place that includes what all modules of LibTorch are. (Its kinds of modules take a fifth of
/// <torch/torch.h> to compile; the networks of the zoo have their own, `model/zoo/layers.hpp`.)
#include <pellucid/core/torch.hpp>

#include <torch/nn/module.h>
