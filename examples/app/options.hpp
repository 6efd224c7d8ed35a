#pragma once
/// What the tables of methods share: which options a method uses, and which took part.

#include <pellucid/core/error.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "json.hpp"
#include "text.hpp"

namespace pellucid::app {

/// An option that takes part in a method, with its value: for JSON, and for people.
using Setting = std::pair<std::string, std::variant<bool, std::int64_t, std::uint64_t, double, std::string>>;

/// The entry "options".
inline Json settings_json(const std::vector<Setting>& settings) {
  Json all = Json::object();
  for (const Setting& setting : settings)
    all[setting.first] = std::visit([](const auto& value) { return Json(value); }, setting.second);
  return all;
}

/// Refuses options that a method does not use. `given`: their names without dashes, and whether they were
/// given; `methods`: by name, each with the set of names that it `uses`.
template <class Method>
void check_used(const std::string& name, const std::vector<std::pair<std::string, bool>>& given,
                const std::map<std::string, Method>& methods) {
  for (const auto& [option, is_given] : given) {
    if (!is_given || methods.at(name).uses.contains(option)) continue;
    std::vector<std::string> others;
    for (const auto& [other, its] : methods)
      if (its.uses.contains(option)) others.push_back(other);
    throw Error("--" + option + " has no meaning for --method " + name + "; leave it out (it belongs to " +
                joined(others) + ")");
  }
}

}  // namespace pellucid::app
