#pragma once
// stb_image_write.h includes these itself: seen first, they stay out of the namespace below.
#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include <pellucid/core/error.hpp>
#include <pellucid/core/files.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/image/limits.hpp>
#include <pellucid/image/picture.hpp>

// A copy of stb_image_write in a namespace of its own, so that a program may have another, built as it likes.
#pragma push_macro("INCLUDE_STB_IMAGE_WRITE_H")
#pragma push_macro("STB_IMAGE_WRITE_IMPLEMENTATION")
#pragma push_macro("STB_IMAGE_WRITE_STATIC")
#pragma push_macro("STBI_WRITE_NO_STDIO")
#pragma push_macro("STBIWDEF")
#undef INCLUDE_STB_IMAGE_WRITE_H
#undef STB_IMAGE_WRITE_IMPLEMENTATION
#undef STB_IMAGE_WRITE_STATIC
#undef STBI_WRITE_NO_STDIO
#undef STBIWDEF
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
namespace pellucid::detail::stb {
#if __has_include(<stb/stb_image_write.h>)
#include <stb/stb_image_write.h>
#else
#include <stb_image_write.h>
#endif
}  // namespace pellucid::detail::stb
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
#pragma pop_macro("STBIWDEF")
#pragma pop_macro("STBI_WRITE_NO_STDIO")
#pragma pop_macro("STB_IMAGE_WRITE_STATIC")
#pragma pop_macro("STB_IMAGE_WRITE_IMPLEMENTATION")
#pragma pop_macro("INCLUDE_STB_IMAGE_WRITE_H")

namespace pellucid {

/// The bytes of a PNG file of the picture (8-bit RGB). Throws Error for a picture without pixels or over the
/// limit of 300 megapixels.
inline std::string encode_png(const Picture& picture) {
  const std::int64_t width = picture.width, height = picture.height;
  if (width < 1 || height < 1 || std::int64_t(picture.rgb.size()) != width * height * 3) {
    throw Error("a picture of width " + std::to_string(width) + " and height " + std::to_string(height) +
                " with " + std::to_string(picture.rgb.size()) +
                " bytes is none; width × height × 3 bytes were expected, and at least one pixel");
  }
  // stb counts in int.
  if (width * height > 3 * max_pixels) {
    throw Error("a picture of " + std::to_string(width) + "×" + std::to_string(height) +
                " pixels is too large for a PNG file; make it smaller (300 megapixels are possible)");
  }
  int size = 0;
  const std::unique_ptr<unsigned char, void (*)(void*)> png(
      detail::stb::stbi_write_png_to_mem(picture.rgb.data(), 3 * picture.width, picture.width, picture.height,
                                         3, &size),
      [](void* memory) { STBIW_FREE(memory); });
  if (png == nullptr) throw Error("not enough memory to make a PNG file", Fault::failure);
  return std::string(reinterpret_cast<const char*>(png.get()), std::size_t(size));
}

/// Writes a picture as a PNG file: the whole file or, with an Error that gives the reason, none.
inline void write_png(const std::filesystem::path& path, const Picture& picture) {
  write_atomically(path, encode_png(picture));
}

/// One image as a picture: 255 × value, rounded; what lies outside [0, 1] is clamped.
///
/// image: float 3×H×W or 1×3×H×W, or with one channel instead of three (grey).
/// Throws Error for other shapes and types, and for NaN.
inline Picture to_picture(const Tensor& image) {
  const bool one = image.defined() && image.dim() == 4 && image.size(0) == 1;
  const Tensor planes = one ? image[0] : image;
  if (!planes.defined() || planes.dim() != 3 || (planes.size(0) != 3 && planes.size(0) != 1) ||
      planes.numel() == 0 || !planes.is_floating_point()) {
    throw Error("a picture is made of one image, a float tensor 3×H×W or 1×3×H×W (or of one channel); got " +
                (image.defined() ? c10::str(image.sizes(), " of ", image.scalar_type())
                                 : std::string("an undefined tensor")));
  }
  const int64_t height = planes.size(1), width = planes.size(2);
  if (height * width > 3 * max_pixels) {
    throw Error(c10::str("an image of ", height, "×", width, " pixels is too large for a picture"));
  }
  const Tensor values = planes.detach().to(at::kCPU, at::kFloat);
  if (values.isnan().any().item<bool>()) throw Error("the image holds NaN; values in [0, 1] were expected");
  const Tensor bytes = (values.clamp(0, 1) * 255)
                           .round()
                           .to(at::kByte)
                           .expand({3, height, width})
                           .permute({1, 2, 0})
                           .contiguous();
  const auto* data = bytes.data_ptr<std::uint8_t>();
  return Picture{int(width), int(height), {data, data + bytes.numel()}};
}

/// A picture as images: float32 1×3×H×W in [0, 1].
inline Images to_images(const Picture& picture) {
  const std::int64_t pixels = std::int64_t(picture.width) * picture.height;
  if (picture.width < 1 || picture.height < 1 || std::int64_t(picture.rgb.size()) != pixels * 3) {
    throw Error(
        "a picture without pixels, or with another number of bytes than width × height × 3, is no image");
  }
  auto* const data = const_cast<std::uint8_t*>(picture.rgb.data());  // only read: `to` makes a copy
  return at::from_blob(data, {picture.height, picture.width, 3}, at::kByte)
      .permute({2, 0, 1})
      .unsqueeze(0)
      .to(at::kFloat, /*non_blocking=*/false, /*copy=*/true, at::MemoryFormat::Contiguous)
      .div_(255);
}

}  // namespace pellucid
