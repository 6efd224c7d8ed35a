#pragma once
#include <cstdint>

#include <pellucid/attack/iterative.hpp>

namespace pellucid {

/// The basic iterative method (iterated FGSM): `steps` small steps, each of which looks at the gradient anew,
///   x ← clamp(x + α · sign(∂ CE(x, label)/∂x)),  clamp: to within ε of the image, and to [0, 1]
/// (− towards a target). sign(0) = 0. ε and α in pixel values: |x' − x| ≤ ε, exactly in images of 32
/// and 64 bits. Values outside [0, 1] (up to 0.01; more is refused) are clamped into it by the first step.
/// `steps` + 1 forward passes and `steps` backward.
///
/// Kurakin's own α is 1 of 255, and his steps min(ε + 4, 1.25 ε): up to ε = 16/255 they go 1.25 ε far in all,
/// which is what α = 0 stands for with any number of steps.
///
/// Kurakin, Goodfellow & Bengio, "Adversarial examples in the physical world", 2016.
struct IFGSM {
  double epsilon = 4.0 / 255;  ///< ε, 0 or more
  double step_size = 0;        ///< α; 0: 1.25 ε / steps
  std::int64_t steps = 10;     ///< at least 1
  PerImage target{};           ///< the class to reach; left out: away from the label
  bool stop_early = false;     ///< an image whose answer is as wished goes no further

  void check() const { iterations().check("IFGSM"); }

  /// α as it is used, settled where `step_size` is 0.
  double step_length() const { return step_size == 0 ? 1.25 * epsilon / double(steps) : step_size; }

  template <class M, class S>
  Adversarial operator()(const M& model, const S& subject) const {
    return detail::iterate(model, subject, iterations());
  }

 private:
  detail::Iterations iterations() const {
    return {.epsilon = epsilon,
            .step_size = step_length(),
            .steps = steps,
            .target = target,
            .stop_early = stop_early};
  }
};

}  // namespace pellucid
