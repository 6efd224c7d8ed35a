#pragma once
/// `explain --check`: whether an explanation can be believed.

#include <pellucid/attribution/explanation.hpp>
#include <pellucid/image/picture.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "json.hpp"
#include "methods.hpp"
#include "question.hpp"

namespace pellucid::app {

/// What the checks found out about one image and one question.
struct Checked {
  struct Curve {
    std::vector<double> values{};
    double area = 0;
    double random_area = 0;  ///< of pixels in random order
  };
  struct Step {
    std::vector<std::string> layers{};  ///< shuffled beside those before
    std::optional<double> rank_correlation{},
        cosine{};          ///< with the network's own map, where neither is zero
    Tensor attribution{};  ///< 1×…
    bool zero = false;     ///< everywhere: nothing of the gradient reaches the image
  };

  /// Of the curves: "probability", or "objective" where no class was asked about, or the only one there is,
  /// whose probability is always 1.
  std::string unit{};
  std::vector<double> fractions{};
  Curve insertion{}, deletion{};
  double infidelity = 0, unexplained = 0;
  double max_sensitivity = 0;
  bool has_signs = false;  ///< the map
  bool zero = false;       ///< the map, everywhere
  std::vector<Step> steps{};
};

/// How many calls of the library the checks are, each a piece of the progress.
inline constexpr std::int64_t calls_of_checks = 5;

/// Checks what a method found out about the images of one input. Throws Error for an attribution that is not
/// one of pixels, and for a model whose weights cannot be shuffled.
std::vector<Checked> check_explanation(const AnyModel& model, const Images& images, const Question& question,
                                       const Explanation& explanation, const Explain& explain, View view,
                                       ProgressLine& progress);

/// A few lines for a person: each number, and what is good and bad.
std::string as_text(const Checked& checked);

/// The entry "checks".
Json as_json(const Checked& checked);

/// The curves, and the maps while the weights are shuffled.
Picture check_picture(const Checked& checked, const Tensor& image, const Tensor& attribution, View view,
                      const std::string& title);

}  // namespace pellucid::app
