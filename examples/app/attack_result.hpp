#pragma once
#include <pellucid/attack/step.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attack_methods.hpp"
#include "json.hpp"
#include "setup.hpp"

namespace pellucid::app {

/// What `attack` did to one image.
struct AttackResult {
  std::string file{}, shown{};  ///< as it was given; without its folder
  Tensor image{}, attacked{};   ///< 1×…; of several ε the attacked ones are not kept
  std::int64_t label = 0;       ///< the class to get away from
  std::optional<std::int64_t> target{};
  std::vector<AttackStep> steps{};
  Passes passes{};
  std::optional<double> minimal_epsilon{};  ///< by the method that looks for it: what it found
  bool unmoved = false;                     ///< no way to go was found
  std::vector<std::string> notices{};

  bool succeeded() const { return steps.back().reached; }
};

Answer answer(const AttackStep& step);

/// "away from golden retriever (207)", "tiger (292) not reached"
std::string outcome(const AttackResult& result, const Labels& labels);

/// A few lines and a table for a person.
std::string as_text(const AttackResult& result, const Labels& labels, const AttackChoice& choice);

/// One entry of "images".
Json as_json(const AttackResult& result, const Labels& labels, const AttackChoice& choice);

/// Its parts: which image and classes, what the model says at a step, and what came of it.
Json json_of_image(const AttackResult& result, const Labels& labels);
Json json_of_answer(const AttackStep& step, const Labels& labels);
Json json_of_outcome(const AttackResult& result);

}  // namespace pellucid::app
