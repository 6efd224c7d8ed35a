#pragma once
#include <cmath>
#include <string>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>

namespace pellucid {

/// An image as its own parameters: image = center + unit · x, with x N×C×H×W.
///
/// `unit` is what rates, decay and prices are told in: 1 for pixels in [0, 1], 1/255 for pixels in 0…255, the
/// norm of an image for images of norm 1.
struct Pixels {
  double unit = 1;    ///< above 0
  double beyond = 0;  ///< before each pass x is brought back to where the image is in [−beyond, 1 + beyond]

  void check() const {
    if (!(unit > 0) || !std::isfinite(unit))
      throw Error("Pixels: unit is " + std::to_string(unit) + "; give a number above 0");
    if (!(beyond >= 0)) throw Error("Pixels: beyond is " + std::to_string(beyond) + "; give 0 or more");
  }

  /// x of a start: noise N(0, 1), as the image is shaped → x
  Tensor start(const Tensor& noise) const { return noise; }

  /// x → images N×C×H×W
  Images image(const Tensor& x, const Tensor& center, at::IntArrayRef) const {
    return torch::add(center, x, unit);
  }

  /// images → x
  Tensor parameters(const Images& images, const Tensor& center) const { return (images - center) / unit; }

  /// What penalties see: the image with the mean image taken off, in units of x.
  Tensor centered(const Tensor& x, const Images&, const Tensor&) const { return x; }

  /// x brought back to where the image is within its bounds.
  Tensor bounded(const Tensor& x, const Tensor& center) const {
    return torch::clamp(x, (-beyond - center) / unit, (1 + beyond - center) / unit);
  }
};

}  // namespace pellucid
