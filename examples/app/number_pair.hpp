#pragma once
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace pellucid::app {

/// Two whole numbers with a sign between them, as 0-15 or 1/4; nothing for any other text.
inline std::optional<std::pair<std::int64_t, std::int64_t>> number_pair(const std::string& text,
                                                                        char between) {
  std::pair<std::int64_t, std::int64_t> numbers;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, numbers.first);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != between) return std::nullopt;
  const auto second = std::from_chars(first.ptr + 1, end, numbers.second);
  if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
  return numbers;
}

}  // namespace pellucid::app
