#pragma once
/// What a browser asked for, as values in their ranges.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "explore/http.hpp"
#include "json.hpp"

namespace pellucid::app {

/// The entries of a JSON object from outside. Each throws Refused that says what was given and what is
/// expected.
class Asked {
 public:
  /// The object in a request's body.
  static Asked of(const std::string& body);
  explicit Asked(Json entries) : entries_(std::move(entries)) {}

  std::string text(const std::string& name) const;
  std::string text_or(const std::string& name, const std::string& left_out) const;
  std::int64_t integer(const std::string& name, std::int64_t least, std::int64_t most) const;
  std::optional<std::int64_t> integer_or_none(const std::string& name, std::int64_t least,
                                              std::int64_t most) const;
  double number(const std::string& name, double least, double most) const;
  std::optional<double> number_or_none(const std::string& name, double least, double most) const;
  std::vector<std::string> texts(const std::string& name, std::size_t most) const;
  /// [y, x]
  std::optional<std::pair<std::int64_t, std::int64_t>> place(const std::string& name) const;
  Asked part(const std::string& name) const;

  /// The same for everything that means the same.
  std::string key() const;
  const Json& all() const { return entries_; }

 private:
  const Json* find(const std::string& name) const;
  [[noreturn]] void refuse(const std::string& name, const std::string& expected) const;

  Json entries_;
};

}  // namespace pellucid::app
