#pragma once
#include <pellucid/attribution/methods/gradient.hpp>
#include <pellucid/attribution/methods/smoothed.hpp>

namespace pellucid {

/// SmoothGrad: the mean gradient over noisy copies of the image,
///   A = (1/n) Σᵢ ∂S(x + εᵢ)/∂x,   εᵢ ~ N(0, σ²),   σ = noise · (max x − min x)
/// Options, defaults and source: see Smoothed.
///
///   auto why = Attribution<SmoothGrad>({.samples = 50, .noise = 0.15});
using SmoothGrad = Smoothed<Gradient>;

}  // namespace pellucid
