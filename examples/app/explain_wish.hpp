#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "methods.hpp"
#include "question.hpp"
#include "setup.hpp"

namespace pellucid::app {

/// The options of `explain`, as they were given.
struct ExplainWish {
  Common common{};
  std::string method = "smoothgrad";
  MethodOptions options{};
  std::vector<std::int64_t> targets{};
  std::string layer{};
  std::optional<std::int64_t> channel{};
  std::vector<std::int64_t> neuron{};  ///< C, or C, Y, X
  bool check = false;

  /// The values of a layer are what they are, whatever is asked about.
  bool asks_nothing() const { return method_named(method).view == View::response; }

  bool names_a_part() const { return channel || !neuron.empty(); }

  bool asks_about_a_layer() const {
    return !layer.empty() && (names_a_part() || method_named(method).layer == LayerIs::asked_about);
  }
};

/// Refuses what makes no sense, before anything is loaded.
void check(const ExplainWish& wish);

/// The layer whose map is made, or whose values are explained, settled here so that it can be told; none
/// where the method has none.
std::string layer_of_method(const ExplainWish& wish, const Setup& setup);

/// What is asked about the images of one input. `labels`: what the model says of them.
std::vector<Question> questions(const ExplainWish& wish, const std::vector<std::int64_t>& labels);

}  // namespace pellucid::app
