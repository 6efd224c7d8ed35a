#pragma once
/// The trained networks that come with the program.

#include <pellucid/core/execution.hpp>
#include <pellucid/model/any_model.hpp>
#include <pellucid/model/preprocess.hpp>

#include <string>
#include <vector>

namespace shapes {

/// shapes-convnext, shapes-vgg and shapes-cheater.
const std::vector<std::string>& shipped_names();

bool is_shipped(const std::string& name);

/// How pictures of any size go into these networks: at 64×64 pixels.
pellucid::Preprocess preprocess();

/// Throws pellucid::Error when its weights are not where they were when the program was built.
pellucid::AnyModel load_shipped(const std::string& name, pellucid::Preprocess preprocess,
                                pellucid::Execution execution);

}  // namespace shapes
