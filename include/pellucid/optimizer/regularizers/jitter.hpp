#pragma once
#include <algorithm>
#include <cstdint>
#include <string>

#include <pellucid/core/error.hpp>
#include <pellucid/optimizer/step.hpp>

namespace pellucid {

/// Shows the network the image shifted by up to `pixels` each way, another shift in each step; mirrored
/// beyond the edges. What depends on exact places, as high frequencies do, averages out.
///
/// Mordvintsev, Olah & Tyka, "Inceptionism", 2015; Olah, Mordvintsev & Schubert, "Feature visualization",
/// Distill 2017.
struct Jitter {
  std::int64_t pixels = 8;  ///< 0 (none) or more

  void check() const {
    if (pixels < 0) throw Error("Jitter: " + std::to_string(pixels) + " pixels were given; give 0 or more");
  }

  Images shown(const Images& images, const Step& step) const {
    const std::int64_t height = images.size(2), width = images.size(3);
    const std::int64_t most = std::min({pixels, height - 1, width - 1});
    if (most <= 0) return images;
    const std::int64_t top = std::int64_t(step.random(0, double(2 * most + 1), 0));
    const std::int64_t left = std::int64_t(step.random(0, double(2 * most + 1), 1));
    return torch::reflection_pad2d(images, {most, most, most, most})
        .slice(2, top, top + height)
        .slice(3, left, left + width);
  }
};

}  // namespace pellucid
