#pragma once
#include <string>

#include <pellucid/core/error.hpp>
#include <pellucid/optimizer/step.hpp>

namespace pellucid {

/// L2 decay: x ← (1 − decay) · x, x with the mean image taken off. Keeps pixels from extreme values.
///
/// Yosinski et al., "Understanding neural networks through deep visualization", 2015.
struct L2 {
  double decay = 1e-4;  ///< 0 (none) to 1

  void check() const {
    if (!(decay >= 0 && decay <= 1))
      throw Error("L2: a decay of " + std::to_string(decay) + " was given; give a share from 0 to 1");
  }

  Tensor after(const Tensor& centered, const Step&) const { return centered * (1 - decay); }
};

}  // namespace pellucid
