#pragma once
#include <cstddef>
#include <string_view>

#include <pellucid/core/files.hpp>

namespace pellucid::detail {

/// A zip archive, as PyTorch writes since 1.6.
inline bool begins_like_zip(std::string_view bytes) {
  return bytes.starts_with("PK\x03\x04") || bytes.starts_with("PK\x05\x06");
}

/// A safetensors file: a size of eight bytes, then JSON.
inline bool begins_like_safetensors(std::string_view bytes) {
  return bytes.size() > 8 && bytes[8] == '{' && !begins_like_zip(bytes);
}

/// What PyTorch wrote before 1.6: a pickle of a magic number, and then others.
inline bool begins_like_legacy_pth(std::string_view bytes) {
  return bytes.starts_with("\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19");
}

/// As many bytes of a zip archive's end as are looked at for its directory, which names all that is in it.
inline constexpr std::size_t archive_end = 1 << 20;

/// Whether a zip archive with this end holds a checkpoint, parameters without a program: TorchScript has its
/// constants beside them.
inline bool ends_like_checkpoint(std::string_view end) {
  return end.find("/data.pkl") != end.npos && end.find("/constants.pkl") == end.npos;
}

/// Refuses what a checkout holds in the place of a file that nobody fetched.
inline void refuse_lfs_pointer(const InputName& file, std::string_view bytes) {
  if (bytes.starts_with("version https://git-lfs"))
    file.refuse("it is a Git LFS pointer, and the file that it stands for was not downloaded (git lfs pull)");
}

}  // namespace pellucid::detail
