#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>

#include <pellucid/core/torch.hpp>

namespace pellucid {

/// Mean, variance and standard error of tensors seen one by one; memory does not grow with their number.
///
/// Sums are taken relative to the first tensor, so that they do not cancel. With weights w and mean μ:
///   μ = Σ w·x / Σ w,   standard error² = k/(k−1) · Σ w²(x − μ)² / (Σ w)²   for k tensors,
/// which is s²/k for equal weights.
class Moments {
 public:
  /// One tensor more, of the same shape, with its weight w.
  void add(const Tensor& x, double weight = 1) {
    if (count_ == 0) {
      origin_ = x.clone();
      sum_ = torch::zeros_like(origin_);
      weighted_sum_ = torch::zeros_like(origin_);
      squares_ = torch::zeros_like(origin_);
    } else {
      const Tensor d = x - origin_;
      sum_.add_(d, weight);
      weighted_sum_.add_(d, weight * weight);
      squares_.addcmul_(d, d, weight * weight);
    }
    ++count_;
    weights_ += weight;
    squared_weights_ += weight * weight;
  }

  /// How many tensors were added: k.
  std::int64_t count() const { return count_; }

  /// μ of the tensors, of which there must be one.
  Tensor mean() const { return origin_ + sum_ / weights_; }

  /// The unbiased variance s² of equally weighted tensors; zero for one.
  Tensor variance() const {
    return squared_deviations().div_(squared_weights_ / double(count_) *
                                     double(std::max<std::int64_t>(count_ - 1, 1)));
  }

  /// The standard error of `mean()`; infinite for one tensor, of which nothing can be said.
  Tensor standard_error() const {
    if (count_ < 2) return torch::full_like(origin_, std::numeric_limits<float>::infinity());
    const double k = double(count_);
    return squared_deviations().mul_(k / (k - 1)).sqrt_().div_(weights_);
  }

 private:
  /// Σ w²(x − μ)²
  Tensor squared_deviations() const {
    const Tensor shift = sum_ / weights_;  // μ − origin
    return (squares_ - shift * (2 * weighted_sum_ - shift * squared_weights_)).clamp_min_(0);
  }

  std::int64_t count_ = 0;
  double weights_ = 0;
  double squared_weights_ = 0;
  Tensor origin_, sum_, weighted_sum_, squares_;
};

}  // namespace pellucid
