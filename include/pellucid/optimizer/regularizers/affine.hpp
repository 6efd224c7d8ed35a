#pragma once
#include <cmath>

#include <pellucid/core/torch.hpp>

namespace pellucid::detail {

/// Images N×C×H×W seen at `scale` times their size and turned by `angle` (radians, anticlockwise) about their
/// middle, at the same size: bilinear, mirrored beyond the edges. Differentiable.
inline Images turned(const Images& images, double scale, double angle) {
  const double cosine = std::cos(angle) / scale, sine = std::sin(angle) / scale;
  const double aspect = double(images.size(2)) / double(images.size(3));
  // Where each pixel comes from, in coordinates from −1 to 1 on both sides.
  const Tensor from =
      torch::tensor({{cosine, -sine * aspect, 0.0}, {sine / aspect, cosine, 0.0}}, torch::kDouble)
          .to(images.options())
          .expand({images.size(0), 2, 3});
  constexpr std::int64_t bilinear = 0, mirrored = 2;
  const Tensor grid = at::affine_grid_generator(from, images.sizes(), /*align_corners=*/false);
  return at::grid_sampler(images, grid, bilinear, mirrored, /*align_corners=*/false);
}

}  // namespace pellucid::detail
