#pragma once
#include <algorithm>
#include <cmath>
#include <string>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>

#include <torch/fft.h>

namespace pellucid {

/// An image by its Fourier coefficients, in colours that are independent of each other:
///   image = sigmoid(logit(center) + colors · contrast · F⁻¹[x_f / max(f, 1/max(H, W))^falloff])
/// with f in cycles per pixel and F unitary. A step then changes all frequencies as natural images have them
/// (their amplitudes fall as 1/f), where a step in pixels changes the high ones most.
///
/// x: N×C×H×(W/2+1)×2, real and imaginary parts. Colours are those of 3 channels; others stay as they are.
///
/// Olah, Mordvintsev & Schubert, "Feature visualization", Distill 2017.
struct Fourier {
  double contrast = 0.25;  ///< how far a step of 1 in x goes
  double falloff = 1;      ///< how much less it goes for high frequencies; photos have about 1

  void check() const {
    if (!(contrast > 0) || !std::isfinite(contrast))
      throw Error("Fourier: contrast is " + std::to_string(contrast) + "; give a number above 0");
    if (!(falloff >= 0) || !std::isfinite(falloff))
      throw Error("Fourier: falloff is " + std::to_string(falloff) + "; give 0 or more (1 is usual)");
  }

  /// x of a start: the coefficients themselves are noise, not the pixels.
  Tensor start(const Tensor& noise) const { return torch::view_as_real(fft(noise)); }

  /// x → images N×C×H×W of the size, in (0, 1)
  Images image(const Tensor& x, const Tensor& center, at::IntArrayRef size) const {
    const std::int64_t height = size[size.size() - 2], width = size[size.size() - 1];
    const Tensor strength = scale(height, width, x.options()).mul_(contrast).unsqueeze(-1);
    const Tensor plain = torch::fft::irfft2(torch::view_as_complex(x * strength),
                                            at::IntArrayRef{height, width}, {-2, -1}, "ortho");
    return torch::sigmoid(logit(center) + mixed_by(plain, colors()));
  }

  /// x of images, whose values are taken to lie within [0.01, 0.99].
  Tensor parameters(const Images& images, const Tensor& center) const {
    const Tensor plain = mixed_by(logit(images) - logit(center), colors().inverse()) / contrast;
    return torch::view_as_real(fft(plain) / scale(plain.size(2), plain.size(3), plain.options()));
  }

  /// What penalties see: the image with the mean image taken off.
  Tensor centered(const Tensor&, const Images& image, const Tensor& center) const { return image - center; }

  /// x as it is: every x is an image.
  Tensor bounded(const Tensor& x, const Tensor&) const { return x; }

 private:
  static Tensor fft(const Tensor& images) { return torch::fft::rfft2(images, {}, {-2, -1}, "ortho"); }

  static Tensor logit(const Tensor& images) { return torch::logit(images, 0.01); }

  /// H×(W/2+1): 1 / max(f, 1/max(H, W))^falloff
  Tensor scale(std::int64_t height, std::int64_t width, const torch::TensorOptions& options) const {
    const Tensor down = torch::fft::fftfreq(height, options).square().view({-1, 1});
    const Tensor across = torch::fft::rfftfreq(width, options).square();
    return (down + across).sqrt().clamp_min(1.0 / double(std::max(height, width))).pow(-falloff);
  }

  /// Brightness, yellow to blue, green to magenta: the principal axes of the colours of natural photos, each
  /// as long as its standard deviation, the longest 1. Columns are axes.
  static Tensor colors() {
    return torch::tensor({{0.56, 0.24, -0.05}, {0.57, -0.01, 0.11}, {0.61, -0.21, -0.06}}, torch::kDouble);
  }

  static Tensor mixed_by(const Tensor& images, const Tensor& matrix) {
    if (images.size(1) != 3) return images;
    return torch::einsum("dc,nchw->ndhw", {matrix.to(images.options()), images});
  }
};

}  // namespace pellucid
