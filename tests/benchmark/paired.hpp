#pragma once
/// Ratios of times that are measured in pairs, one run after the other: what else the machine does meets
/// both.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

namespace pellucid::benchmark {

inline double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

inline double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[std::size_t(q * double(values.size() - 1) + 0.5)];
}

/// Ratios of the two works' times, each pair run one after the other, in turn first.
inline std::vector<double> paired(int runs, const std::function<void()>& work,
                                  const std::function<void()>& bound) {
  work(), bound();
  std::vector<double> ratios;
  for (int run = 0; run < runs; ++run) {
    double ours, bare;
    if (run % 2 == 0) {
      ours = seconds(work), bare = seconds(bound);
    } else {
      bare = seconds(bound), ours = seconds(work);
    }
    ratios.push_back(ours / bare);
  }
  return ratios;
}

inline void print(const std::string& what, const std::vector<double>& ratios, double bound_seconds) {
  std::printf("| %s | %.3f | %.3f–%.3f | %.2f s |\n", what.c_str(), quantile(ratios, 0.5),
              quantile(ratios, 0.25), quantile(ratios, 0.75), bound_seconds);
  std::fflush(stdout);
}

}  // namespace pellucid::benchmark
