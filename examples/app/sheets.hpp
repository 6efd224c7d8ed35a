#pragma once
/// The parts that the pictures of several commands are put together from.

#include <pellucid/core/torch.hpp>
#include <pellucid/image/picture.hpp>
#include <pellucid/render/canvas.hpp>
#include <pellucid/render/colormap.hpp>
#include <pellucid/render/sheet.hpp>

#include <string>
#include <vector>

namespace pellucid::app {

/// A colour bar behind a few words that say what it is for.
Picture explained_bar(const std::string& words, Sign sign);

/// An image 1×3×H×W as it is.
Picture photo(const Tensor& image);

/// The channels of anything, 1×…, as heat maps: one map of N×C×L, one field for each number of N×K.
Picture channels(const Tensor& values, const std::string& title, bool strongest_first);

/// An empty place in a sheet.
Tile no_tile();

}  // namespace pellucid::app
