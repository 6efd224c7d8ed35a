#pragma once
/// How numbers and lists read in messages, listings and labels.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace pellucid::app {

template <class Value>
std::string formatted(const char* format, Value value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// Three digits, or all of a larger whole number: 0.0157, 12.3, 1940, 1.2e-05
inline std::string number(double value) {
  return formatted(std::abs(value) >= 100 && std::abs(value) < 1e6 ? "%.0f" : "%.3g", value);
}

/// A probability as per cent: 98.3 %, 0.004 %
inline std::string percent(double share) {
  const double value = 100 * share;
  if (value >= 99.95 && value < 100) return ">99.9 %";
  if (value >= 0.1 || value == 0) return formatted("%.1f %%", value);
  return value >= 1e-4 ? formatted("%.1g %%", value) : "<0.0001 %";
}

template <class Items>
std::string joined(const Items& items, const std::string& between = ", ") {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : between) + std::string(item);
  return text;
}

/// 1×3×224×224
inline std::string shape_text(const std::vector<std::int64_t>& sizes) {
  std::vector<std::string> sides;
  for (const std::int64_t side : sizes) sides.push_back(std::to_string(side));
  return sides.empty() ? "one number" : joined(sides, "×");
}

/// The characters, not the bytes, of UTF-8 text: what columns are aligned by.
inline std::size_t length(const std::string& text) {
  std::size_t characters = 0;
  for (const char c : text) characters += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return characters;
}

inline std::string padded(std::string text, std::size_t width) {
  if (const std::size_t characters = length(text); characters < width) text.append(width - characters, ' ');
  return text;
}

/// One of the lines under a name: what, and what is to be said of it.
inline std::string line(const std::string& what, const std::string& text) {
  return "  " + padded(what, 16) + text + "\n";
}

/// Rows of text whose columns stand under one another.
class Table {
 public:
  explicit Table(std::vector<std::string> header) { add(std::move(header)); }

  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  std::string text() const {
    std::vector<std::size_t> widths(rows_[0].size());
    for (const auto& row : rows_)
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], length(row[i]));
    std::string text;
    for (const auto& row : rows_) {
      std::string line;
      for (std::size_t i = 0; i < row.size(); ++i) line += padded(row[i], widths[i]) + "  ";
      text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
  }

 private:
  std::vector<std::vector<std::string>> rows_{};
};

}  // namespace pellucid::app
