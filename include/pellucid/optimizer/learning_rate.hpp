#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>

namespace pellucid {

/// The rate that promises the same progress in each step: min(limit, progress / ‖g‖²), so that by the first
/// guess the objective grows by `progress`.
///
/// Yosinski et al., "Understanding neural networks through deep visualization", 2015 (their code).
struct ProgressRate {
  double progress = 2;  ///< of the objective, above 0
  double limit = 1e8;   ///< of the rate, above 0
};

/// The rate that changes each image by the same amount in each step: change / RMS(g), so that the root mean
/// square of the change of x is `change`.
struct NormalizedRate {
  double change = 0.01;  ///< in the unit of x, above 0
};

/// One rate after another; the last goes on. Where the rate drops, momentum begins anew.
struct ScheduledRate {
  /// A rate, and how long it holds.
  struct Phase {
    std::int64_t steps = 0;  ///< 1 or more
    double rate = 0;         ///< above 0
  };
  std::vector<Phase> phases{};  ///< in their order, at least one
};

/// How far a step goes along the gradient: a constant, or a rate that depends on the gradient or on the step.
class LearningRate {
 public:
  LearningRate(double rate) : kind_(rate) {}                            // NOLINT: a number is a rate
  LearningRate(ProgressRate rate) : kind_(rate) {}                      // NOLINT
  LearningRate(NormalizedRate rate) : kind_(rate) {}                    // NOLINT
  LearningRate(ScheduledRate schedule) : kind_(std::move(schedule)) {}  // NOLINT

  void check() const {
    const auto refuse = [](const std::string& what, double value) {
      throw Error("learning rate: " + what + " of " + std::to_string(value) + " was given; give more than 0");
    };
    const auto positive = [&](const std::string& what, double value) {
      if (!(value > 0) || !std::isfinite(value)) refuse(what, value);
    };
    if (const auto* rate = std::get_if<double>(&kind_)) positive("a rate", *rate);
    if (const auto* rate = std::get_if<NormalizedRate>(&kind_)) positive("a change", rate->change);
    if (const auto* rate = std::get_if<ProgressRate>(&kind_)) {
      positive("a progress", rate->progress);
      positive("a limit", rate->limit);
    }
    if (const auto* schedule = std::get_if<ScheduledRate>(&kind_)) {
      if (schedule->phases.empty())
        throw Error("learning rate: a schedule without a phase was given; give one");
      for (const auto& phase : schedule->phases) {
        positive("a rate", phase.rate);
        if (phase.steps < 1) refuse("a phase", double(phase.steps));
      }
    }
  }

  /// The rates of a step (from 1) for the gradient N×…: a number of each image, N×1×…
  Tensor at(std::int64_t step, const Tensor& gradient) const {
    std::vector<std::int64_t> one_each(std::size_t(gradient.dim()), 1);
    one_each[0] = gradient.size(0);
    const auto all = [&](double rate) { return torch::full(one_each, rate, gradient.options()); };
    if (const auto* rate = std::get_if<double>(&kind_)) return all(*rate);
    if (const auto* schedule = std::get_if<ScheduledRate>(&kind_)) return all(phase(*schedule, step).rate);
    const Tensor squares = gradient.square().flatten(1);
    // Where the gradient is zero any rate will do, but not infinity.
    if (const auto* rate = std::get_if<ProgressRate>(&kind_))
      return (rate->progress / squares.sum(1)).clamp_max(rate->limit).view(one_each);
    const double change = std::get<NormalizedRate>(kind_).change;
    return (change / squares.mean(1).sqrt().clamp_min(smallest)).view(one_each);
  }

  /// Whether a phase of a lower rate begins with this step.
  bool drops_at(std::int64_t step) const {
    const auto* schedule = std::get_if<ScheduledRate>(&kind_);
    return schedule != nullptr && step > 1 && phase(*schedule, step).rate < phase(*schedule, step - 1).rate;
  }

 private:
  static constexpr double smallest = 1e-30;

  static const ScheduledRate::Phase& phase(const ScheduledRate& schedule, std::int64_t step) {
    for (const auto& phase : schedule.phases) {
      if (step <= phase.steps) return phase;
      step -= phase.steps;
    }
    return schedule.phases.back();
  }

  std::variant<double, ProgressRate, NormalizedRate, ScheduledRate> kind_;
};

}  // namespace pellucid
