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
  Tensor image{}, attacked{};   ///< 1×…
  std::int64_t label = 0;       ///< the class to get away from
  std::optional<std::int64_t> target{};
  std::vector<AttackStep> steps{};
  Passes passes{};
  std::optional<double> minimal_epsilon{};  ///< by the method that looks for it: what it found
  std::vector<std::string> notices{};

  bool succeeded() const { return steps.back().reached; }
};

/// Of the images, how many an attack of this size left as they should be (towards a target: brought there).
struct AccuracyPoint {
  double epsilon = 0;
  std::int64_t count = 0, images = 0;

  double share() const { return double(count) / double(images); }
};

Answer answer(const AttackStep& step);

/// "away from golden retriever (207)", "tiger (292) not reached"
std::string outcome(const AttackResult& result, const Labels& labels);

/// A few lines and a table for a person.
std::string as_text(const AttackResult& result, const Labels& labels, const AttackChoice& choice);

/// One entry of "images".
Json as_json(const AttackResult& result, const Labels& labels, const AttackChoice& choice);

/// What is counted at each ε: "still as before", "still class 3", "brought to class 3".
std::string counted(const std::optional<std::int64_t>& label, const std::optional<std::int64_t>& target,
                    const Labels& labels);

}  // namespace pellucid::app
