#pragma once
/// Sections of the gallery that have files of their own.

#include <functional>
#include <string>
#include <vector>

#include "gallery_page.hpp"

namespace pellucid::app {

/// Makes a picture by a command, to which --out is added: (name of the file, caption, words of the command).
using MakeExhibit = std::function<Exhibit(const std::string&, const std::string&, std::vector<std::string>)>;

/// Channels of layers, what drives units, and tours, for one picture.
void activation_sections(Page& page, const MakeExhibit& exhibit, const std::string& image);

}  // namespace pellucid::app
