#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/objective/cross_entropy.hpp>

namespace pellucid {

/// What the model says of an image on its way: a row in the table of an attack. Step 0 is the image as it
/// was; a second row of step 0 is a random start that needs no step.
struct AttackStep {
  std::int64_t step = 0;                       ///< steps made
  std::int64_t predicted = 0;                  ///< the class that the model gives it
  double probability = 0;                      ///< of that class (softmax)
  double label_probability = 0;                ///< of the label to get away from
  std::optional<double> target_probability{};  ///< where there is a target
  double epsilon = 0;    ///< how far from the original the image may be at this step, in the attack's norm
  bool reached = false;  ///< the answer is as wished: not the label, or the target
};

/// How often an image went through the model. A batch of variants of it counts as one pass.
struct Passes {
  std::int64_t forward = 0;   ///< with or without a gradient
  std::int64_t backward = 0;  ///< for the gradient
};

/// What an attack wants of the model: another answer than the label, or the target where there is one. As an
/// objective it is the loss whose gradient an attack follows: the cross-entropy of the one or the other.
struct Aim {
  PerImage label = 0;  ///< the class to get away from
  PerImage target{};   ///< the class to reach; left out: any but the label

  static constexpr const char* layer = "";  ///< the scores

  /// scores N×K → N, in nats
  Tensor of(const Tensor& scores) const { return CrossEntropy{target.empty() ? label : target}.of(scores); }

  /// Which way along the gradient of the loss: 1 away from the label, −1 towards the target.
  double direction() const { return target.empty() ? 1 : -1; }

  void check(std::int64_t images) const {
    label.check_count(images);
    if (!target.empty()) target.check_count(images);
  }

  Aim select(const std::vector<std::int64_t>& rows) const {
    return {label.select(rows), target.select(rows)};
  }

  /// What probabilities N×K say, as rows of the images' tables; step and ε are the caller's to fill in.
  std::vector<AttackStep> steps(const Tensor& probabilities) const {
    const auto [most, predicted] = probabilities.max(1);
    const Tensor of_label = Class{label}.of(probabilities);
    const Tensor of_target = target.empty() ? Tensor() : Class{target}.of(probabilities);
    const auto number = [](const Tensor& values, std::int64_t row) { return values[row].item<double>(); };
    std::vector<AttackStep> result;
    for (std::int64_t row = 0; row < probabilities.size(0); ++row) {
      AttackStep& step = result.emplace_back();
      step.predicted = predicted[row].item<std::int64_t>();
      step.probability = number(most, row);
      step.label_probability = number(of_label, row);
      if (of_target.defined()) step.target_probability = number(of_target, row);
      step.reached = target.empty() ? step.predicted != label.of(row) : step.predicted == target.of(row);
    }
    return result;
  }
};

}  // namespace pellucid
