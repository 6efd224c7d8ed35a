#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/model/weights/checkpoint.hpp>

namespace pellucid {

/// The options of a family of networks with the name that the variant has everywhere: `vgg16_bn`.
template <class Options>
using Variants = std::vector<std::pair<std::string, Options>>;

/// Reads the options of a network off the shapes in a checkpoint.
///
/// The checkpoint must outlive it. Whatever does not look like the family is refused with an Error of one
/// sentence, which begins with `what` (a file's name) and says that it is no `family` ("VGG").
class ShapeReader {
 public:
  /// what: begins the message of a refusal. family: the kind of network that is looked for, such as "VGG".
  ShapeReader(const Checkpoint& checkpoint, std::string what, std::string family)
      : what_(std::move(what)), family_(std::move(family)) {
    for (const auto& [name, tensor] : checkpoint.tensors) shapes_.emplace(name, tensor.sizes());
  }

  /// Whether there is a tensor of that name.
  bool has(const std::string& name) const { return shapes_.contains(name); }

  /// The shape of a tensor that must be there and fit the pattern, in which −1 stands for any size above 0.
  std::vector<std::int64_t> shape(const std::string& name, const std::vector<std::int64_t>& pattern) const {
    const auto found = shapes_.find(name);
    if (found == shapes_.end()) refuse("it has no tensor '" + name + "'");
    const torch::IntArrayRef sizes = found->second;
    bool fits = sizes.size() == pattern.size();
    for (std::size_t i = 0; fits && i < sizes.size(); ++i)
      fits = sizes[i] > 0 && (pattern[i] < 0 || sizes[i] == pattern[i]);
    if (!fits) {
      std::string expected;
      for (const std::int64_t size : pattern)
        expected += (expected.empty() ? "" : ", ") + (size < 0 ? "any" : std::to_string(size));
      refuse(c10::str("its tensor '", name, "' is of shape ", sizes, " where [", expected, "] is expected"));
    }
    return sizes.vec();
  }

  /// How many of `before` 0 `behind`, `before` 1 `behind`, … there are in a row.
  std::int64_t count(const std::string& before, const std::string& behind) const {
    std::int64_t number = 0;
    while (has(before + std::to_string(number) + behind)) ++number;
    return number;
  }

  /// Throws Error: `what` is not a checkpoint of a `family` that can be loaded, for this reason.
  [[noreturn]] void refuse(const std::string& reason) const {
    throw Error(what_ + " is not a checkpoint of a " + family_ + " that can be loaded: " + reason +
                "; load it as the network that it was made from");
  }

 private:
  std::string what_, family_;
  std::unordered_map<std::string_view, torch::IntArrayRef> shapes_{};
};

}  // namespace pellucid
