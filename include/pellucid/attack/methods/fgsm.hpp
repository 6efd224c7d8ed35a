#pragma once
#include <cmath>
#include <string>
#include <vector>

#include <pellucid/attack/attack.hpp>
#include <pellucid/attack/ball.hpp>
#include <pellucid/attack/loss_pass.hpp>

namespace pellucid {

/// The fast gradient sign method: one step of ε in every pixel, away from the label or towards a target,
///   x' = clamp(x + ε · sign(∂ CE(x, label)/∂x), 0, 1)      sign(0) = 0
///   x' = clamp(x − ε · sign(∂ CE(x, target)/∂x), 0, 1)     with a target
/// ε in pixel values, [0, 1]: |x' − x| ≤ ε, exactly in images of 32 and 64 bits. Values outside [0, 1] (up
/// to 0.01; more is refused) are clamped into it, so moved further than ε. Two forward passes and one
/// backward; the table has the image before and behind the step.
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
    auto aimed = subject.about(Aim{subject.objective.label, target}, subject.report.part(0, 3, 4));
    aimed.objective.check(subject.images.size(0));
    detail::LossPass before = detail::loss_pass(model, aimed, true);
    subject.report(3, 4);  // a backward pass takes about as long as two forward
    const double size =
        aimed.objective.direction() * detail::rounded_down(epsilon, subject.images.scalar_type());
    aimed.images = detail::moved(subject.images, before.gradient.sign().to(torch::kDouble).mul_(size));
    aimed.report = subject.report.part(3, 1, 4);
    detail::LossPass after = detail::loss_pass(model, aimed, false);

    Adversarial found{aimed.images};
    for (std::size_t row = 0; row < before.steps.size(); ++row) {
      if (before.steepest[row] == 0) found.unmoved.push_back(std::int64_t(row));
      after.steps[row].step = 1;
      after.steps[row].epsilon = epsilon;
      found.steps.push_back({before.steps[row], after.steps[row]});
      found.passes.push_back({.forward = 2, .backward = 1});
    }
    return found;
  }
};

}  // namespace pellucid
