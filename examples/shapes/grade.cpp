#include "grade.hpp"

#include <cmath>

namespace shapes {

Grade grade(const Tensor& attribution, const Tensor& mask, const Tensor& watermark_mask) {
  const Tensor counts = attribution.detach().to(torch::kCPU, torch::kDouble).abs().sum(0);
  const double all = counts.sum().item<double>();
  if (all == 0) return {};
  const auto share = [&](const Tensor& where) {
    return counts.masked_select(where).sum().item<double>() / all;
  };
  return {mask.flatten()[counts.argmax().item<std::int64_t>()].item<bool>(), share(mask),
          share(watermark_mask)};
}

Estimate proportion(std::int64_t successes, std::int64_t trials) {
  constexpr double z = 1.96;
  const double n = double(trials), p = double(successes) / n;
  const double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {p, middle - half, middle + half};
}

Estimate mean_of(const std::vector<double>& values) {
  const double n = double(values.size());
  double sum = 0, squares = 0;
  for (const double value : values) sum += value;
  const double mean = sum / n;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double half = n > 1 ? 1.96 * std::sqrt(squares / (n - 1) / n) : INFINITY;
  return {mean, mean - half, mean + half};
}

}  // namespace shapes
