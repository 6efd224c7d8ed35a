#pragma once
#include <cmath>
#include <cstdint>
#include <string>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>

namespace pellucid {

/// Images blurred by a Gaussian of standard deviation `width` pixels, cut at 4 widths; the edge pixels are
/// repeated outwards. N×C×H×W → N×C×H×W; differentiable. A width of 0 changes nothing.
inline Tensor gaussian_blur(const Tensor& images, double width) {
  if (!(width >= 0))
    throw Error("gaussian_blur: a width of " + std::to_string(width) + " pixels was given; give 0 or more");
  if (images.dim() != 4)
    throw Error(c10::str("gaussian_blur: a tensor of shape ", images.sizes(),
                         " was given; images N×C×H×W are expected"));
  if (width == 0) return images;
  const std::int64_t radius = std::int64_t(std::ceil(4 * width));
  const Tensor offset = torch::arange(-radius, radius + 1, images.options());
  Tensor kernel = offset.square().div(-2 * width * width).exp();
  kernel = kernel / kernel.sum();
  const Tensor padded = torch::replication_pad2d(images, {radius, radius, radius, radius});
  const Tensor planes = padded.view({-1, 1, padded.size(2), padded.size(3)});
  const Tensor rows = torch::conv2d(planes, kernel.view({1, 1, 1, -1}));
  return torch::conv2d(rows, kernel.view({1, 1, -1, 1})).view(images.sizes());
}

}  // namespace pellucid
