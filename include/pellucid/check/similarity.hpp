#pragma once
#include <vector>

#include <pellucid/core/images.hpp>
#include <pellucid/core/torch.hpp>

namespace pellucid {

namespace detail {

/// The rank of each value among those of a vector, from 1; equal ones share the mean of their ranks.
inline Tensor ranks(const Tensor& values) {
  const auto [sorted, order] = torch::sort(values);
  const auto [distinct, which, counts] =
      torch::unique_consecutive(sorted, /*return_inverse=*/true, /*return_counts=*/true);
  const Tensor last = counts.cumsum(0).to(torch::kDouble);
  const Tensor mean = last - (counts.to(torch::kDouble) - 1) / 2;
  return torch::empty(values.sizes(), torch::kDouble).index_put_({order}, mean.index_select(0, which));
}

/// a·b / (‖a‖ ‖b‖) of vectors; 0 where one is zero.
inline double cosine(const Tensor& a, const Tensor& b) {
  const double lengths = a.norm().item<double>() * b.norm().item<double>();
  return lengths > 0 ? a.dot(b).item<double>() / lengths : 0;
}

}  // namespace detail

/// The cosine of the angle between a and b, N×…, for each row: N in [−1, 1]; 0 where one is zero everywhere.
/// Throws Error for NaN and infinity.
inline Tensor cosine_between(const Tensor& a, const Tensor& b) {
  const torch::NoGradGuard no_grad;
  for (const Tensor& map : {a, b}) detail::check_map(map);
  std::vector<double> rows;
  for (std::int64_t n = 0; n < a.size(0); ++n)
    rows.push_back(detail::cosine(a[n].flatten().to(torch::kCPU, torch::kDouble),
                                  b[n].flatten().to(torch::kCPU, torch::kDouble)));
  return torch::tensor(rows, torch::kDouble);
}

/// Spearman's rank correlation of a and b, N×…, for each row: that of their ranks, N in [−1, 1]. 0 where all
/// values of one are equal. Throws Error for NaN and infinity.
inline Tensor rank_correlation(const Tensor& a, const Tensor& b) {
  const torch::NoGradGuard no_grad;
  for (const Tensor& map : {a, b}) detail::check_map(map);
  const auto centred = [](const Tensor& row) {
    const Tensor ranks = detail::ranks(row.flatten().to(torch::kCPU, torch::kDouble));
    return ranks - ranks.mean();
  };
  std::vector<double> rows;
  for (std::int64_t n = 0; n < a.size(0); ++n) rows.push_back(detail::cosine(centred(a[n]), centred(b[n])));
  return torch::tensor(rows, torch::kDouble);
}

}  // namespace pellucid
