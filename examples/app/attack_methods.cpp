#include "attack_methods.hpp"

#include <pellucid/attack/methods/fgsm.hpp>
#include <pellucid/attack/methods/ifgsm.hpp>
#include <pellucid/attack/methods/minimal_epsilon.hpp>
#include <pellucid/attack/methods/pgd.hpp>

#include <charconv>
#include <cmath>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

#include "text.hpp"

namespace pellucid::app {

namespace {

/// A decimal, or a fraction such as 4/255, from 0 to `most`.
double length_from(const std::string& option, const std::string& given, double most) {
  const auto refuse = [&]() -> double {
    throw Error(option + " " + given + ": give " +
                (most <= 1 ? "the largest change of a pixel, from 0 to 1, as 0.0157 or as 4/255"
                           : "the length of a change of the whole image, 0 or more, as 0.5 or as 128/255"));
  };
  const auto whole = [&](std::string_view text) {
    double value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    return code == std::errc{} && end == text.data() + text.size() && std::isfinite(value) ? value : refuse();
  };
  const std::size_t slash = given.find('/');
  const double above = whole(std::string_view(given).substr(0, slash));
  const double below = slash == std::string::npos ? 1 : whole(std::string_view(given).substr(slash + 1));
  const double value = below > 0 ? above / below : refuse();
  return value >= 0 && value <= most ? value : refuse();
}

bool per_pixel(const AttackOptions& options) {
  return options.norm.value_or("inf") == "inf";
}

/// The largest ε or step that can be meant.
double longest(const AttackOptions& options) {
  return per_pixel(options) ? 1 : 1e6;
}

/// 0, the method's own, where --step-size is left out.
double step_size(const AttackOptions& options) {
  if (!options.step_size) return 0;
  const double given = length_from("--step-size", *options.step_size, longest(options));
  if (given == 0)
    throw Error("--step-size " + *options.step_size +
                ": steps of no length go nowhere; give one above 0, or leave it out for the method's own");
  return given;
}

/// The method with its options, settled.
template <class M>
M method_from(const AttackOptions& options, double epsilon, const PerImage& target = {}) {
  M method;
  method.epsilon = epsilon;
  method.target = target;
  if constexpr (requires { method.steps; }) method.steps = options.steps.value_or(method.steps);
  if constexpr (requires { method.step_size; }) method.step_size = step_size(options);
  if constexpr (requires { method.norm; }) method.norm = per_pixel(options) ? Norm::infinity : Norm::two;
  if constexpr (requires { method.restarts; }) method.restarts = options.restarts.value_or(method.restarts);
  if constexpr (requires { method.seed; }) method.seed = options.seed.value_or(method.seed);
  if constexpr (requires { method.stop_early; }) method.stop_early = options.stop_early;
  return method;
}

template <class M>
RunAttack attacking_with(M method) {
  return [stage = Attack<M>(std::move(method))](const AnyModel& model, const Images& images,
                                                const Class& labels, ProgressLine& progress) {
    auto found = stage(model, images, labels, progress);
    return Attacking{found.images, static_cast<AttackRecord&&>(found)};
  };
}

template <class M>
RunAttack at_epsilon(const AttackOptions& options, double epsilon, const PerImage& target) {
  return attacking_with(method_from<M>(options, epsilon, target));
}

RunAttack searching(const AttackOptions&, double epsilon, const PerImage& target) {
  MinimalEpsilon<> method{.most = epsilon, .base = {.target = target}};
  if (epsilon <= method.tolerance)
    throw Error("--epsilon " + number(epsilon) + ": --method minimal-epsilon tells epsilon to within " +
                number(method.tolerance) + "; give a larger one to look up to, or leave it out");
  return attacking_with(std::move(method));
}

template <class M>
std::vector<Setting> settings_of(const AttackOptions& options, const std::optional<double>& epsilon) {
  const M method = method_from<M>(options, epsilon.value_or(0));
  std::vector<Setting> settings;
  if constexpr (requires { method.steps; }) settings.emplace_back("steps", method.steps);
  if constexpr (requires { method.step_size; })
    if (epsilon || options.step_size) settings.emplace_back("step_size", method.step_length());
  if constexpr (requires { method.norm; }) settings.emplace_back("norm", options.norm.value_or("inf"));
  if constexpr (requires { method.restarts; }) settings.emplace_back("restarts", method.restarts);
  if constexpr (requires { method.seed; }) settings.emplace_back("seed", method.seed);
  if constexpr (requires { method.stop_early; }) settings.emplace_back("stop_early", method.stop_early);
  return settings;
}

std::vector<Setting> none(const AttackOptions&, const std::optional<double>&) {
  return {};
}

struct Entry {
  std::set<std::string> uses{};  ///< the names of its options, without dashes
  /// Checks the options and settles them.
  RunAttack (*prepare)(const AttackOptions& options, double epsilon, const PerImage& target);
  /// The options that take part beside --epsilon, with their values; without ε, those that do not depend on
  /// it.
  std::vector<Setting> (*settings)(const AttackOptions& options, const std::optional<double>& epsilon);
};

const std::map<std::string, Entry>& methods() {
  static const std::map<std::string, Entry> table{
      {"fgsm", {{}, at_epsilon<FGSM>, settings_of<FGSM>}},
      {"ifgsm", {{"steps", "step-size", "stop-early"}, at_epsilon<IFGSM>, settings_of<IFGSM>}},
      {"pgd",
       {{"steps", "step-size", "norm", "restarts", "seed", "stop-early"}, at_epsilon<PGD>, settings_of<PGD>}},
      {"minimal-epsilon", {{}, searching, none}},
  };
  return table;
}

void check_options(const std::string& method, const AttackOptions& options) {
  if (!methods().contains(method))
    throw Error("--method " + method + ": there is no such method; the methods are " + attack_names());
  check_used(method,
             {{"steps", options.steps.has_value()},
              {"step-size", options.step_size.has_value()},
              {"norm", options.norm.has_value()},
              {"restarts", options.restarts.has_value()},
              {"seed", options.seed.has_value()},
              {"stop-early", options.stop_early}},
             methods());
}

}  // namespace

std::string attack_names() {
  std::vector<std::string> names;
  for (const auto& [name, method] : methods()) names.push_back(name);
  return joined(names);
}

AttackChoice::AttackChoice(std::string method, AttackOptions options, const std::string& epsilons)
    : method_(std::move(method)), options_(std::move(options)) {
  check_options(method_, options_);
  if (options_.norm && *options_.norm != "inf" && *options_.norm != "2")
    throw Error("--norm " + *options_.norm +
                ": give inf (each pixel on its own) or 2 (the length of the whole change)");
  std::istringstream parts(epsilons);
  for (std::string part; std::getline(parts, part, ',');)
    epsilons_.push_back(length_from("--epsilon", part, longest(options_)));
  if (epsilons_.empty() && searches()) epsilons_ = {MinimalEpsilon<>{}.most};
  if (epsilons_.empty())
    throw Error(
        "--epsilon is missing: give the largest change of a pixel, from 0 to 1, as 0.0157 or as 4/255; "
        "several, as 0,1/255,4/255, for the accuracy at each");
  if (searches() && epsilons_.size() > 1)
    throw Error(
        "--method minimal-epsilon looks for the epsilon itself; give one --epsilon, the largest to try");
  // What the method itself refuses is refused before a model is loaded.
  for (const double epsilon : epsilons_) prepare(epsilon, {});
}

bool AttackChoice::per_pixel() const {
  return app::per_pixel(options_);
}

RunAttack AttackChoice::prepare(double epsilon, const PerImage& target) const {
  return methods().at(method_).prepare(options_, epsilon, target);
}

std::vector<Setting> AttackChoice::settings() const {
  std::optional<double> epsilon;
  if (epsilons_.size() == 1) epsilon = epsilons_[0];
  std::vector<Setting> settings;
  if (epsilon) settings.emplace_back("epsilon", *epsilon);
  for (Setting& setting : methods().at(method_).settings(options_, epsilon))
    settings.push_back(std::move(setting));
  return settings;
}

std::string AttackChoice::text(double epsilon) const {
  return per_pixel() ? number(255 * epsilon) + "/255" : number(epsilon);
}

}  // namespace pellucid::app
