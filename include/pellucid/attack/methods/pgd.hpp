#pragma once
#include <cstdint>

#include <pellucid/attack/iterative.hpp>

namespace pellucid {

/// Projected gradient descent: from a random point of the ball of radius ε around the image, `steps` steps
/// uphill, each followed by the way back into the ball and into [0, 1],
///   L∞: x ← clamp(x + α · sign g)                            ‖x' − image‖∞ ≤ ε
///   L2: x ← image + δ · min(1, ε/‖δ‖),  δ = x + α · g/‖g‖ − image      ‖x' − image‖₂ ≤ ε
/// g = ∂ CE(x, label)/∂x (− and the target's, towards a target), sign(0) = 0 and 0/0 = 0. ε and α in pixel
/// values; in L2 of the whole image: a change of d in each of n values is d·√n long. Exactly within ε in
/// images of 32 and 64 bits, but values outside [0, 1] (up to 0.01; more is refused) are clamped into it by
/// the first step.
///
/// Of several restarts the best is kept: one that reached the aim, then the one with the highest loss. Its
/// start is evenly spread over the ball, a function of the seed, the image's number and the restart. A
/// restart takes `steps` + 1 forward passes and `steps` backward.
///
/// Madry, Makelov, Schmidt, Tsipras & Vladu, "Towards deep learning models resistant to adversarial attacks",
/// 2017.
struct PGD {
  double epsilon = 4.0 / 255;  ///< ε, 0 or more; for Norm::two one such as 0.5
  double step_size = 0;        ///< α; 0: 2.5 ε / steps, which reaches any point of the ball from any other
  std::int64_t steps = 40;     ///< at least 1
  Norm norm = Norm::infinity;  ///< how ε and α are measured
  std::int64_t restarts = 1;   ///< at least 1
  bool random_start = true;    ///< false: from the image itself
  std::uint64_t seed = 0;      ///< the same seed gives the same starts
  PerImage target{};           ///< the class to reach; left out: away from the label
  bool stop_early = false;     ///< an image whose answer is as wished goes no further

  void check() const { iterations().check("PGD"); }

  /// α as it is used, settled where `step_size` is 0.
  double step_length() const { return step_size == 0 ? 2.5 * epsilon / double(steps) : step_size; }

  template <class M, class S>
  Adversarial operator()(const M& model, const S& subject) const {
    return detail::iterate(model, subject, iterations());
  }

 private:
  detail::Iterations iterations() const {
    return {.epsilon = epsilon,
            .step_size = step_length(),
            .steps = steps,
            .norm = norm,
            .restarts = restarts,
            .random_start = random_start,
            .seed = seed,
            .target = target,
            .stop_early = stop_early};
  }
};

}  // namespace pellucid
