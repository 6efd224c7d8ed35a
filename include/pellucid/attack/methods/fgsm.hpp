#pragma once
#include <cmath>
#include <string>

#include <pellucid/attack/attack.hpp>
#include <pellucid/objective/average_over.hpp>
#include <pellucid/objective/cross_entropy.hpp>
#include <pellucid/objective/differentiate.hpp>

namespace pellucid {

/// The fast gradient sign method: one step of ε in every pixel, away from the label or towards a target,
///   x' = clamp(x + ε · sign(∂ CE(x, label)/∂x), 0, 1)      sign(0) = 0
///   x' = clamp(x − ε · sign(∂ CE(x, target)/∂x), 0, 1)     with a target
/// ε in pixel values, [0, 1]. Values outside that range are clamped into it, so moved further than ε.
///
/// Goodfellow, Shlens & Szegedy, "Explaining and harnessing adversarial examples", 2014.
struct FGSM {
  double epsilon = 4.0 / 255;  ///< ε, 0 or more
  PerImage target{};           ///< the class to reach; left out: away from the label

  void check() const {
    if (!(epsilon >= 0) || !std::isfinite(epsilon))
      throw Error("FGSM: epsilon is " + std::to_string(epsilon) +
                  "; give a change per pixel, 0 or more (4/255 is usual)");
  }

  template <class M, class S>
  Adversarial operator()(const M& model, const S& subject) const {
    if (!target.empty()) target.check_count(subject.images.size(0));
    const Subject loss =
        subject.about(CrossEntropy{target.empty() ? subject.objective.label : target}, subject.report);
    const Tensor gradient = average_over(model, loss, {}, as_it_is(loss), [](const M& m, const auto& part) {
                              return differentiate(part.objective, m, part.images).gradient;
                            }).mean;
    Adversarial found{
        torch::add(subject.images, gradient.sign(), target.empty() ? epsilon : -epsilon).clamp(0, 1)};
    const Tensor moved = gradient.flatten(1).abs().amax(1).cpu();
    for (std::int64_t row = 0; row < moved.size(0); ++row)
      if (moved[row].template item<double>() == 0) found.unmoved.push_back(row);
    return found;
  }
};

}  // namespace pellucid
