#pragma once
/// What an index of patches is about, and what it holds.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <pellucid/activation/scanned_images.hpp>
#include <pellucid/core/digest.hpp>
#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/model/weights/checkpoint.hpp>

namespace pellucid {

namespace detail {

/// "'a', 'b'"; nothing: "none".
inline std::string listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + shown(name);
  return list.empty() ? "none" : list;
}

/// Two texts, one of them as a message shows it: where both would be cut off before they differ, from a
/// little before that.
inline std::string shown_beside(const std::string& text, const std::string& other) {
  constexpr std::size_t common = 24, whole = 80;
  const auto differ = std::mismatch(text.begin(), text.end(), other.begin(), other.end()).first;
  std::size_t begin = std::size_t(differ - text.begin());
  if (std::max(text.size(), other.size()) <= whole || begin <= common) return shown(text);
  for (begin -= common; begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80;) --begin;
  return shown("…" + text.substr(begin));
}

/// In the file each text is ended by a zero byte, which none may hold.
inline void check_text(const std::string& text, const std::string& what) {
  if (text.empty() || text.find('\0') != text.npos)
    throw Error("an image's " + what + " in an index of patches is " + shown(text) +
                "; expected a text that is not empty and holds no zero byte");
}

}  // namespace detail

/// What an index of patches is about. Only indexes about the same can be merged.
struct PatchIndexOf {
  std::vector<std::string> layers{};      ///< their names
  std::vector<std::int64_t> channels{};   ///< of each layer
  std::int64_t top = 9;                   ///< places kept of each channel
  std::string model{};                    ///< digest of its weights
  std::string preprocess{}, execution{};  ///< those of the model, as text

  bool operator==(const PatchIndexOf&) const = default;

  void check() const {
    const auto refuse = [](const std::string& reason) { throw Error("an index of patches " + reason); };
    if (layers.size() != channels.size())
      refuse("is given " + std::to_string(layers.size()) + " layers and the channels of " +
             std::to_string(channels.size()) + "; give a number of channels for each layer");
    const auto too_few = std::find_if(channels.begin(), channels.end(), [](auto count) { return count < 1; });
    if (too_few != channels.end())
      refuse("is given " + std::to_string(*too_few) + " channels for layer " +
             detail::shown(layers[std::size_t(too_few - channels.begin())]) + "; at least 1 is needed");
    if (std::set<std::string>(layers.begin(), layers.end()).size() != layers.size())
      refuse("is given a layer twice in " + detail::listed(layers) + "; name each once");
    if (top < 1) refuse("is to keep the top " + std::to_string(top) + " places; at least 1 is needed");
  }

  /// Which part is another in `other`, with both values, and what the two are called; empty where all are the
  /// same.
  std::string difference(const PatchIndexOf& other, const std::string& one = "one",
                         const std::string& the_other = "the other") const {
    const auto said = [&](const std::string& what, const std::string& mine, const std::string& others) {
      return one + " is " + what + " " + mine + ", " + the_other + " " + others;
    };
    const auto texts = [&](const std::string& what, const std::string& mine, const std::string& others) {
      return said(what, detail::shown_beside(mine, others), detail::shown_beside(others, mine));
    };
    const auto counts = [](const std::vector<std::int64_t>& values) {
      return c10::str("[", c10::Join(", ", values), "]");
    };
    if (model != other.model) return texts("of the model", model, other.model);
    if (layers != other.layers)
      return said("of the layers", detail::listed(layers), detail::listed(other.layers));
    if (channels != other.channels)
      return said("of layers with channels", counts(channels), counts(other.channels));
    if (top != other.top) return said("of the top", std::to_string(top), std::to_string(other.top));
    if (preprocess != other.preprocess)
      return texts("made with the preprocess", preprocess, other.preprocess);
    if (execution != other.execution) return texts("made with the execution", execution, other.execution);
    return {};
  }
};

namespace detail {

/// A place that is kept of a channel.
struct KeptPlace {
  float value = 0;
  DigestBytes image{};
  std::int32_t y = 0, x = 0;

  bool operator==(const KeptPlace&) const = default;
};

using KeptPlaces = std::vector<KeptPlace>;  // strongest first

/// The one order of places, in which no two are equal.
inline bool stronger(const KeptPlace& a, const KeptPlace& b) {
  if (a.value != b.value) return a.value > b.value;
  return std::tie(a.image, a.y, a.x) < std::tie(b.image, b.y, b.x);
}

/// All that an index holds.
struct PatchRecords {
  PatchIndexOf about{};
  ScannedImages images{};
  std::map<std::string, std::string> skipped{};  // names and reasons
  std::vector<std::vector<KeptPlaces>> kept{};   // of each layer, of each channel

  bool operator==(const PatchRecords&) const = default;
};

/// The number that the image of a place has in the list: of several of the same bytes, the first.
inline std::size_t number_of(const KeptPlace& place, const ScannedImages& images) {
  if (const auto number = images.find(place.image)) return *number;
  throw Error("an index of patches was offered a place of the image " + digest_hex(place.image) +
              ", which was not added; add an image when all its offers were made");
}

}  // namespace detail

}  // namespace pellucid
