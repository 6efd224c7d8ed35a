#pragma once
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <pellucid/core/average.hpp>
#include <pellucid/core/execution.hpp>
#include <pellucid/core/subject.hpp>

namespace pellucid {

/// Averages, over variants of a subject's images, what `ask` finds out about them: the step from `average` to
/// attribution methods.
///
///   make(variants) → Tensor, a variant of an image per row
///   ask(model, subject of those rows) → Tensor, one row per variant
template <class M, class S, class Make, class Ask>
Average average_over(const M& model, const S& subject, AveragePlan plan, Make&& make, Ask&& ask) {
  plan.images = subject.images.size(0);
  plan.micro_batch = execution_of(model).micro_batch;
  return average(
      plan,
      [&](const std::vector<Variant>& variants) -> Tensor {
        std::vector<std::int64_t> rows, samples;
        for (const Variant& variant : variants) {
          rows.push_back(variant.image);
          samples.push_back(variant.sample);
        }
        // Samples beyond those planned (an open-ended plan) are no progress.
        const auto place = [&](const Variant& variant, std::int64_t behind) {
          return variant.image * plan.samples + std::min(variant.sample + behind, plan.samples);
        };
        const std::int64_t begun = place(variants.front(), 0), ended = place(variants.back(), 1);
        const auto part = subject.report.part(begun, ended - begun, plan.images * plan.samples);
        return ask(model, subject.with(make(variants), rows, samples, part));
      },
      subject.report);
}

/// Each image once, as it is.
template <class S>
auto as_it_is(const S& subject) {
  return [&subject](const std::vector<Variant>& variants) {
    return subject.images.narrow(0, variants.front().image, std::int64_t(variants.size()));
  };
}

}  // namespace pellucid
