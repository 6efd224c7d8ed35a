#pragma once
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pellucid/core/torch.hpp>

namespace pellucid {

/// Tensors and their names, in an order that means something.
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// What a file of weights holds, whatever its format.
struct Checkpoint {
  NamedTensors tensors{};                         ///< in the file's order
  std::map<std::string, std::string> metadata{};  ///< what the file says about itself

  /// The tensor of that name, or nullptr.
  const Tensor* find(std::string_view name) const {
    for (const auto& [other, tensor] : tensors)
      if (other == name) return &tensor;
    return nullptr;
  }
};

namespace detail {

/// A name from an untrusted file as a message shows it: quoted, of bounded length, without control
/// characters.
inline std::string shown(std::string_view name) {
  constexpr std::size_t most = 80;
  std::string text(name.substr(0, most));
  if (name.size() > most) {
    std::size_t end = most;  // no character is cut in two
    while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
    text = text.substr(0, end) + "…";
  }
  for (char& c : text) c = static_cast<unsigned char>(c) < ' ' || c == '\x7F' ? '?' : c;
  return "'" + text + "'";
}

}  // namespace detail

}  // namespace pellucid
