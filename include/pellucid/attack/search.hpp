#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <pellucid/attack/attack.hpp>
#include <pellucid/core/error.hpp>

namespace pellucid::detail {

/// How far a search for the smallest ε goes, and how exactly.
struct SearchRange {
  double most = 0.5;
  double tolerance = 1e-4;

  void check() const {
    if (!(tolerance >= 1e-7) || !std::isfinite(tolerance))
      throw Error(c10::str("MinimalEpsilon: tolerance is ", tolerance,
                           "; give a difference that pixels of 32 bits can show, 1e-7 or more (0.0001 is "
                           "usual)"));
    if (!(most > tolerance) || !std::isfinite(most))
      throw Error("MinimalEpsilon: most is " + std::to_string(most) +
                  "; give the largest epsilon to try, above the tolerance of " + std::to_string(tolerance));
  }

  /// How many halvings bring the whole range below the tolerance.
  std::int64_t halvings() const { return std::int64_t(std::ceil(std::log2(most / tolerance))); }
};

/// What is known of one image: it withstands at `low`, and falls at `high`, if anywhere.
struct Search {
  AttackStep clean{};
  std::vector<AttackStep> tried{};
  double low = 0;
  std::optional<double> high{};

  /// Not where no number is left between the two.
  bool goes_on(double tolerance) const {
    return high && *high - low > tolerance && low < middle() && middle() < *high;
  }
  double middle() const { return (low + *high) / 2; }

  /// ε was tried. Gives whether the image fell.
  bool add(AttackStep step, double epsilon) {
    step.epsilon = epsilon;
    tried.push_back(step);
    if (step.reached) {
      high = epsilon;
    } else {
      low = epsilon;
    }
    return step.reached;
  }

  /// The image as it was, then what was tried up to the ε found (all, where none was), by ε.
  std::vector<AttackStep> table() const {
    std::vector<AttackStep> rows{clean};
    for (const AttackStep& step : tried)
      if (!high || step.epsilon <= *high) rows.push_back(step);
    std::sort(rows.begin() + 1, rows.end(),
              [](const AttackStep& a, const AttackStep& b) { return a.epsilon < b.epsilon; });
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].step = std::int64_t(i);
    return rows;
  }
};

/// Adds what searches found to what is found of the images.
inline void note(Adversarial& found, const std::vector<Search>& searches) {
  for (const Search& search : searches) {
    found.minimal_epsilon.push_back(search.high);
    found.steps.push_back(search.table());
  }
}

}  // namespace pellucid::detail
