#pragma once
/// The one place that includes LibTorch's modules.
#include <pellucid/core/torch.hpp>

#include <torch/nn.h>
