#pragma once
// jpeglib.h needs FILE and size_t.
#include <cstddef>
#include <cstdio>

#include <jerror.h>
#include <jpeglib.h>

#include <csetjmp>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/image/limits.hpp>

namespace pellucid::detail {

/// The orientation (1 to 8) in an EXIF block ("Exif", two zeros, a TIFF header and its first directory); 1
/// where there is none. Source: EXIF 2.3, 4.6.4 and tag 0x0112.
inline int exif_orientation(std::span<const std::uint8_t> block) {
  if (block.size() < 14 || std::memcmp(block.data(), "Exif\0\0", 6) != 0) return 1;
  const auto tiff = block.subspan(6);
  const bool little = tiff[0] == 'I';
  const auto number = [&](std::size_t at, std::size_t bytes) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      value = value * 256 + tiff[at + (little ? bytes - 1 - i : i)];
    }
    return value;
  };
  const std::size_t directory = number(4, 4);
  if (directory > tiff.size() - 2) return 1;
  const std::size_t entries = number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    if (entry + 12 > tiff.size()) return 1;
    if (number(entry, 2) != 0x0112 || number(entry + 2, 2) != 3) continue;
    const std::size_t value = number(entry + 8, 2);
    return value >= 1 && value <= 8 ? int(value) : 1;
  }
  return 1;
}

/// Stored images turned the way the camera was held.
inline Images upright(const Images& stored, int orientation) {
  const Images turned = orientation >= 5 ? stored.transpose(2, 3) : stored;
  const bool left_to_right = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  const bool top_to_bottom = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  std::vector<int64_t> flipped;
  if (top_to_bottom) flipped.push_back(2);
  if (left_to_right) flipped.push_back(3);
  return (flipped.empty() ? turned : turned.flip(flipped)).contiguous();
}

/// Decodes one JPEG with libjpeg-turbo. Errors carry the reason alone; `decode_image` adds the name.
///
/// As with libpng, whatever may longjmp is called inside `attempt`, in a lambda without objects of its own.
class JpegReader {
 public:
  explicit JpegReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {
    info_.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = on_error;
    errors_.base.emit_message = on_message;
    progress_.progress_monitor = on_progress;
    attempt([this] { jpeg_create_decompress(&info_); });
  }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&info_); }

  /// Refuses an image of more pixels than `most`.
  Images read(std::int64_t most) {
    attempt([this] {
      info_.progress = &progress_;
      jpeg_mem_src(&info_, bytes_.data(), static_cast<unsigned long>(bytes_.size()));
      jpeg_save_markers(&info_, JPEG_APP0 + 1, 0xFFFF);
      jpeg_read_header(&info_, TRUE);
    });
    const int64_t height = info_.image_height, width = info_.image_width;
    check_pixels(height, width, most);
    if (info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK) {
      throw Error("it is a CMYK JPEG, made for printing; convert it to RGB");
    }
    if (info_.jpeg_color_space == JCS_UNKNOWN) {
      throw Error("it is a JPEG of " + std::to_string(info_.num_components) + " unknown colour channels");
    }

    const int turn = orientation();  // now: at the end libjpeg forgets the markers
    std::vector<std::uint8_t> row(std::size_t(width) * 3);
    Images images = at::empty({1, 3, height, width}, at::kFloat);
    float* const out = images.data_ptr<float>();
    attempt([&] {
      info_.out_color_space = JCS_RGB;
      jpeg_start_decompress(&info_);
      while (info_.output_scanline < info_.output_height) {
        float* const line = out + int64_t(info_.output_scanline) * width;
        JSAMPROW rows[1] = {row.data()};
        jpeg_read_scanlines(&info_, rows, 1);
        for (int c = 0; c < 3; ++c) {
          for (int64_t x = 0; x < width; ++x) {
            line[c * height * width + x] = float(row[std::size_t(3 * x + c)]) / 255.0f;
          }
        }
      }
      jpeg_finish_decompress(&info_);
    });
    return upright(images, turn);
  }

 private:
  struct Errors {
    jpeg_error_mgr base;  // first, so that libjpeg's pointer to it is a pointer to the whole
    std::jmp_buf jump;
    bool cut_off;
    char message[JMSG_LENGTH_MAX];
  };

  /// More passes over the image than any encoder makes; a small file could ask for hours of them.
  static constexpr int max_scans = 200;

  template <class Body>
  void attempt(const Body& body) {
    if (setjmp(errors_.jump) == 0) {
      body();
      return;
    }
    if (errors_.cut_off) throw Error("the JPEG file ends early: it was cut off");
    throw Error("the JPEG file is damaged or of an unknown kind (libjpeg: " + std::string(errors_.message) +
                ")");
  }

  int orientation() const {
    for (auto marker = info_.marker_list; marker != nullptr; marker = marker->next) {
      const int found = exif_orientation({marker->data, marker->data_length});
      if (found != 1) return found;
    }
    return 1;
  }

  [[noreturn]] static void on_error(j_common_ptr info) {
    auto& errors = *reinterpret_cast<Errors*>(info->err);
    errors.base.format_message(info, errors.message);
    std::longjmp(errors.jump, 1);
  }

  /// libjpeg calls damage a warning and goes on with grey; here it is the end. Three warnings are harmless.
  static void on_message(j_common_ptr info, int level) {
    const int code = info->err->msg_code;
    if (level >= 0 || code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM)
      return;
    reinterpret_cast<Errors*>(info->err)->cut_off = code == JWRN_JPEG_EOF;
    on_error(info);
  }

  static void on_progress(j_common_ptr info) {
    if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= max_scans) return;
    auto& errors = *reinterpret_cast<Errors*>(info->err);
    std::snprintf(errors.message, sizeof errors.message, "more than %d scans", max_scans);
    std::longjmp(errors.jump, 1);
  }

  std::span<const std::uint8_t> bytes_;
  Errors errors_{};
  jpeg_progress_mgr progress_{};
  jpeg_decompress_struct info_{};
};

}  // namespace pellucid::detail
