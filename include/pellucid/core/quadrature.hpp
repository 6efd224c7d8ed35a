#pragma once
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

namespace pellucid {

/// Nodes and weights of a rule ∫₀¹ f(t) dt ≈ Σ wₖ f(tₖ).
struct Quadrature {
  std::vector<double> nodes{};    ///< tₖ
  std::vector<double> weights{};  ///< wₖ, which add up to 1
};

/// The Gauss–Legendre rule with n nodes on [0, 1]: exact for polynomials of degree 2n − 1. The nodes are the
/// roots of the Legendre polynomial Pₙ, found by Newton's method.
inline Quadrature gauss_legendre(std::int64_t n) {
  Quadrature rule{std::vector<double>(std::size_t(n)), std::vector<double>(std::size_t(n))};
  for (std::int64_t k = 0; k < n; ++k) {
    double x = -std::cos(std::numbers::pi * (double(k) + 0.75) / (double(n) + 0.5));
    double slope = 0;
    for (int iteration = 0; iteration < 100; ++iteration) {
      double p = 1, before = 0;  // Pⱼ(x) and Pⱼ₋₁(x), by their recurrence
      for (std::int64_t j = 1; j <= n; ++j) {
        const double older = before;
        before = p;
        p = ((2 * double(j) - 1) * x * before - (double(j) - 1) * older) / double(j);
      }
      slope = double(n) * (x * p - before) / (x * x - 1);
      const double step = p / slope;
      x -= step;
      if (std::abs(step) < 1e-15) break;
    }
    rule.nodes[std::size_t(k)] = (x + 1) / 2;
    rule.weights[std::size_t(k)] = 1 / ((1 - x * x) * slope * slope);
  }
  return rule;
}

}  // namespace pellucid
