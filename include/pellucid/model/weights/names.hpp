#pragma once
#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/model/weights/checkpoint.hpp>
#include <pellucid/model/weights/naming_schemes.hpp>

namespace pellucid {

namespace detail {

/// What the placeholders of a pattern stand for in a name.
struct Placeholders {
  std::array<std::int64_t, 3> numbers{};  ///< i, j, k
  std::string_view word{};                ///< *
};

/// The number that a text begins with, and is taken from. None where it has leading zeros or more than six
/// digits: no network is that large, and no two names are one.
inline std::optional<std::int64_t> take_number(std::string_view& text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || digits > 6 || (digits > 1 && text[0] == '0')) return std::nullopt;
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + digits, number);
  text.remove_prefix(digits);
  return number;
}

/// The placeholders' values with which the pattern is the name, if there are any.
inline std::optional<Placeholders> match(std::string_view pattern, std::string_view name) {
  Placeholders found;
  while (!pattern.empty()) {
    if (pattern == "{*}") {
      if (name.empty() || name.find('.') != name.npos) return std::nullopt;
      found.word = name;
      return found;
    }
    if (pattern.front() == '{') {
      const auto number = take_number(name);
      if (!number) return std::nullopt;
      found.numbers[std::size_t(pattern[1] - 'i')] = *number;
      pattern.remove_prefix(3);
    } else {
      if (name.empty() || name.front() != pattern.front()) return std::nullopt;
      pattern.remove_prefix(1);
      name.remove_prefix(1);
    }
  }
  return name.empty() ? std::optional(found) : std::nullopt;
}

/// The value of what stands between braces: `*`, or `i`, `2i`, `i+1`, `2i+1`.
inline std::string value_of(std::string_view expression, const Placeholders& values) {
  if (expression == "*") return std::string(values.word);
  const std::int64_t factor = take_number(expression).value_or(1);
  const std::int64_t number = values.numbers[std::size_t(expression.front() - 'i')];
  expression.remove_prefix(std::min<std::size_t>(2, expression.size()));  // the letter and the +
  return std::to_string(factor * number + take_number(expression).value_or(0));
}

inline std::string filled_in(std::string_view pattern, const Placeholders& values) {
  std::string name;
  for (std::size_t open = 0; (open = pattern.find('{')) != pattern.npos;) {
    const std::size_t close = pattern.find('}');
    name.append(pattern.substr(0, open)).append(value_of(pattern.substr(open + 1, close - open - 1), values));
    pattern.remove_prefix(close + 1);
  }
  return name.append(pattern);
}

/// Sizes of 1 added to the end, or taken from it, until there are so many (0: as many as there are).
inline Tensor with_dimensions(Tensor tensor, std::int64_t dimensions) {
  if (dimensions == 0) return tensor;
  while (tensor.dim() < dimensions) tensor = tensor.unsqueeze(-1);
  while (tensor.dim() > dimensions && tensor.size(-1) == 1) tensor = tensor.squeeze(-1);
  return tensor;
}

inline const NamingScheme* naming_scheme_of(const Checkpoint& checkpoint) {
  for (const NamingScheme& scheme : naming_schemes)
    for (const auto& [name, tensor] : checkpoint.tensors)
      if (match(scheme.lines.front().from, name)) return &scheme;
  return nullptr;
}

}  // namespace detail

/// A checkpoint with torchvision's names, whichever library wrote it.
///
/// Known are the ConvNeXt of facebookresearch/ConvNeXt, timm (whose ResNet has torchvision's names) and
/// Hugging Face (`ConvNextForImageClassification`), and the ResNet of Hugging Face
/// (`ResNetForImageClassification`); `detail::naming_schemes` lists every name. Tensors that torchvision has
/// in another shape get that: layer scales C become C×1×1, linear layers' weights M×C×1×1 become M×C. They
/// share their values with the given ones and keep their order.
///
/// Names of torchvision stay, and so do names that nobody knows: load_into tells what is missing and extra.
/// Names say nothing about strides: a Hugging Face ResNet with `downsample_in_bottleneck` or
/// `downsample_in_first_stage` loads as well, and gives other scores.
/// Throws Error when two tensors come to have one name.
///
///     load_into(*network, with_torchvision_names(read_safetensors(file)), file);
inline Checkpoint with_torchvision_names(Checkpoint checkpoint) {
  const detail::NamingScheme* scheme = detail::naming_scheme_of(checkpoint);
  if (scheme == nullptr) return checkpoint;

  std::unordered_map<std::string, std::string> given;  // what each was called
  for (auto& [name, tensor] : checkpoint.tensors) {
    const std::string before = name;
    for (const detail::Renaming& line : scheme->lines) {
      if (const auto values = detail::match(line.from, before)) {
        name = detail::filled_in(line.to, *values);
        tensor = detail::with_dimensions(std::move(tensor), line.dimensions);
        break;
      }
    }
    const auto [other, added] = given.emplace(name, before);
    if (!added)
      throw Error("a checkpoint with the names of " + std::string(scheme->library) + " holds both " +
                  detail::shown(other->second) + " and " + detail::shown(before) +
                  ", which torchvision calls " + detail::shown(name) +
                  "; a checkpoint with the names of one library is expected");
  }
  return checkpoint;
}

}  // namespace pellucid
