#pragma once
/// Several values of --epsilon: how many images withstand each.

#include <optional>
#include <string>
#include <vector>

#include "attack_result.hpp"

namespace pellucid::app {

/// The results of all images, for each ε.
using Sweep = std::vector<std::vector<AttackResult>>;

/// Of the images, how many an attack of this size left as they should be (towards a target: brought there).
struct AccuracyPoint {
  double epsilon = 0;
  std::int64_t count = 0, images = 0;
  std::int64_t unmoved = 0;  ///< for which no way to go was found

  double share() const { return double(count) / double(images); }
};

std::vector<AccuracyPoint> accuracy(const AttackChoice& choice, const Sweep& sweep);

/// What is counted: in words, "still as before", "still class 3", "still right", "brought to class 3"; and as
/// the entry is called, since it is the accuracy only where the classes are known.
struct Counted {
  Counted(const std::optional<std::int64_t>& label, const std::optional<std::int64_t>& target,
          bool label_of_each, const Labels& labels);

  std::string words{}, entry{};
};

/// A table for a person, and what there is to know of images.
std::string as_text(const std::vector<AccuracyPoint>& points, const Sweep& sweep, const AttackChoice& choice,
                    const Counted& counted);

/// Adds the images with what became of them at each ε, and the counts.
void add_to(Json& document, const std::vector<AccuracyPoint>& points, const Sweep& sweep,
            const Labels& labels, const Counted& counted);

}  // namespace pellucid::app
