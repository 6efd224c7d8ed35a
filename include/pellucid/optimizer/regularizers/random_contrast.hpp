#pragma once
#include <string>

#include <pellucid/core/error.hpp>
#include <pellucid/optimizer/step.hpp>

namespace pellucid {

/// Shows the network the image with its contrast lowered to a share between `least` and `most`, another in
/// each step:
///   0.5 + share · (image − 0.5)
/// What is made must then mean the same when it is faint, so it is told by its form, not by how strong it is.
struct RandomContrast {
  double least = 0.3;  ///< above 0
  double most = 1;     ///< from `least` to 1

  void check() const {
    if (!(least > 0 && most >= least && most <= 1))
      throw Error("RandomContrast: " + std::to_string(least) + " to " + std::to_string(most) +
                  " was given; give shares above 0 and up to 1, the smaller one first");
  }

  Images shown(const Images& images, const Step& step) const {
    return least == 1 ? images : 0.5 + (images - 0.5) * step.random(least, most);
  }
};

}  // namespace pellucid
