#pragma once
#include <vector>

#include <pellucid/core/torch.hpp>
#include <pellucid/image/resize.hpp>

namespace pellucid {

/// Whether every value is one of 0/255, 1/255, …, 255/255, as in an image from a file with 8 bits a sample.
inline bool has_eight_bits(const Tensor& images) {
  const torch::NoGradGuard no_grad;
  const auto holds = [](const Tensor& values) {
    const Tensor bytes = values.to(at::kFloat) * 255;
    return bytes.ge(0).logical_and_(bytes.le(255)).logical_and_((bytes - bytes.round()).abs() < 1e-3f);
  };
  // The first values tell nearly always, and a photo has millions.
  const Tensor flat = images.detach().flatten();
  return holds(flat.slice(0, 0, 64)).all().item<bool>() && holds(flat).all().item<bool>();
}

/// `resize` for images of 8 bits a sample, whose results have 8 bits, too: resized across, rounded, resized
/// down, rounded (halves up), as Pillow resizes an image and torchvision's transforms with it. A sample
/// differs from that of `resize` by up to 1/255, a network's probability by up to some hundredths.
///
/// The gradient is that of `resize`: rounding counts as the identity.
///
/// Source: Pillow, `Image.resize`, for images of 8 bits.
inline Tensor resize_eight_bits(const Tensor& images, int64_t height, int64_t width,
                                Interpolation interpolation = Interpolation::bilinear) {
  detail::check_resizable(images);
  // In double precision: in float32 the places of far pixels are off by enough to turn half a percent of the
  // roundings. As whole numbers, sums of simple fractions are exact, and a half is a half.
  const auto pass = [&](const Tensor& bytes, int64_t rows, int64_t columns) {
    return resize(bytes.to(at::kDouble), rows, columns, interpolation).add(0.5).floor().clamp(0, 255);
  };
  Tensor rounded;
  {
    const torch::NoGradGuard no_grad;
    constexpr int64_t slab = 256;  // rows at once, so that a large photo needs little memory
    std::vector<Tensor> slabs;
    for (int64_t top = 0; top < images.size(2); top += slab) {
      const Tensor rows = images.detach().slice(2, top, top + slab);
      slabs.push_back(pass((rows.to(at::kFloat) * 255).round(), rows.size(2), width).to(at::kFloat));
    }
    rounded = pass(torch::cat(slabs, 2), height, width).div(255).to(images.scalar_type());
  }
  if (!torch::GradMode::is_enabled() || !images.requires_grad()) return rounded;
  const Tensor exact = resize(images, height, width, interpolation);
  return exact + (rounded - exact.detach());
}

}  // namespace pellucid
