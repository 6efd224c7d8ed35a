#pragma once
#include <string_view>

namespace pellucid::app {

/// A file of the page, built into the program.
struct PageFile {
  std::string_view name, type, text;
};

/// The file of that name, or null.
const PageFile* page_file(std::string_view name);

}  // namespace pellucid::app
