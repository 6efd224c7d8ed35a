#pragma once
#include <utility>
#include <vector>

#include <pellucid/objective/per_image.hpp>

namespace pellucid {

/// The score of a class, before softmax: S_k. `Class{281}` for all images, `Class{{207, 281}}` for one each.
struct Class {
  PerImage label = 0;  ///< the class, from 0: one for all images, or one for each

  static constexpr const char* layer = "";  ///< the scores

  /// scores N×K → N
  Tensor of(const Tensor& scores) const {
    if (scores.dim() != 2)
      throw Error(c10::str("the model gives a tensor of shape ", scores.sizes(), "; Class needs scores N×K"));
    const Tensor labels = label.tensor(scores.size(0), scores.size(1), "class", scores.device());
    return scores.gather(1, labels.unsqueeze(1)).squeeze(1);
  }

  /// For how many images something is named.
  std::int64_t count() const { return std::int64_t(label.values().size()); }

  void check(std::int64_t images) const { label.check_count(images); }

  Class select(const std::vector<std::int64_t>& rows) const { return {label.select(rows)}; }
};

}  // namespace pellucid
