#pragma once
#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/core/error.hpp>

namespace pellucid::detail {

/// How many letters must be inserted, deleted or replaced to turn one word into another (Levenshtein 1966).
inline std::size_t edit_distance(const std::string& from, const std::string& to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= from.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

/// Refuses a layer name that is not among those of a model. `about()` tells what else is known of the name.
template <class About>
void check_layer(const std::string& name, const std::vector<std::string>& names, const About& about) {
  if (name.empty() || std::find(names.begin(), names.end(), name) != names.end()) return;
  const auto calls = std::count_if(names.begin(), names.end(),
                                   [&](const std::string& other) { return other.starts_with(name + "#"); });
  if (calls > 0)
    throw Error("layer '" + name + "' is called " + std::to_string(calls) +
                " times in one pass: say which call, '" + name + "#1' to '" + name + "#" +
                std::to_string(calls) + "'");
  std::string message = "there is no layer '" + name + "' to be seen in this model." + about();
  if (names.empty()) throw Error(message + " No layer of it can be seen.");
  std::vector<std::string> closest = names;
  // Names within the one asked for count as close: what is in a container is near it.
  const auto distance = [&](const std::string& other) {
    return edit_distance(name, other.starts_with(name + ".") ? other.substr(0, name.size() + 2) : other);
  };
  std::stable_sort(closest.begin(), closest.end(),
                   [&](const auto& a, const auto& b) { return distance(a) < distance(b); });
  closest.resize(std::min<std::size_t>(closest.size(), 3));
  message += " The closest:";
  for (const std::string& other : closest) message += " " + other;
  throw Error(message + ". All " + std::to_string(names.size()) +
              " are listed by model.layers(images), or by: pellucid layers --model ...");
}

}  // namespace pellucid::detail
