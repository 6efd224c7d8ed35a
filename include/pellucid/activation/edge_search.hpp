#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace pellucid::detail {

inline std::int64_t floor_of(std::int64_t number, std::int64_t divisor) {
  return number >= 0 ? number / divisor : -((-number + divisor - 1) / divisor);
}

/// Places that follow one another regularly: place u sees the pixels from first + u · stride on.
struct Regular {
  std::int64_t first = 0, stride = 1;
};

/// Finds where the places of a layer begin to see, along one axis, from few probes. Probe c stains the pixels
/// 0 … c; the answer is the last place that saw stained ones, which for regular places is
///   min(⌊(c − first) / stride⌋, places − 1)    where place 0 saw some: c ≥ first.
/// Kept are all pairs of stride and first pixel that fit every answer so far, whoever asked for it. The next
/// probe is the one that leaves the fewest of them whatever the answer, then those that show two steps one
/// after the other: the last pixel before place u, the first of place u, and the same for u + 1. Nothing is
/// found without these, and nothing that a single answer contradicts.
class EdgeSearch {
 public:
  static constexpr std::int64_t largest_stride = 64;

  EdgeSearch(std::int64_t pixels, std::int64_t places) : pixels_(pixels), places_(places) {
    // Two steps show only where there are three places, the last but one begins behind pixel 0, and place 2
    // inside of the image.
    for (std::int64_t stride = 1; stride <= largest_stride; ++stride)
      firsts_.push_back(places < 3 ? Range{} : Range{1 - stride * (places - 2), pixels - 1 - 2 * stride});
  }

  /// `place` was the last that saw the pixels 0 … probe.
  void learn(std::int64_t probe, std::int64_t place) {
    probes_.insert(probe);
    for (std::int64_t stride = 1; stride <= largest_stride; ++stride) {
      Range& range = firsts_[std::size_t(stride - 1)];
      range = meet(range, range_of(probe, stride, place));
    }
  }

  /// Nothing was seen of a probe that every possibility would have seen: ask for none up to it.
  void skip(std::int64_t probe) { from_ = std::max(from_, probe + 1); }

  /// The next probe; none where the places are known, and where they never will be.
  std::optional<std::int64_t> wanted() const {
    if (const auto places = only()) {
      const auto missing = missing_of(*places);
      return missing && !missing->empty() ? std::optional(missing->front()) : std::nullopt;
    }
    std::optional<std::int64_t> best;
    std::int64_t least = count();
    for (std::int64_t probe = from_; probe < pixels_; ++probe)
      if (const std::int64_t left = left_by(probe); left < least) best = probe, least = left;
    return best;
  }

  /// A probe that was answered: the smallest, which is in nobody's way.
  std::int64_t answered() const { return probes_.empty() ? 0 : *probes_.begin(); }

  std::optional<Regular> found() const {
    const auto places = only();
    const auto missing = places ? missing_of(*places) : std::nullopt;
    return missing && missing->empty() ? places : std::nullopt;
  }

 private:
  struct Range {
    std::int64_t low = 0, high = -1;
    std::int64_t size() const { return std::max<std::int64_t>(high - low + 1, 0); }
  };
  static Range meet(const Range& a, const Range& b) {
    return {std::max(a.low, b.low), std::min(a.high, b.high)};
  }

  /// The first pixels with which this place answers the probe.
  Range range_of(std::int64_t probe, std::int64_t stride, std::int64_t place) const {
    constexpr std::int64_t any = std::numeric_limits<std::int64_t>::min();
    return {place < places_ - 1 ? probe - stride * (place + 1) + 1 : any, probe - stride * place};
  }

  std::int64_t count() const {
    std::int64_t sum = 0;
    for (const Range& range : firsts_) sum += range.size();
    return sum;
  }

  /// How many possibilities the least telling answer leaves: all, where that may be none.
  std::int64_t left_by(std::int64_t probe) const {
    std::map<std::int64_t, std::int64_t> left;
    for (std::int64_t stride = 1; stride <= largest_stride; ++stride) {
      const Range& range = firsts_[std::size_t(stride - 1)];
      if (range.size() == 0) continue;
      if (probe < range.high) return std::numeric_limits<std::int64_t>::max();
      const std::int64_t last = std::min(floor_of(probe - range.low, stride), places_ - 1);
      for (std::int64_t place = std::min(floor_of(probe - range.high, stride), last); place <= last; ++place)
        left[place] += meet(range, range_of(probe, stride, place)).size();
    }
    std::int64_t most = 0;
    for (const auto& [place, number] : left) most = std::max(most, number);
    return most;
  }

  std::optional<Regular> only() const {
    if (count() != 1) return {};
    std::int64_t stride = 1;
    while (firsts_[std::size_t(stride - 1)].size() == 0) ++stride;
    return Regular{firsts_[std::size_t(stride - 1)].low, stride};
  }

  /// What is missing of the probes that show two steps, where the fewest are; empty where no two can be
  /// shown.
  std::optional<std::vector<std::int64_t>> missing_of(const Regular& places) const {
    std::optional<std::vector<std::int64_t>> fewest;
    for (std::int64_t u = 1; u < places_ - 1; ++u) {
      const std::int64_t step = places.first + u * places.stride, next = step + places.stride;
      if (step - 1 < from_ || next >= pixels_) continue;
      std::vector<std::int64_t> missing;
      for (const std::int64_t probe : std::array{step - 1, step, next - 1, next})
        if (!probes_.contains(probe)) missing.push_back(probe);
      if (!fewest || missing.size() < fewest->size()) fewest = std::move(missing);
      if (fewest->empty()) break;
    }
    return fewest;
  }

  std::int64_t pixels_, places_, from_ = 0;
  std::vector<Range> firsts_;  ///< the possible first pixels, for each stride from 1 on
  std::set<std::int64_t> probes_;
};

/// A row and a column, counted from a corner: of the pixels that dye is put on, or of the last places it
/// reached.
struct Corner {
  std::int64_t row = 0, column = 0;
};

/// The search along both axes, from one corner of the image.
struct CornerSearch {
  EdgeSearch rows, columns;

  std::optional<Corner> wanted() const {
    const auto row = rows.wanted(), column = columns.wanted();
    if (!row && !column) return {};
    return Corner{row.value_or(rows.answered()), column.value_or(columns.answered())};
  }
  void learn(const Corner& dyed, const Corner& reached) {
    rows.learn(dyed.row, reached.row);
    columns.learn(dyed.column, reached.column);
  }
  void skip(const Corner& dyed) {
    rows.skip(dyed.row);
    columns.skip(dyed.column);
  }
};

}  // namespace pellucid::detail
