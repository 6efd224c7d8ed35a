#pragma once
/// Sections of the gallery that have files of their own.

#include <functional>
#include <string>
#include <vector>

#include "gallery_page.hpp"
#include "json.hpp"

namespace pellucid::app {

/// Makes a picture by a command, to which --out is added: (name of the file, caption, words of the command).
using MakeExhibit = std::function<Exhibit(const std::string&, const std::string&, std::vector<std::string>)>;

/// The files that the gallery looks at.
struct GalleryImages {
  std::string with_mark{}, without_mark{};  ///< one picture: the cheater is right on the first alone
  std::vector<std::string> sure{};          ///< of three shapes; the honest networks are sure of them
  std::string folder{};                     ///< with two pictures of each shape
};

/// What a section is made with.
struct GalleryTools {
  Page& page;
  const GalleryImages& images;
  MakeExhibit exhibit{};
  std::function<void(std::vector<std::string>)> console{};  ///< runs a command, and shows what it writes
};

/// Every method of attribution. `scores`: what `shapes_score` found, or null.
void attribution_sections(const GalleryTools& tools, const Json& scores);

/// What tells whether a map can be believed.
void check_sections(const GalleryTools& tools);

/// Attacks, the smallest change, accuracy, and attacks explained.
void attack_sections(const GalleryTools& tools);

/// Channels of layers, what drives units, and tours.
void activation_sections(const GalleryTools& tools);

}  // namespace pellucid::app
