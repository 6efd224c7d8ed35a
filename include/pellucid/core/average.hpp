#pragma once
#include <algorithm>
#include <cstdint>
#include <new>
#include <string_view>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/moments.hpp>
#include <pellucid/core/torch.hpp>

namespace pellucid {

/// One variant of one image: what a method evaluates.
struct Variant {
  std::int64_t image = 0;   ///< the image's row in the call
  std::int64_t sample = 0;  ///< which of its variants
};

/// What to average over, and how far.
struct AveragePlan {
  std::int64_t images = 1;        ///< each averaged by itself
  std::int64_t samples = 1;       ///< variants of each image
  std::int64_t first = 0;         ///< the number of the first of them; even for pairs
  std::int64_t micro_batch = 8;   ///< variants evaluated at once
  std::vector<double> weights{};  ///< one per sample; empty: all equal
  bool pairs = false;             ///< samples 2i and 2i+1 are antithetic: their mean is one independent draw
  double until = 0;  ///< > 0: go on until ‖standard error‖₂ / ‖mean‖₂ of the image is below it…
  std::int64_t most_samples = 0;  ///< …or this many samples were taken
};

/// The averages of all images, stacked along dimension 0.
struct Average {
  Tensor mean{};            ///< weighted, where weights are given
  Tensor variance{};        ///< unbiased, of the independent draws; undefined for one sample
  Tensor standard_error{};  ///< of the mean; infinite for one draw (a pair), undefined for one sample
  std::vector<std::int64_t> samples{};  ///< taken of each image
};

/// Whether an exception says that memory ran out, on the CPU or on a device.
inline bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return true;
  const std::string_view what = error.what();
  for (const std::string_view sign :
       {"out of memory", "can't allocate memory", "not enough memory", "std::bad_alloc"})
    if (what.find(sign) != std::string_view::npos) return true;
  return false;
}

namespace detail {

/// The size of the next part of what is left, in as few parts as possible and all alike: a small rest would
/// cost more for each image than a whole part.
inline std::int64_t next_part(std::int64_t left, std::int64_t most) {
  const std::int64_t parts = (left + most - 1) / most;
  return (left + parts - 1) / parts;
}

}  // namespace detail

/// The one loop behind every method that asks a model many questions about an image.
///
/// Goes through the variants image by image, evaluates them in micro-batches, which may span images and are
/// of one size where it is known how many there will be, and folds each result into its image's running
/// moments.
///   evaluate(variants) → Tensor, one row per Variant
///   report(done, total) → progress
/// The folding order does not depend on the micro-batch. When memory runs out the micro-batch is halved and
/// the work goes on; at one image that is an Error.
template <class Evaluate, class Report>
Average average(const AveragePlan& plan, Evaluate&& evaluate, const Report& report) {
  constexpr std::int64_t round = 16;  // samples between two looks at the standard error; even, for pairs

  std::int64_t micro_batch = plan.micro_batch;
  // Of the current image. One that may go on must not end its first round with half a pair.
  const std::int64_t first_round = plan.pairs && plan.until > 0
                                       ? std::min(plan.samples + plan.samples % 2, plan.most_samples)
                                       : plan.samples;
  std::int64_t wanted = first_round;
  Variant next;
  Moments moments;
  Tensor half_a_pair;
  Average result;
  std::vector<Tensor> means, variances, errors;
  const bool single = plan.samples == 1 && plan.until <= 0;  // nothing to fold

  const auto fold = [&](const Tensor& value, std::int64_t sample) {
    const double weight = plan.weights.empty() ? 1.0 : plan.weights[std::size_t(sample)];
    if (!plan.pairs) return moments.add(value, weight);
    if (sample % 2 == 0 && sample + 1 < wanted) {
      half_a_pair = value;
    } else if (sample % 2 == 1) {
      moments.add((half_a_pair + value).div_(2), 2);
    } else {
      moments.add(value, 1);  // an odd number of samples ends with a single
    }
  };
  const auto goes_on = [&] {
    if (plan.until <= 0 || next.sample >= plan.most_samples) return false;
    const double error = moments.standard_error().norm().template item<double>();
    return error > plan.until * moments.mean().norm().template item<double>();
  };
  const auto finish_image = [&] {
    means.push_back(moments.mean());
    variances.push_back(moments.variance());
    errors.push_back(moments.standard_error());
    result.samples.push_back(next.sample);
    moments = {};
    wanted = first_round;
    next = {next.image + 1, 0};
  };

  while (next.image < plan.images) {
    std::vector<Variant> batch;
    const std::int64_t left = (plan.images - next.image) * plan.samples - next.sample;
    const std::int64_t size = plan.until > 0 ? micro_batch : detail::next_part(left, micro_batch);
    for (Variant v = next; std::int64_t(batch.size()) < size && v.image < plan.images;) {
      batch.push_back(v);
      if (++v.sample < wanted) continue;
      if (plan.until > 0) break;  // whether this image goes on is known only after this batch
      v = {v.image + 1, 0};
    }
    std::vector<Variant> numbered = batch;
    for (Variant& variant : numbered) variant.sample += plan.first;
    Tensor values;
    try {
      values = evaluate(numbered);
    } catch (const std::exception& error) {
      if (!is_out_of_memory(error)) throw;
      if (micro_batch == 1)
        throw Error("not enough memory for one image: give smaller images, or a machine with more memory",
                    Fault::failure);
      micro_batch /= 2;
      continue;
    }
    const torch::NoGradGuard no_grad;
    if (single) {
      means.push_back(values);
      next = {batch.back().image + 1, 0};
    }
    for (std::size_t row = 0; !single && row < batch.size(); ++row) {
      fold(values[std::int64_t(row)], batch[row].sample);
      next.sample = batch[row].sample + 1;
      if (next.sample < wanted) continue;
      if (goes_on()) {
        wanted = std::min(next.sample + round, plan.most_samples);
      } else {
        finish_image();
      }
    }
    report(
        std::min(next.image * plan.samples + std::min(next.sample, plan.samples), plan.images * plan.samples),
        plan.images * plan.samples);
  }
  if (single) {
    result.mean = means.size() == 1 ? means[0] : torch::cat(means);
    result.samples.assign(std::size_t(plan.images), 1);
    return result;
  }
  result.mean = torch::stack(means);
  result.variance = torch::stack(variances);
  result.standard_error = torch::stack(errors);
  return result;
}

}  // namespace pellucid
