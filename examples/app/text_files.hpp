#pragma once
/// Files as one string.

#include <pellucid/core/files.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>

namespace pellucid::app {

/// The bytes of a file, or the first `most` of them.
inline std::string contents_of(InputFile& file,
                               std::uintmax_t most = std::numeric_limits<std::uintmax_t>::max()) {
  std::string bytes(std::size_t(std::min<std::uintmax_t>(file.size(), most)), '\0');
  file.read(bytes.data(), bytes.size());
  return bytes;
}

/// Writes a whole file, or none.
inline void write_text(const std::filesystem::path& file, const std::string& text) {
  AtomicFile whole(file);
  whole.write(text.data(), text.size());
  whole.commit();
}

}  // namespace pellucid::app
