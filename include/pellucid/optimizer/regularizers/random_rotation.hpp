#pragma once
#include <numbers>
#include <string>

#include <pellucid/core/error.hpp>
#include <pellucid/optimizer/regularizers/affine.hpp>
#include <pellucid/optimizer/step.hpp>

namespace pellucid {

/// Shows the network the image turned by up to `degrees` either way about its middle, another angle in each
/// step; mirrored beyond the edges.
///
/// Olah, Mordvintsev & Schubert, "Feature visualization", Distill 2017.
struct RandomRotation {
  double degrees = 5;  ///< 0 (none) to 180

  void check() const {
    if (!(degrees >= 0 && degrees <= 180))
      throw Error("RandomRotation: " + std::to_string(degrees) + " degrees were given; give 0 to 180");
  }

  Images shown(const Images& images, const Step& step) const {
    if (degrees == 0) return images;
    return detail::turned(images, 1, step.random(-degrees, degrees) * std::numbers::pi / 180);
  }
};

}  // namespace pellucid
