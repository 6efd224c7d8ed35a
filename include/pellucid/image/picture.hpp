#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pellucid {

/// What a person looks at: 8-bit RGB, rows from top to bottom, pixels from left to right.
struct Picture {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb{};  ///< height × width × 3

  std::uint8_t* at(int x, int y) {
    return rgb.data() + 3 * (std::size_t(y) * std::size_t(width) + std::size_t(x));
  }
  const std::uint8_t* at(int x, int y) const {
    return rgb.data() + 3 * (std::size_t(y) * std::size_t(width) + std::size_t(x));
  }
};

}  // namespace pellucid
