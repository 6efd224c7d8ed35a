#pragma once
#include <filesystem>

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

}  // namespace pellucid
