#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include <pellucid/core/progress.hpp>

namespace pellucid::app {

/// How far long work is and how long it still takes, in one line on standard error.
///
/// A progress callback. Written only on a terminal and only after the first second; erased at the end.
class ProgressLine {
 public:
  /// `pieces` calls of the library follow one another, each told of by `next`.
  ProgressLine(std::string what, std::int64_t pieces) : what_(std::move(what)), pieces_(pieces) {}
  /// Tells another instead, who may say false: then the work stops.
  explicit ProgressLine(std::function<bool(const Progress&)> listener) : listener_(std::move(listener)) {}
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine();

  /// A piece is done.
  void next() { ++done_; }

  /// False asks the work to stop.
  bool operator()(const Progress& progress);

 private:
  using Clock = std::chrono::steady_clock;

  void tell(const Progress& progress);

  std::string what_{};
  std::int64_t pieces_ = 1;
  std::int64_t done_ = 0;
  Clock::time_point start_ = Clock::now(), written_ = start_;
  bool visible_ = false;
  std::function<bool(const Progress&)> listener_{};
};

}  // namespace pellucid::app
