#pragma once
/// `attack --explain`: what a method says of the images before and after.

#include <string>
#include <vector>

#include "attack_picture.hpp"

namespace pellucid::app {

/// The methods that explain pixels, as a sentence lists them.
std::string pixel_method_names();

/// Refuses a method that is not there, or that explains the values of a layer.
void check_explains_pixels(const std::string& method);

/// The method, tried on the first image: what the model or the images do not go with is refused before they
/// are attacked.
Explain explain_prepared(const std::string& method, const Setup& setup);

/// The maps of each image before and after its attack. What is to be known of them joins its notices.
std::vector<AttackExplained> explain_attacks(const Explain& explain, const Setup& setup,
                                             std::vector<AttackResult>& all);

}  // namespace pellucid::app
