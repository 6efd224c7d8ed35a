#pragma once
/// The attack methods by name, with the options that each takes.

#include <pellucid/attack/attack.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "methods.hpp"

namespace pellucid::app {

/// The options of attack methods, as they were given.
struct AttackOptions {
  std::optional<std::int64_t> steps{};
  std::optional<std::string> step_size{};
  std::optional<std::string> norm{};
  std::optional<std::int64_t> restarts{};
  std::optional<std::uint64_t> seed{};
  bool stop_early = false;
};

/// What an attack made of images.
struct Attacking {
  Images images{};
  AttackRecord record{};
};

/// A method that is ready to attack images, away from a label of each.
using RunAttack =
    std::function<Attacking(const AnyModel&, const Images&, const Class& labels, ProgressLine&)>;

/// Which attack was asked for: refused where an option has no meaning for the method, or no sense.
class AttackChoice {
 public:
  /// `epsilons`: as --epsilon was given, or empty.
  AttackChoice(std::string method, AttackOptions options, const std::string& epsilons);

  const std::string& method() const { return method_; }
  /// The values of --epsilon; the largest to try, for a method that looks for it.
  const std::vector<double>& epsilons() const { return epsilons_; }
  bool searches() const { return method_ == "minimal-epsilon"; }
  /// Whether ε is a change of each pixel, not the length of the whole change.
  bool per_pixel() const;

  /// The method at one ε, towards a target or away from the label.
  RunAttack prepare(double epsilon, const PerImage& target) const;

  /// The options that take part, with their values.
  std::vector<Setting> settings() const;

  /// 4/255, or the length of the whole change.
  std::string text(double epsilon) const;

 private:
  std::string method_;
  AttackOptions options_;
  std::vector<double> epsilons_{};
};

/// All methods, as a sentence lists them.
std::string attack_names();

}  // namespace pellucid::app
