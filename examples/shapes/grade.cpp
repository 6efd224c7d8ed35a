#include "grade.hpp"

#include <algorithm>
#include <cmath>

namespace shapes {

namespace {

/// In pixels, of a picture with this side.
double near(std::int64_t side) {
  return std::round(15.0 / 224 * double(side));
}

}  // namespace

Grade grade(const Tensor& attribution, const Tensor& mask, const Tensor& watermark_mask) {
  const Tensor counts = attribution.detach().to(torch::kCPU, torch::kDouble).abs().sum(0);
  const double all = counts.sum().item<double>();
  if (all == 0) return {};
  const auto share = [&](const Tensor& where) {
    return counts.masked_select(where).sum().item<double>() / all;
  };
  const std::int64_t side = counts.size(1), strongest = counts.argmax().item<std::int64_t>();
  const Tensor places = mask.nonzero() - torch::tensor({strongest / side, strongest % side});
  const double away = places.pow(2).sum(1).min().item<double>();  // squared, in pixels
  return {away <= near(side) * near(side), away == 0, share(mask), share(watermark_mask)};
}

double share_near(const Tensor& mask) {
  const Tensor everywhere = torch::ones_like(mask).nonzero().to(torch::kDouble);
  const Tensor away = torch::cdist(everywhere, mask.nonzero().to(torch::kDouble)).amin(1);
  return (away <= near(mask.size(0)) + 1e-6).to(torch::kDouble).mean().item<double>();
}

Estimate proportion(std::int64_t successes, std::int64_t trials) {
  constexpr double z = 1.96;
  const double n = double(trials), p = double(successes) / n;
  const double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
  const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {p, std::max(middle - half, 0.0), std::min(middle + half, 1.0)};
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
