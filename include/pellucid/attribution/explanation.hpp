#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/core/subject.hpp>

namespace pellucid {

/// What an attribution method finds.
struct Explanation {
  Explanation() = default;
  Explanation(Tensor found) : attribution(std::move(found)) {}  // NOLINT: a method may return a tensor

  Tensor attribution{};  ///< N×C×H×W, or the shape of a layer: how much each value counts for the objective
  Tensor standard_error{};  ///< of an averaged attribution, in the same shape; undefined for the others
  std::vector<std::int64_t> samples{};  ///< taken for each image, by methods that average
  Tensor completeness_gap{};  ///< N: Σ attribution − (objective(x) − objective(baseline)), by methods that
                              ///< promise 0
  std::vector<std::string> notices{};  ///< what a person should know beside the picture
};

/// A subject with what explains it.
template <class S>
using Explained = Adding<S, Explanation>;

}  // namespace pellucid
