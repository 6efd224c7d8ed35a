#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <pellucid/attribution/attribution.hpp>
#include <pellucid/attribution/baseline.hpp>
#include <pellucid/core/quadrature.hpp>
#include <pellucid/objective/average_over.hpp>
#include <pellucid/objective/differentiate.hpp>

namespace pellucid {

/// Integrated gradients: the gradient averaged along the straight line from a baseline b to the image,
///   A = (x − b) ⊙ ∫₀¹ ∂S(b + t(x − b))/∂x dt
/// by Gauss–Legendre quadrature. Complete: Σ A = S(x) − S(b); the gap that the quadrature leaves is reported
/// for each image. N×C×H×W, in units of score.
///
/// Sundararajan, Taly & Yan, "Axiomatic attribution for deep networks", 2017.
struct IntegratedGradients {
  std::int64_t steps = 50;                ///< nodes of the quadrature, at least 1
  Baseline baseline = Baseline::black();  ///< b

  void check() const {
    if (steps < 1)
      throw Error("IntegratedGradients: steps is " + std::to_string(steps) +
                  "; at least 1 is needed (50 is usual)");
  }

  template <class M, class S>
  Explanation operator()(const M& model, const S& subject) const {
    const Quadrature rule = gauss_legendre(steps);
    const Tensor from = baseline.of(subject);
    const Tensor way = subject.images - from;
    const auto on_the_way = [&](const std::vector<Variant>& variants) {
      const Images batch = detail::room_for(std::int64_t(variants.size()), subject.images);
      for (std::size_t i = 0; i < variants.size(); ++i) {
        const Variant& v = variants[i];
        Tensor row = batch[std::int64_t(i)];
        torch::add_out(row, from[v.image], way[v.image], rule.nodes[std::size_t(v.sample)]);
      }
      return batch;
    };
    // Of steps + 2 passes, the last two are for the completeness gap.
    const auto at = [&](std::int64_t pass, std::int64_t passes) {
      auto there = subject;
      there.report = subject.report.part(pass, passes, steps + 2);
      return there;
    };
    const Tensor gradient =
        average_over(model, at(0, steps), {.samples = steps, .weights = rule.weights}, on_the_way,
                     [](const M& m, const auto& part) {
                       return differentiate(part.objective, m, part.images).gradient;
                     })
            .mean;
    Explanation result = way * gradient;
    const auto ends = [&](const std::vector<Variant>& variants) {
      const Images batch = detail::room_for(std::int64_t(variants.size()), subject.images);
      for (std::size_t i = 0; i < variants.size(); ++i) {
        const Variant& v = variants[i];
        batch[std::int64_t(i)].copy_((v.sample == 0 ? from : subject.images)[v.image]);
      }
      return batch;
    };
    const torch::NoGradGuard no_grad;
    const Tensor values = ask_about_each(model, at(steps, 2), 2, ends,
                                         [](const M& m, const auto& part, const std::vector<Variant>&) {
                                           return evaluate(part.objective, m, part.images);
                                         });
    result.completeness_whole = values.select(1, 1) - values.select(1, 0);
    result.completeness_gap = result.attribution.flatten(1).sum(1) - result.completeness_whole;
    return result;
  }
};

}  // namespace pellucid
