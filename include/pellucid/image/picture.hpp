#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pellucid {

/// What a person looks at: 8-bit RGB, rows from top to bottom, pixels from left to right.
struct Picture {
  int width = 0;                    ///< pixels
  int height = 0;                   ///< pixels
  std::vector<std::uint8_t> rgb{};  ///< height × width × 3

  /// The three bytes of a pixel that is there, red first.
  std::uint8_t* at(int x, int y) {
    return rgb.data() + 3 * (std::size_t(y) * std::size_t(width) + std::size_t(x));
  }
  /// The same.
  const std::uint8_t* at(int x, int y) const {
    return rgb.data() + 3 * (std::size_t(y) * std::size_t(width) + std::size_t(x));
  }
};

}  // namespace pellucid
