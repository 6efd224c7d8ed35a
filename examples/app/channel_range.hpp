#pragma once
#include <pellucid/core/error.hpp>

#include <charconv>
#include <cstdint>
#include <string>
#include <system_error>

namespace pellucid::app {

/// Channels A to B, both included.
struct ChannelRange {
  std::int64_t first = 0, last = 0;
  std::int64_t count() const { return last - first + 1; }
};

/// --channels: A-B, or A.
inline ChannelRange channels_from(const std::string& text) {
  ChannelRange range;
  const char* const end = text.data() + text.size();
  auto [rest, failure] = std::from_chars(text.data(), end, range.first);
  range.last = range.first;
  if (failure == std::errc() && rest != end && *rest == '-') {
    const auto second = std::from_chars(rest + 1, end, range.last);
    rest = second.ptr, failure = second.ec;
  }
  if (failure != std::errc() || rest != end || range.first < 0 || range.last < range.first)
    throw Error("--channels " + text + ": give a channel, as in 7, or the first and the last, as in 0-15");
  return range;
}

/// Refuses channels that a layer of `count` channels does not have.
inline void check_channels(const ChannelRange& range, const std::string& text, const std::string& layer,
                           std::int64_t count) {
  if (range.last >= count)
    throw Error("--channels " + text + ": layer '" + layer + "' has " + std::to_string(count) +
                " channels, 0 to " + std::to_string(count - 1));
}

}  // namespace pellucid::app
