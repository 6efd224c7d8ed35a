#pragma once
/// The kinds of work that a browser can ask for. Each is one function, in a file of its own: it checks what
/// was asked, at once, and gives the wish.

#include <pellucid/activation/receptive_field.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "explore/world.hpp"

namespace pellucid::app {

/// Makes a wish of what was asked; its key and kind are filled in by who asks. Throws Refused or Error.
using Kind = Wish (*)(World& world, const Asked& asked);

Wish predict_wish(World& world, const Asked& asked);
Wish explain_wish(World& world, const Asked& asked);
Wish activations_wish(World& world, const Asked& asked);
Wish neuron_wish(World& world, const Asked& asked);
Wish index_wish(World& world, const Asked& asked);
Wish attack_wish(World& world, const Asked& asked);
Wish smallest_wish(World& world, const Asked& asked);
Wish dream_wish(World& world, const Asked& asked);
Wish invert_wish(World& world, const Asked& asked);

/// The methods, attacks and presets, with their options in words, for the page.
Json methods_told();
Json attacks_told();
Json presets_told();

/// GET …/patches: from the index of a layer.
Response patches_of(World& world, const Request& request);
/// GET …/patch: what a place of a layer saw of an image, as a PNG.
Response patch_picture(World& world, const Request& request);
/// What the places of a layer see of images of this size: found once, which takes about 30 passes.
ReceptiveField field_of(const Explored& model, const std::string& layer, std::int64_t height,
                        std::int64_t width);
/// The layers of a model that have an index.
std::vector<std::string> indexed_layers(const World& world, const Explored& model);

}  // namespace pellucid::app
