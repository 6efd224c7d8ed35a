#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "check.hpp"
#include "json.hpp"
#include "question.hpp"
#include "setup.hpp"

namespace pellucid::app {

/// What `explain` found out about one image and one question.
struct Finding {
  std::int64_t number = 0;  ///< of the image, counted over all inputs
  std::string file{};
  std::string shown{};                 ///< the file without its folder
  Tensor image{};                      ///< 1×…, as the network sees it
  Tensor attribution{};                ///< 1×…
  std::optional<Question> question{};  ///< none where nothing is asked about
  std::vector<std::string> notices{};
  std::optional<Answer> predicted{};
  std::optional<double> probability{};       ///< of the class explained
  std::int64_t samples = 0;                  ///< that were averaged; 0: the method does not average
  std::optional<double> standard_error{};    ///< ‖standard error‖₂ / ‖attribution‖₂
  std::optional<double> completeness_gap{};  ///< Σ attribution − completeness_whole
  double completeness_whole = 0;             ///< objective(image) − objective(baseline)
  std::optional<Checked> checks{};           ///< with --check
};

/// What was asked about: "golden retriever (207)", "channel 40 of features.12"; empty where nothing was.
std::string asked_text(const Finding& found, const Labels& labels);

/// A few lines for a person.
std::string as_text(const Finding& found, const Labels& labels, const std::string& method);

/// What is asked about one image: the entry "objective".
Json as_json(const Question& question, const Labels& labels);

/// One entry of "images".
Json as_json(const Finding& found, const Labels& labels);

}  // namespace pellucid::app
