#pragma once
#include <pellucid/model/preprocess.hpp>

#include <string>

namespace pellucid::app {

/// What --preprocess says: `imagenet`, `unchanged`, or a JSON file
///   {"resize": 256, "crop": 224, "mean": [r, g, b], "std": [r, g, b], "interpolation": "bilinear"}
/// in which every key may be left out. Throws Error that names the file and the key.
Preprocess preprocess_from(const std::string& given);

}  // namespace pellucid::app
