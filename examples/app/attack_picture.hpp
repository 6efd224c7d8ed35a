#pragma once
#include <string>
#include <vector>

#include <pellucid/image/picture.hpp>

#include "attack_accuracy.hpp"
#include "attack_result.hpp"
#include "methods.hpp"

namespace pellucid::app {

/// What an attribution method says of an image before and after an attack: each about the class that the
/// model gives it, and about the label.
struct AttackExplained {
  Tensor before_own{}, before_label{}, after_own{}, after_label{};  ///< 1×…
};

/// A sheet: for each image it, the change (amplified), the attacked image, and where there are more than two
/// steps the curve of the probabilities; for what is no image, the channels of the change.
Picture attack_picture(const std::vector<AttackResult>& all, const Labels& labels, const AttackChoice& choice,
                       const std::string& title);

/// The same, and under each image's row the attributions of both.
Picture attack_explained_picture(const std::vector<AttackResult>& all,
                                 const std::vector<AttackExplained>& explained, View view,
                                 const Labels& labels, const AttackChoice& choice, const std::string& title);

/// The share of images against ε.
Picture accuracy_picture(const std::vector<AccuracyPoint>& points, const AttackChoice& choice,
                         const std::string& counted, const std::string& title);

}  // namespace pellucid::app
