#pragma once
#include <pellucid/core/error.hpp>

#include <cstdint>
#include <string>

#include "number_pair.hpp"

namespace pellucid::app {

/// Channels A to B, both included.
struct ChannelRange {
  std::int64_t first = 0, last = 0;
  std::int64_t count() const { return last - first + 1; }
};

/// --channels: A-B, or A.
inline ChannelRange channels_from(const std::string& text) {
  // A alone is A-A.
  const auto numbers = number_pair(text.find('-', 1) == text.npos ? text + "-" + text : text, '-');
  if (!numbers || numbers->first < 0 || numbers->second < numbers->first)
    throw Error("--channels " + text + ": give a channel, as in 7, or the first and the last, as in 0-15");
  return {numbers->first, numbers->second};
}

/// Refuses channels that a layer of `count` channels does not have.
inline void check_channels(const ChannelRange& range, const std::string& text, const std::string& layer,
                           std::int64_t count) {
  if (range.last >= count)
    throw Error("--channels " + text + ": layer '" + layer + "' has " + std::to_string(count) +
                " channels, 0 to " + std::to_string(count - 1));
}

}  // namespace pellucid::app
