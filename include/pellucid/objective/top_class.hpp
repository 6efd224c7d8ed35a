#pragma once
#include <vector>

#include <pellucid/model/predict.hpp>
#include <pellucid/objective/class.hpp>

namespace pellucid {

/// The score of the class that the model gives the image: max_k S_k. It is settled on the image itself,
/// before noise or a baseline takes its place.
struct TopClass {
  static constexpr const char* layer = "";  ///< the scores

  /// scores N×K → N
  Tensor of(const Tensor& scores) const { return std::get<0>(scores.max(1)); }

  template <Model M>
  Class resolve(const M& model, const Images& images) const {
    const Tensor labels = scores_of(model, images).argmax(1).cpu();
    return {std::vector<std::int64_t>(labels.data_ptr<std::int64_t>(),
                                      labels.data_ptr<std::int64_t>() + labels.numel())};
  }
};

}  // namespace pellucid
