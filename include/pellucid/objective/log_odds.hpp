#pragma once
#include <limits>
#include <vector>

#include <pellucid/objective/class.hpp>

namespace pellucid {

/// How sure the model is of a class, without a bound: the logarithm of its odds,
///   ln(p / (1 − p)) = S_k − ln Σ_{j≠k} exp(S_j),   p = softmax(S)_k
/// Unlike the score S_k it grows only where other classes stay behind, and unlike ln p its gradient does not
/// fade where the model is sure.
struct LogOdds {
  PerImage label = 0;  ///< the class, from 0: one for all images, or one for each

  static constexpr const char* layer = "";  ///< the scores

  /// scores N×K → N, in nats; K of 2 or more
  Tensor of(const Tensor& scores) const {
    const Tensor own = Class{label}.of(scores);
    if (scores.size(1) < 2)
      throw Error(
          c10::str("the model gives scores of shape ", scores.sizes(),
                   "; LogOdds needs 2 classes or more: with one there are no others to compare with"));
    const Tensor labels = label.tensor(scores.size(0), scores.size(1), "class", scores.device());
    return own -
           scores.scatter(1, labels.unsqueeze(1), -std::numeric_limits<double>::infinity()).logsumexp(1);
  }

  /// For how many images something is named.
  std::int64_t count() const { return Class{label}.count(); }

  void check(std::int64_t images) const { label.check_count(images); }

  LogOdds select(const std::vector<std::int64_t>& rows) const { return {label.select(rows)}; }
};

}  // namespace pellucid
