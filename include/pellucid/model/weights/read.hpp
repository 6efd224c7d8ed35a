#pragma once
#include <algorithm>
#include <filesystem>
#include <string_view>

#include <pellucid/model/weights/pth.hpp>
#include <pellucid/model/weights/safetensors.hpp>

namespace pellucid {

/// Reads a checkpoint in PyTorch's own format (.pth, see `read_pth`) or in the safetensors format (see
/// `read_safetensors`), whatever the file is called: its first bytes tell which it is.
///
/// Throws Error for a file that is missing, truncated, damaged, or neither.
inline Checkpoint read_checkpoint(const std::filesystem::path& path) {
  InputFile file(path, "a checkpoint of PyTorch (.pth) or in the safetensors format");
  const detail::FileBytes bytes = detail::map_file(path, file);
  return detail::begins_like_safetensors(bytes.view()) ? detail::read_safetensors(file, bytes)
                                                       : detail::read_pth(file, bytes);
}

/// Whether a file is a checkpoint, parameters by name, and not TorchScript, a program with its parameters.
/// Told by its first bytes and, of a zip archive, by what lies in it. Throws Error for a file that is
/// missing.
inline bool is_checkpoint(const std::filesystem::path& path) {
  InputFile file(path, "a checkpoint or a TorchScript file");
  const detail::FileBytes bytes = detail::map_file(path, file);
  const std::string_view all = bytes.view();
  if (!detail::begins_like_zip(all))
    return detail::begins_like_safetensors(all) || detail::begins_like_legacy_pth(all);
  return detail::ends_like_checkpoint(all.substr(all.size() - std::min(all.size(), detail::archive_end)));
}

}  // namespace pellucid
