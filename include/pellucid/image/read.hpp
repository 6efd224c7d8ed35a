#pragma once
#include <algorithm>
#include <cctype>
#include <cstdint>
#include <filesystem>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/files.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/image/limits.hpp>
#include <pellucid/image/read_jpeg.hpp>
#include <pellucid/image/read_png.hpp>

namespace pellucid {

namespace detail {

inline std::string readable_images(std::int64_t most = max_pixels) {
  return "a PNG or JPEG image of up to " + std::to_string(most / 1'000'000) + " megapixels";
}

struct Signature {
  std::string_view format;
  std::size_t offset;
  std::string_view bytes;
};

/// What a file is, by its first bytes; empty for formats that nobody would take for an image.
inline std::string_view format_of(std::span<const std::uint8_t> bytes) {
  using namespace std::string_view_literals;
  static constexpr Signature signatures[] = {
      {"PNG", 0, "\x89PNG\r\n\x1a\n"sv},
      {"JPEG", 0, "\xff\xd8\xff"sv},
      {"GIF", 0, "GIF8"sv},
      {"WebP", 8, "WEBP"sv},
      {"TIFF", 0, "II*\0"sv},
      {"TIFF", 0, "MM\0*"sv},
      {"TIFF", 0, "II+\0"sv},
      {"TIFF", 0, "MM\0+"sv},
      {"AVIF", 4, "ftypavif"sv},
      {"AVIF", 4, "ftypavis"sv},
      {"HEIC", 4, "ftyphei"sv},
      {"HEIC", 4, "ftyphev"sv},
      {"HEIC", 4, "ftypmif1"sv},
      {"HEIC", 4, "ftypmsf1"sv},
      {"JPEG XL", 0, "\xff\x0a"sv},
      {"JPEG XL", 4, "JXL \r\n\x87\n"sv},
      {"JPEG 2000", 4, "jP  \r\n\x87\n"sv},
      {"PDF", 0, "%PDF"sv},
      {"NumPy", 0, "\x93NUMPY"sv},
      {"SVG", 0, "<svg"sv},
      {"BMP", 0, "BM"sv},
  };
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const Signature& signature : signatures) {
    if (text.size() >= signature.offset && text.substr(signature.offset).starts_with(signature.bytes)) {
      return signature.format;
    }
  }
  return {};
}

inline void check_format(std::span<const std::uint8_t> start) {
  const std::string_view format = format_of(start);
  if (format == "PNG" || format == "JPEG") return;
  if (start.empty()) throw Error("it is empty");
  throw Error(format.empty() ? "its format is unknown" : "it is a " + std::string(format) + " file");
}

}  // namespace detail

/// Decodes a PNG or JPEG file that is in memory, told apart by its content.
///
/// Returns float32 1×3×H×W in [0, 1]. Grey becomes RGB; alpha is composited over white; 16-bit samples keep
/// their precision; a JPEG is turned upright by its EXIF orientation (torchvision, reading with Pillow,
/// leaves it lying). Colour profiles and gamma are not applied, as in Pillow and torchvision.
///
/// Throws Error for other formats, CMYK, more pixels than `most` (100 million), and files that are damaged or
/// end early; `name` is what the message calls the image.
inline Images decode_image(std::span<const std::uint8_t> bytes, const std::string& name = "the image",
                           std::int64_t most = max_pixels) {
  const auto refuse = [&](const std::string& reason, Fault fault) {
    return Error("cannot read " + name + ": " + reason + "; expected " + detail::readable_images(most),
                 fault);
  };
  try {
    detail::check_format(bytes);
    if (detail::format_of(bytes) == "PNG") return detail::PngReader(bytes).read(most);
    return detail::JpegReader(bytes).read(most);
  } catch (const Error& error) {
    throw refuse(error.what(), error.fault());
  } catch (const c10::Error&) {
    throw refuse("there is not enough memory for its pixels", Fault::failure);
  } catch (const std::bad_alloc&) {
    throw refuse("there is not enough memory for its pixels", Fault::failure);
  }
}

namespace detail {

/// The bytes of an image file, not decoded yet. Throws Error that names the file.
inline std::vector<std::uint8_t> image_bytes(const std::filesystem::path& path) {
  InputFile file(path, readable_images());
  // Looked at before the rest is read: a film or a disk image is not worth loading to be refused.
  std::vector<std::uint8_t> bytes(std::size_t(std::min<std::uintmax_t>(file.size(), 16)));
  file.read(bytes.data(), bytes.size());
  try {
    check_format(bytes);
  } catch (const Error& error) {
    file.refuse(error.what());
  }
  if (file.size() > std::uintmax_t(1) << 30) file.refuse("it has over a gigabyte");
  const std::size_t start = bytes.size();
  bytes.resize(std::size_t(file.size()));
  file.read(bytes.data() + start, bytes.size() - start);
  return bytes;
}

/// Calls visit(directory entry) for each image file of a folder, as `list_images` has them, in no order.
template <class Visit>
void each_image_file(const std::filesystem::path& folder, const Visit& visit) {
  namespace fs = std::filesystem;
  std::error_code code;
  if (!fs::is_directory(folder, code)) {
    throw Error("cannot list the images in " + folder.string() + ": " +
                (fs::exists(folder, code) ? "it is not a folder" : "there is no such folder"));
  }
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied, code);
  for (const fs::recursive_directory_iterator end; !code && entry != end; entry.increment(code)) {
    std::string extension = entry->path().extension().string();
    for (char& c : extension) c = char(std::tolower(static_cast<unsigned char>(c)));
    std::error_code ignored;
    if ((extension == ".png" || extension == ".jpg" || extension == ".jpeg") &&
        entry->is_regular_file(ignored)) {
      visit(*entry);
    }
  }
  if (code)
    throw Error("cannot list the images in " + folder.string() + ": " + code.message(), Fault::failure);
}

}  // namespace detail

/// Reads a PNG or JPEG file, told apart by its content and not by its name, as float32 1×3×H×W in [0, 1].
///
/// What is decoded, and how, and what is refused: see `decode_image`. Throws Error that names the file.
inline Images read_image(const std::filesystem::path& path) {
  return decode_image(detail::image_bytes(path), path.string());
}

/// The files of a folder and of its subfolders whose names end in .png, .jpg or .jpeg (or in capitals),
/// sorted.
///
/// Folders that may not be entered are passed over. Throws Error when `folder` is missing or no folder.
inline std::vector<std::filesystem::path> list_images(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  detail::each_image_file(folder, [&](const auto& entry) { files.push_back(entry.path()); });
  std::sort(files.begin(), files.end());
  return files;
}

/// An image of a folder that could not be read, and why.
struct Skipped {
  std::filesystem::path file{};  ///< which
  std::string reason{};          ///< the message of the Error
};

/// The image, or nothing and one entry more in `skipped`: for scans of folders, which list at the end what
/// they left out.
inline std::optional<Images> read_or_skip(const std::filesystem::path& file, std::vector<Skipped>& skipped) {
  try {
    return read_image(file);
  } catch (const Error& error) {
    skipped.push_back({file, error.what()});
    return std::nullopt;
  }
}

}  // namespace pellucid
