#pragma once
#include <nlohmann/json.hpp>

#include <cmath>
#include <iostream>
#include <string>

namespace pellucid::app {

/// Keys stay in the order in which they are written.
using Json = nlohmann::ordered_json;

/// Writes the one document of --json. Bytes of a file name that are no UTF-8 are replaced.
inline void print(const Json& document) {
  std::cout << document.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

/// The text, or null where there is none.
inline Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

}  // namespace pellucid::app
