#pragma once
#include <cstdint>
#include <string>

#include <pellucid/core/error.hpp>
#include <pellucid/image/blur.hpp>
#include <pellucid/optimizer/step.hpp>

namespace pellucid {

/// A Gaussian blur of the image every few steps: takes off high frequencies, which gradients bring in.
///
/// Yosinski et al., "Understanding neural networks through deep visualization", 2015.
struct Blur {
  double width = 1.0;      ///< standard deviation in pixels, 0 (none) or more
  std::int64_t every = 4;  ///< in steps: at those whose number is a multiple of it

  void check() const {
    if (!(width >= 0))
      throw Error("Blur: a width of " + std::to_string(width) + " pixels was given; give 0 or more");
    if (every < 1)
      throw Error("Blur: every " + std::to_string(every) + " steps was asked for; give 1 or more");
  }

  Tensor after(const Tensor& centered, const Step& step) const {
    return width > 0 && step.number % every == 0 ? gaussian_blur(centered, width) : centered;
  }
};

}  // namespace pellucid
