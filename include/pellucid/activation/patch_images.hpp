#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <pellucid/activation/patch_index.hpp>
#include <pellucid/activation/patch_scan.hpp>
#include <pellucid/core/digest.hpp>
#include <pellucid/core/error.hpp>
#include <pellucid/core/images.hpp>
#include <pellucid/image/read.hpp>

namespace pellucid {

/// {height, width} at which the network saw the images of an index. Throws Error where the index does not
/// tell.
inline std::vector<std::int64_t> image_size(const PatchIndex& index) {
  if (const auto size = detail::size_told(index.about().preprocess)) return *size;
  throw Error("the index of patches does not tell the size of its images: its preprocess is " +
              detail::shown(index.about().preprocess) + "; scan the images again with TopPatches");
}

/// The image of a patch as the network saw it, 1×3×H×W, from the folder that was scanned: by the name that
/// the patch has, or by another name of the same bytes where that file is gone.
///
/// Throws Error where no such file is left, and where it holds other bytes than those that were scanned.
template <class M>
Images image_of(const Patch& patch, const PatchIndex& index, const M& model,
                const std::filesystem::path& folder) {
  const auto scanned = index.images().find(patch.image);
  if (!scanned)
    throw Error("the index of patches has no image " + detail::shown(patch.image) +
                "; give the index that the patch is from");
  std::filesystem::path file = folder / patch.image;
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored))
    for (const ScannedImage& other : index.images())
      if (other.digest == scanned->digest && std::filesystem::exists(folder / other.name, ignored))
        file = folder / other.name;
  const std::vector<std::uint8_t> bytes = detail::image_bytes(file);
  if (digest_of(bytes) != scanned->digest)
    throw Error(file.string() +
                " is not the image that was scanned: it has changed since; scan the folder anew");
  return detail::fitted(model, decode_image(bytes, file.string()));
}

}  // namespace pellucid
