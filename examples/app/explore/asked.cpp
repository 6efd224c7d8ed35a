#include "explore/asked.hpp"

#include <pellucid/core/digest.hpp>

#include <cmath>

#include "text.hpp"

namespace pellucid::app {

namespace {

constexpr std::size_t longest_text = 500;

/// Whole numbers that JavaScript tells apart.
constexpr std::int64_t largest = std::int64_t{1} << 53;

}  // namespace

Asked Asked::of(const std::string& body) {
  // Without the limit a body of brackets would nest as deep as it is long.
  constexpr int deepest = 8;
  const auto not_too_deep = [](int depth, Json::parse_event_t, Json&) {
    if (depth > deepest) throw Refused(400, "the request is nested too deep");
    return true;
  };
  Json entries = Json::parse(body, not_too_deep, false);
  if (!entries.is_object()) throw Refused(400, "the request must be a JSON object");
  return Asked(std::move(entries));
}

const Json* Asked::find(const std::string& name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() || found->is_null() ? nullptr : &*found;
}

void Asked::refuse(const std::string& name, const std::string& expected) const {
  const Json* const given = find(name);
  const std::string text =
      given == nullptr ? "nothing" : given->dump(-1, ' ', false, Json::error_handler_t::replace);
  throw Refused(400, "\"" + name + "\": " + text.substr(0, 80) + " was given; " + expected + " is expected");
}

std::string Asked::text(const std::string& name) const {
  const Json* const given = find(name);
  if (given == nullptr || !given->is_string() || given->get_ref<const std::string&>().size() > longest_text)
    refuse(name, "a text of at most " + std::to_string(longest_text) + " letters");
  return given->get<std::string>();
}

std::string Asked::text_or(const std::string& name, const std::string& left_out) const {
  return find(name) == nullptr ? left_out : text(name);
}

std::optional<std::int64_t> Asked::integer_or_none(const std::string& name, std::int64_t least,
                                                   std::int64_t most) const {
  const Json* const given = find(name);
  if (given == nullptr) return std::nullopt;
  const std::string expected =
      "a whole number from " + std::to_string(least) + (most < largest ? " to " + std::to_string(most) : "");
  if (!given->is_number_integer() ||
      (given->is_number_unsigned() && given->get<std::uint64_t>() > std::uint64_t(largest)))
    refuse(name, expected);
  const auto value = given->get<std::int64_t>();
  if (value < least || value > most) refuse(name, expected);
  return value;
}

std::int64_t Asked::integer(const std::string& name, std::int64_t least, std::int64_t most) const {
  const auto value = integer_or_none(name, least, most);
  if (!value) refuse(name, "a whole number from " + std::to_string(least));
  return *value;
}

std::optional<double> Asked::number_or_none(const std::string& name, double least, double most) const {
  const Json* const given = find(name);
  if (given == nullptr) return std::nullopt;
  const std::string expected = "a number from " + app::number(least) + " to " + app::number(most);
  if (!given->is_number()) refuse(name, expected);
  const double value = given->get<double>();
  if (!std::isfinite(value) || value < least || value > most) refuse(name, expected);
  return value;
}

double Asked::number(const std::string& name, double least, double most) const {
  const auto value = number_or_none(name, least, most);
  if (!value) refuse(name, "a number from " + app::number(least) + " to " + app::number(most));
  return *value;
}

std::vector<std::string> Asked::texts(const std::string& name, std::size_t most) const {
  const Json* const given = find(name);
  const std::string expected = "a list of 1 to " + std::to_string(most) + " texts";
  if (given == nullptr || !given->is_array() || given->empty() || given->size() > most)
    refuse(name, expected);
  std::vector<std::string> all;
  for (const Json& one : *given) {
    if (!one.is_string() || one.get_ref<const std::string&>().size() > longest_text) refuse(name, expected);
    all.push_back(one.get<std::string>());
  }
  return all;
}

std::optional<std::pair<std::int64_t, std::int64_t>> Asked::place(const std::string& name) const {
  const Json* const given = find(name);
  if (given == nullptr) return std::nullopt;
  if (!given->is_array() || given->size() != 2) refuse(name, "[row, column]");
  const Asked both(Json{{"row", (*given)[0]}, {"column", (*given)[1]}});
  constexpr std::int64_t most = 1 << 20;
  return std::pair{both.integer("row", 0, most), both.integer("column", 0, most)};
}

Asked Asked::part(const std::string& name) const {
  const Json* const given = find(name);
  if (given == nullptr) return Asked(Json::object());
  if (!given->is_object()) refuse(name, "a JSON object");
  return Asked(*given);
}

std::string Asked::key() const {
  // Sorted, whatever the order in which they came.
  const nlohmann::json sorted =
      nlohmann::json::parse(entries_.dump(-1, ' ', false, Json::error_handler_t::replace));
  return digest_of(sorted.dump()).substr(0, 24);
}

}  // namespace pellucid::app
