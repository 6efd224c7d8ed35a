#pragma once
#include <vector>

#include <pellucid/objective/class.hpp>
#include <pellucid/objective/top_class.hpp>

namespace pellucid {

/// How sure the model is of a class: softmax(S)_k, in [0, 1]. `Probability{281}` for all images,
/// `Probability{{207, 281}}` for one each, `Probability{}` of the class that the model gives each image,
/// which is settled on the image itself.
///
/// Its gradient vanishes where the model is sure: explain the score (`Class`), and ask for the probability
/// where numbers are to be compared.
struct Probability {
  PerImage label{};  ///< left out: the class that the model gives the image

  static constexpr const char* layer = "";  ///< the scores

  /// scores N×K → N
  Tensor of(const Tensor& scores) const {
    const Tensor asked = label.empty() ? TopClass{}.of(scores) : Class{label}.of(scores);
    return (asked - scores.logsumexp(1)).exp();
  }

  template <Model M>
  Probability resolve(const M& model, const Images& images) const {
    return label.empty() ? Probability{TopClass{}.resolve(model, images).label} : *this;
  }

  void check(std::int64_t images) const {
    if (!label.empty()) label.check_count(images);
  }

  Probability select(const std::vector<std::int64_t>& rows) const { return {label.select(rows)}; }
};

}  // namespace pellucid
