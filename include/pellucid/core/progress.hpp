#pragma once
#include <chrono>
#include <concepts>
#include <cstdint>
#include <type_traits>

#include <pellucid/core/error.hpp>

namespace pellucid {

/// What a progress callback is told.
struct Progress {
  double fraction = 0;      ///< how much of the work is done, 0 to 1
  double seconds_left = 0;  ///< estimated from the time taken so far
};

/// A callable that takes `const Progress&` and returns nothing, or a bool: false asks the work to stop, and
/// `Cancelled` is thrown.
template <class F>
concept ProgressCallback = std::invocable<F&, const Progress&> &&
    (std::is_void_v<std::invoke_result_t<F&, const Progress&>> ||
     std::same_as<std::invoke_result_t<F&, const Progress&>, bool>);

/// The callback of those who gave none.
struct Silent {
  void operator()(const Progress&) const {}
};

/// Tells a callback how far a piece of work has come. A piece within a piece (`part`) tells the same
/// callback, as its share of the whole.
template <ProgressCallback F>
class Reporter {
 public:
  /// Begins to take the time. The callback must live as long as it, or until silence().
  explicit Reporter(F& callback) : callback_(&callback), start_(std::chrono::steady_clock::now()) {}

  /// `done` of `total` units of this piece are done. Throws Cancelled when the callback says false.
  void operator()(std::int64_t done, std::int64_t total) const {
    if constexpr (std::same_as<std::remove_const_t<F>, Silent>) return;
    if (callback_ == nullptr) return;
    if (inner_ && done >= total) return;  // who gave this part tells of its end
    const double fraction = from_ + span_ * (total > 0 ? double(done) / double(total) : 1.0);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start_;
    const Progress progress{fraction, fraction > 0 ? taken.count() * (1 - fraction) / fraction : 0};
    if constexpr (std::is_void_v<std::invoke_result_t<F&, const Progress&>>) {
      (*callback_)(progress);
    } else if (!(*callback_)(progress)) {
      throw Cancelled();
    }
  }

  /// The reporter of units `done` up to `done + units` of `total`.
  Reporter part(std::int64_t done, std::int64_t units, std::int64_t total) const {
    Reporter inner = *this;
    inner.from_ = from_ + span_ * double(done) / double(total);
    inner.span_ = span_ * double(units) / double(total);
    inner.inner_ = true;
    return inner;
  }

  /// The reporter of what is left behind unit `done` of `total`: its end is the end of the whole.
  Reporter rest(std::int64_t done, std::int64_t total) const {
    Reporter last = part(done, total - done, total);
    last.inner_ = inner_;
    return last;
  }

  /// Tells nobody from here on.
  void silence() { callback_ = nullptr; }

 private:
  F* callback_;
  double from_ = 0;
  double span_ = 1;
  bool inner_ = false;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace pellucid
