#pragma once
#include <pellucid/attribution/methods/gradient.hpp>
#include <pellucid/attribution/methods/smoothed.hpp>

namespace pellucid {

/// SmoothGrad: the mean gradient over noisy copies of the image,
///   A = (1/n) Σᵢ ∂S(x + εᵢ)/∂x,   εᵢ ~ N(0, σ²),   σ = noise · (max x − min x)
/// Signed, in units of score per pixel value, N×C×H×W; a picture shows its magnitude. With it comes the
/// standard error of the mean. Its noise comes in antithetic pairs, x + ε and x − ε. See Smoothed.
///
///   auto why = Attribution<SmoothGrad>({.samples = 50, .noise = 0.15});
///
/// Smilkov, Thorat, Kim, Viégas & Wattenberg, "SmoothGrad: removing noise by adding noise", 2017.
using SmoothGrad = Smoothed<Gradient>;

}  // namespace pellucid
