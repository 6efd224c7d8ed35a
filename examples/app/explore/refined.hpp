#pragma once
#include <pellucid/attribution/explanation.hpp>

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace pellucid::app {

/// A mean over samples that came in parts, with its standard error: as of all of them at once.
class Refined {
 public:
  std::int64_t samples() const { return samples_; }
  /// That it holds.
  std::size_t bytes() const { return samples_ == 0 ? 0 : mean_.nbytes() + squares_.nbytes(); }

  /// The mean of some samples more, in antithetic pairs, with its standard error where there are two pairs.
  void add(const Explanation& part) {
    const std::int64_t count = part.samples[0];
    const double pairs = double(count + count % 2) / 2;
    const Tensor mean = part.attribution.to(torch::kDouble);
    Tensor squares = torch::zeros_like(mean);  // Σ (pair − mean of the part)²
    if (pairs > 1) squares = part.standard_error.to(torch::kDouble).square() * (pairs * (pairs - 1));
    if (samples_ == 0) {
      mean_ = mean;
      squares_ = squares;
    } else {
      // Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances",
      // 1979.
      const Tensor apart = mean - mean_;
      squares_ = squares_ + squares + apart.square() * (pairs_ * pairs / (pairs_ + pairs));
      mean_ = mean_ + apart * (double(count) / double(samples_ + count));
    }
    samples_ += count;
    pairs_ += pairs;
    notices_ = part.notices;
  }

  Explanation explanation() const {
    Explanation all(mean_.to(torch::kFloat));
    if (pairs_ > 1) all.standard_error = (squares_ / (pairs_ * (pairs_ - 1))).sqrt().to(torch::kFloat);
    all.samples = {samples_};
    all.notices = notices_;
    return all;
  }

 private:
  std::int64_t samples_ = 0;
  double pairs_ = 0;
  Tensor mean_{}, squares_{};
  std::multimap<std::int64_t, std::string> notices_{};
};

/// The latest means, to be gone on with.
class KeptMeans {
 public:
  Refined take(const std::string& key) {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, mean] : all_)
      if (name == key) return mean;
    return {};
  }
  void put(const std::string& key, const Refined& mean) {
    constexpr std::size_t most = 24, most_bytes = std::size_t{128} << 20;
    const std::lock_guard lock(mutex_);
    all_.remove_if([&](const auto& one) { return one.first == key; });
    all_.emplace_front(key, mean);
    std::size_t bytes = 0;
    for (const auto& [name, kept] : all_) bytes += kept.bytes();
    while (all_.size() > 1 && (all_.size() > most || bytes > most_bytes)) {
      bytes -= all_.back().second.bytes();
      all_.pop_back();
    }
  }

 private:
  std::mutex mutex_{};
  std::list<std::pair<std::string, Refined>> all_{};
};

inline KeptMeans& kept_means() {
  static KeptMeans all;
  return all;
}

}  // namespace pellucid::app
