#pragma once
#include <string>
#include <vector>

#include "finding.hpp"
#include "methods.hpp"
#include "sheets.hpp"

namespace pellucid::app {

/// What of an attribution is drawn over its image.
Sign main_sign(View view);

/// A line for the caption of a map that is zero everywhere; nothing for any other.
std::string zero_caption(const Tensor& attribution);

/// A sheet of what was found: a row for each finding with the image, its heat maps and the two together; for
/// an image that was asked about several classes, a row with one overlay each; for what is no image, or
/// `View::channels`, its channels, those of tokens on their grid.
Picture explain_picture(const std::vector<Finding>& findings, View view, const std::string& method,
                        const Labels& labels);

}  // namespace pellucid::app
