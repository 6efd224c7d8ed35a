#pragma once
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/image/limits.hpp>

namespace pellucid {

/// What a pixel of a resized image is: the nearest one, or a weighted mean of those around it (see `resize`).
enum class Interpolation { nearest, bilinear, bicubic };

namespace detail {

inline void check_resizable(const Tensor& images) {
  if (!images.defined() || images.dim() != 4 || images.numel() == 0 || !images.is_floating_point()) {
    throw Error("resize and crop take a float tensor N×C×H×W that is not empty; got " +
                (images.defined() ? c10::str(images.sizes(), " of ", images.scalar_type())
                                  : std::string("an undefined tensor")));
  }
}

inline void check_size(int64_t height, int64_t width) {
  if (height < 1 || width < 1 || height > max_pixels || width > max_pixels || height * width > max_pixels) {
    throw Error(c10::str("an image cannot be given the size ", height, "×", width,
                         " (height × width); sides of at least 1 and at most ", max_pixels / 1'000'000,
                         " megapixels in all are possible"));
  }
}

/// Where the centres of `to` pixels lie among `from` pixels, summed up as Pillow does: where a centre lies on
/// an edge, the rounding decides.
inline Tensor nearest_places(int64_t from, int64_t to, at::Device device) {
  std::vector<int64_t> places;
  const double step = double(from) / double(to);
  double place = step / 2;
  for (int64_t i = 0; i < to; ++i, place += step) places.push_back(std::min(int64_t(place), from - 1));
  return torch::tensor(places, at::kLong).to(device);
}

}  // namespace detail

/// Images of another size, antialiased when they shrink: as Pillow resizes, and torchvision with it.
///
/// images: N×C×H×W, any floating type; returns N×C×height×width of the same type. Differentiable. Where the
/// size stays, the result is the tensor that was given. `bicubic` (a = -0.5) can leave the range of its input
/// by some percent at sharp edges, and is not clamped here.
///
/// Throws Error for a tensor that is not N×C×H×W, and for sizes below 1 or above 100 megapixels.
inline Tensor resize(const Tensor& images, int64_t height, int64_t width,
                     Interpolation interpolation = Interpolation::bilinear) {
  detail::check_resizable(images);
  detail::check_size(height, width);
  if (images.size(2) == height && images.size(3) == width) return images;

  if (interpolation == Interpolation::nearest) {
    return images.index_select(2, detail::nearest_places(images.size(2), height, images.device()))
        .index_select(3, detail::nearest_places(images.size(3), width, images.device()));
  }
  // LibTorch has no antialiased kernels for half and bfloat16.
  if (const auto type = images.scalar_type(); type == at::kHalf || type == at::kBFloat16) {
    return resize(images.to(at::kFloat), height, width, interpolation).to(type);
  }
  const std::array<int64_t, 2> size{height, width};
  return interpolation == Interpolation::bicubic
             ? at::_upsample_bicubic2d_aa(images, size, /*align_corners=*/false)
             : at::_upsample_bilinear2d_aa(images, size, /*align_corners=*/false);
}

/// {height, width} of the images with their shorter side brought to `side`, in the same proportions.
///
/// The longer side is side · long / short, rounded down, as torchvision's `Resize(side)` does.
inline std::array<int64_t, 2> short_side_size(const Tensor& images, int64_t side) {
  detail::check_resizable(images);
  detail::check_size(side, side);
  const int64_t height = images.size(2), width = images.size(3);
  if (height <= width) return {side, side * width / height};
  return {side * height / width, side};
}

/// The middle `size`×`size` pixels, with black around images that are smaller; offsets as in torchvision.
///
/// images: N×C×H×W; returns N×C×size×size. Differentiable; may share memory with its input.
inline Tensor center_crop(const Tensor& images, int64_t size) {
  detail::check_resizable(images);
  detail::check_size(size, size);
  const int64_t missing_x = std::max<int64_t>(0, size - images.size(3));
  const int64_t missing_y = std::max<int64_t>(0, size - images.size(2));
  Tensor padded = images;
  if (missing_x > 0 || missing_y > 0) {
    padded = at::constant_pad_nd(images,
                                 {missing_x / 2, (missing_x + 1) / 2, missing_y / 2, (missing_y + 1) / 2}, 0);
  }
  // Python's round(spare / 2): halves go to the even neighbour.
  const auto offset = [size](int64_t side) {
    const int64_t spare = side - size;
    return spare / 2 + (spare % 4 == 3 ? 1 : 0);
  };
  const int64_t top = offset(padded.size(2)), left = offset(padded.size(3));
  return padded.slice(2, top, top + size).slice(3, left, left + size);
}

}  // namespace pellucid
