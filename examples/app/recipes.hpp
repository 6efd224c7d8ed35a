#pragma once
/// Ways to synthesise an image, by name.

#include <pellucid/model/any_model.hpp>
#include <pellucid/optimizer/synthesis.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "progress_line.hpp"
#include "question.hpp"

namespace pellucid::app {

/// What may be asked of every recipe, where it was given.
struct DreamOptions {
  std::optional<std::int64_t> steps{};
  std::optional<double> learning_rate{};
  std::optional<double> decay{}, blur_width{}, clip_norm{}, clip_contribution{};
  std::optional<std::int64_t> blur_every{};
  std::int64_t size = 0;  ///< of an image from nothing; 0: the model's own
  std::int64_t octaves = 1;
  std::uint64_t seed = 0;
  Images start{};  ///< to begin with; undefined: from nothing

  /// Whether a regularizer of one's own is asked for.
  bool regularized() const { return decay || blur_width || blur_every || clip_norm || clip_contribution; }
};

/// How often a program is told of the images on the way, and by what.
struct Film {
  std::int64_t every = 1;
  std::function<void(const Frame&)> show = [](const Frame&) {};
};

struct Recipe {
  std::string name{};
  std::function<Synthesis(const AnyModel&, const Question&, const DreamOptions&, const Film&, ProgressLine&)>
      run{};
};

/// All that have a name of their own, in the order in which they are compared.
const std::vector<Recipe>& recipes();
/// A recipe of that name; throws Error that lists them.
const Recipe& recipe_named(const std::string& name);
/// Yosinski's four regularizers with the strengths that were given.
const Recipe& custom_recipe();

}  // namespace pellucid::app
