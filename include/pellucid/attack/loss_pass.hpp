#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include <pellucid/attack/step.hpp>
#include <pellucid/model/predict.hpp>
#include <pellucid/objective/average_over.hpp>
#include <pellucid/objective/differentiate.hpp>

namespace pellucid::detail {

/// What one pass of images through a model tells an attack.
struct LossPass {
  std::vector<AttackStep> steps{};  ///< what the model says, variant by variant; step and ε are not filled in
  std::vector<double> losses{};     ///< of the aim, in nats
  Tensor gradient{};                ///< of the loss; undefined where it was not asked for
  std::vector<double> steepest{};   ///< max |gradient| of each image
};

/// Asks about variants of a subject's images, whose objective is an Aim: what the model says of them, how
/// large the loss is and, with_gradient, where it grows. The scores are those of the pass that the gradient
/// needs.
///
/// Throws Error for scores or gradients that are NaN or infinite.
template <class M, class S, class Make>
LossPass loss_pass(const M& model, const S& subject, bool with_gradient, const AveragePlan& plan,
                   const Make& make) {
  LossPass found;
  const Tensor mean = average_over(model, subject, plan, make, [&](const M& m, const auto& part) {
                        Tensor scores;
                        const auto loss = [&](const M& asked, const Images& images) {
                          scores = observe(asked, images, {""})[0];
                          return part.objective.of(scores);
                        };
                        Derivative here;
                        if (with_gradient) {
                          here = differentiate(loss, m, part.images);
                        } else {
                          const torch::NoGradGuard no_grad;
                          // A callable of one's own may overwrite what it is given.
                          here.value = evaluate(loss, m, part.images.clone());
                        }
                        const torch::NoGradGuard no_grad;
                        const auto steps = part.objective.steps(softmax_of(scores.detach(), part.numbers));
                        const Tensor losses = here.value.detach().to(torch::kCPU, torch::kDouble);
                        found.steps.insert(found.steps.end(), steps.begin(), steps.end());
                        for (std::int64_t row = 0; row < losses.numel(); ++row)
                          found.losses.push_back(losses[row].template item<double>());
                        return with_gradient ? here.gradient : here.value.detach();
                      }).mean;
  if (!with_gradient) return found;
  found.gradient = mean;
  check_finite(mean, "the gradient of the loss", "it overflows, or the model divides by zero on the way",
               subject.numbers);
  const Tensor most = largest_magnitudes(mean);
  for (std::int64_t row = 0; row < most.numel(); ++row)
    found.steepest.push_back(most[row].template item<double>());
  return found;
}

/// The same about the images themselves.
template <class M, class S>
LossPass loss_pass(const M& model, const S& subject, bool with_gradient) {
  return loss_pass(model, subject, with_gradient, {}, as_it_is(subject));
}

}  // namespace pellucid::detail
