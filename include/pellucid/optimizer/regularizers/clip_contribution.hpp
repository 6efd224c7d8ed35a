#pragma once
#include <pellucid/optimizer/regularizers/clip.hpp>

namespace pellucid {

/// Sets pixels of small contribution to the mean: those whose |Σ_channels x · ∂objective/∂x| is below the
/// percentile of all contributions, x after the step and the gradient before it: the first guess of how the
/// objective changes when the pixel is taken away.
///
/// Yosinski et al., "Understanding neural networks through deep visualization", 2015.
struct ClipContribution {
  double percentile = 0;  ///< 0 (none) to 100

  void check() const { detail::check_percentile("ClipContribution", percentile); }

  Tensor after(const Tensor& centered, const Step& step) const {
    return detail::clip_below(centered, (centered * step.gradient).sum(1, true).abs(), percentile);
  }
};

}  // namespace pellucid
