#pragma once
#include <cmath>
#include <string>

#include <pellucid/core/error.hpp>
#include <pellucid/optimizer/regularizers/affine.hpp>
#include <pellucid/optimizer/step.hpp>

namespace pellucid {

/// Shows the network the image at a size between `least` and `most` times its own, another in each step,
/// about its middle; mirrored beyond the edges.
///
/// Olah, Mordvintsev & Schubert, "Feature visualization", Distill 2017.
struct RandomScale {
  double least = 0.95;  ///< above 0
  double most = 1.05;   ///< `least` or more

  void check() const {
    if (!(least > 0 && most >= least) || !std::isfinite(most))
      throw Error("RandomScale: " + std::to_string(least) + " to " + std::to_string(most) +
                  " was given; give factors above 0, the smaller one first");
  }

  Images shown(const Images& images, const Step& step) const {
    return least == 1 && most == 1 ? images : detail::turned(images, step.random(least, most), 0);
  }
};

}  // namespace pellucid
