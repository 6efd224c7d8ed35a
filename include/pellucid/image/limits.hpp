#pragma once
#include <cstdint>
#include <string>

#include <pellucid/core/error.hpp>

namespace pellucid {

/// The largest image that is read or made: 100 megapixels.
inline constexpr std::int64_t max_pixels = 100'000'000;

namespace detail {

/// Asked before memory is: a header of a few bytes can claim any size.
inline void check_pixels(std::int64_t height, std::int64_t width, std::int64_t most) {
  if (height * width <= most) return;
  throw Error("it has " + std::to_string(height) + "×" + std::to_string(width) +
              " pixels (height × width), over the limit of " + std::to_string(most / 1'000'000) +
              " megapixels");
}

}  // namespace detail
}  // namespace pellucid
