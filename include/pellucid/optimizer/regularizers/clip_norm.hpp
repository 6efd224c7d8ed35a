#pragma once
#include <pellucid/optimizer/regularizers/clip.hpp>

namespace pellucid {

/// Sets pixels of small norm to the mean: those whose √Σ_channels x² is below the percentile of all norms of
/// the image, x with the mean image taken off. What is left is the part of the image that counts.
///
/// Yosinski et al., "Understanding neural networks through deep visualization", 2015.
struct ClipNorm {
  double percentile = 0;  ///< 0 (none) to 100

  void check() const { detail::check_percentile("ClipNorm", percentile); }

  Tensor after(const Tensor& centered, const Step&) const {
    return detail::clip_below(centered, centered.square().sum(1, true).sqrt(), percentile);
  }
};

}  // namespace pellucid
