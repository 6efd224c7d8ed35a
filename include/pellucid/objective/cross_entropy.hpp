#pragma once
#include <vector>

#include <pellucid/objective/class.hpp>

namespace pellucid {

/// How wrong the model is about a label: −ln softmax(S)_label. What attacks make larger.
struct CrossEntropy {
  PerImage label = 0;  ///< the class, from 0: one for all images, or one for each

  static constexpr const char* layer = "";  ///< the scores

  /// scores N×K → N, in nats
  Tensor of(const Tensor& scores) const {
    const Tensor of_label = Class{label}.of(scores);
    return scores.logsumexp(1) - of_label;
  }

  void check(std::int64_t images) const { label.check_count(images); }

  CrossEntropy select(const std::vector<std::int64_t>& rows) const { return {label.select(rows)}; }
};

}  // namespace pellucid
