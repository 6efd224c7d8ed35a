#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/core/subject.hpp>

namespace pellucid {

/// What an attribution method finds.
struct Explanation {
  Explanation() = default;
  Explanation(Tensor found) : attribution(std::move(found)) {}  // NOLINT: a method may return a tensor

  Tensor
      attribution{};  ///< N×C×H×W, N×1×H×W or a layer's shape, as the method says: how much each value counts
  Tensor standard_error{};  ///< of an averaged attribution, in the same shape, infinite after one draw;
                            ///< undefined for the others
  std::vector<std::int64_t> samples{};  ///< taken for each image, by methods that average
  Tensor completeness_gap{};    ///< N: Σ attribution − completeness_whole, by methods that promise 0; of a
                                ///< layer's values before they are laid over the image
  Tensor completeness_whole{};  ///< N: objective(x) − objective(baseline), with it
  std::multimap<std::int64_t, std::string> notices{};  ///< what a person should know beside the picture of
                                                       ///< an image, by its row
};

/// A subject with what explains it.
template <class S>
using Explained = Adding<S, Explanation>;

}  // namespace pellucid
