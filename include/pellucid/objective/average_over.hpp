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
  plan.micro_batch = execution_of(model, subject.images).micro_batch;
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
          return variant.image * plan.samples + std::min(variant.sample - plan.first + behind, plan.samples);
        };
        const std::int64_t begun = place(variants.front(), 0), ended = place(variants.back(), 1);
        const auto part = subject.report.part(begun, ended - begun, plan.images * plan.samples);
        return ask(model, subject.with(make(variants), rows, samples, part));
      },
      subject.report);
}

/// What `ask` finds out about each of so many variants of a subject's images, N×variants×…: in micro-batches
/// that may span images, as in `average_over`, and nothing averaged.
///
/// The images that `ask` gets have the draws of noise of their image (not others for each variant), so that
/// what is random in a method is the same for all of them.
template <class M, class S, class Make, class Ask>
Tensor ask_about_each(const M& model, const S& subject, std::int64_t variants, Make&& make, Ask&& ask) {
  const std::int64_t images = subject.images.size(0), all = images * variants;
  const AveragePlan plan{.images = all, .micro_batch = execution_of(model, subject.images).micro_batch};
  const Tensor found = average(
                           plan,
                           [&](const std::vector<Variant>& batch) -> Tensor {
                             std::vector<Variant> which;
                             std::vector<std::int64_t> rows;
                             for (const Variant& one : batch) {
                               which.push_back({one.image / variants, one.image % variants});
                               rows.push_back(one.image / variants);
                             }
                             const auto part =
                                 subject.report.part(batch.front().image, std::int64_t(batch.size()), all);
                             return ask(model, subject.of_rows(make(which), rows, part), which);
                           },
                           subject.report)
                           .mean;
  std::vector<std::int64_t> shape = found.sizes().vec();
  shape[0] = variants;
  shape.insert(shape.begin(), images);
  return found.view(shape);
}

/// Each image once, as it is.
template <class S>
auto as_it_is(const S& subject) {
  return [&subject](const std::vector<Variant>& variants) {
    return subject.images.narrow(0, variants.front().image, std::int64_t(variants.size()));
  };
}

}  // namespace pellucid
