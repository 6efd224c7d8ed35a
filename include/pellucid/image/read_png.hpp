#pragma once
#include <png.h>

#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/image/limits.hpp>

namespace pellucid::detail {

/// Decodes one PNG with libpng. Errors carry the reason alone; `decode_image` adds the name.
///
/// libpng leaves its functions by longjmp, which must not pass over a destructor: every call that may do so
/// is made inside `attempt`, in a lambda without objects of its own.
class PngReader {
 public:
  explicit PngReader(std::span<const std::uint8_t> bytes) : rest_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw Error("libpng cannot start: " + std::string(message_), Fault::failure);
    }
  }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

  /// Refuses an image of more pixels than `most`.
  Images read(std::int64_t most) {
    attempt([this] {
      png_set_read_fn(png_, this, on_read);
      // The size is judged below, in the library's own words.
      png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
      png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
      // Texts, profiles and times are skipped unread: nothing in them belongs to the pixels.
      png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
      png_read_info(png_, info_);
    });
    const auto height = int64_t(png_get_image_height(png_, info_));
    const auto width = int64_t(png_get_image_width(png_, info_));
    check_pixels(height, width, most);

    int passes = 1;
    attempt([this, &passes] {
      png_set_expand(png_);       // palette to RGB, few-bit grey to 8 bits, a transparent colour to alpha
      png_set_gray_to_rgb(png_);  // grey to RGB
      passes = png_set_interlace_handling(png_);
      png_read_update_info(png_, info_);
    });
    const int channels = png_get_channels(png_, info_);
    const bool deep = png_get_bit_depth(png_, info_) == 16;
    const std::size_t row_size = png_get_rowbytes(png_, info_);
    if ((channels != 3 && channels != 4) || row_size != std::size_t(width * channels * (deep ? 2 : 1))) {
      throw Error("the PNG file has an unknown layout of pixels");
    }

    // An interlaced file completes its rows in the last pass only; any other needs one row at a time.
    std::vector<std::uint8_t> rows(row_size * std::size_t(passes > 1 ? height : 1));
    Images images = at::empty({1, 3, height, width}, at::kFloat);
    float* const out = images.data_ptr<float>();
    attempt([&] {
      for (int pass = 1; pass <= passes; ++pass) {
        for (int64_t y = 0; y < height; ++y) {
          std::uint8_t* const row = rows.data() + (passes > 1 ? row_size * std::size_t(y) : 0);
          png_read_row(png_, row, nullptr);
          if (pass < passes) continue;
          if (deep) {
            store<2>(row, channels, width, out + y * width, height * width);
          } else {
            store<1>(row, channels, width, out + y * width, height * width);
          }
        }
      }
      png_read_end(png_, nullptr);
    });
    return images;
  }

 private:
  template <class Body>
  void attempt(const Body& body) {
    if (setjmp(png_jmpbuf(png_)) == 0) {
      body();
      return;
    }
    if (cut_off_) throw Error("the PNG file ends early: it was cut off");
    throw Error("the PNG file is damaged (libpng: " + std::string(message_) + ")");
  }

  /// One row of RGB or RGBA, each sample of `Bytes` bytes, the higher byte first; alpha goes over white.
  template <int Bytes>
  static void store(const std::uint8_t* row, int channels, int64_t width, float* out, int64_t plane) {
    const auto sample = [row](int64_t i) {
      if constexpr (Bytes == 1) return float(row[i]) / 255.0f;
      return float(row[2 * i] * 256 + row[2 * i + 1]) / 65535.0f;
    };
    for (int64_t x = 0; x < width; ++x) {
      const float alpha = channels == 4 ? sample(4 * x + 3) : 1.0f;
      for (int c = 0; c < 3; ++c) {
        out[c * plane + x] = channels == 4 ? sample(4 * x + c) * alpha + (1.0f - alpha) : sample(3 * x + c);
      }
    }
  }

  [[noreturn]] static void on_error(png_structp png, png_const_charp text) {
    auto& reader = *static_cast<PngReader*>(png_get_error_ptr(png));
    std::snprintf(reader.message_, sizeof reader.message_, "%s", text);
    png_longjmp(png, 1);
  }

  static void on_warning(png_structp, png_const_charp) {}

  static void on_read(png_structp png, png_bytep out, std::size_t size) {
    auto& reader = *static_cast<PngReader*>(png_get_io_ptr(png));
    if (size > reader.rest_.size()) {
      reader.cut_off_ = true;
      png_error(png, "end of file");
    }
    std::memcpy(out, reader.rest_.data(), size);
    reader.rest_ = reader.rest_.subspan(size);
  }

  std::span<const std::uint8_t> rest_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  bool cut_off_ = false;
  char message_[128] = "";
};

}  // namespace pellucid::detail
