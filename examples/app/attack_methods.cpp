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

const std::map<std::string, std::set<std::string>>& uses() {
  static const std::map<std::string, std::set<std::string>> table{
      {"fgsm", {}},
      {"ifgsm", {"steps", "step-size", "stop-early"}},
      {"pgd", {"steps", "step-size", "norm", "restarts", "seed", "stop-early"}},
      {"minimal-epsilon", {}},
  };
  return table;
}

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

template <class M>
RunAttack attacking_with(M method) {
  return [stage = Attack<M>(std::move(method))](const AnyModel& model, const Images& images,
                                                const Class& labels, ProgressLine& progress) {
    auto found = stage(model, images, labels, progress);
    return Attacking{found.images, static_cast<AttackRecord&&>(found)};
  };
}

void check_used(const std::string& method, const AttackOptions& options) {
  const auto its = uses().find(method);
  if (its == uses().end())
    throw Error("--method " + method + ": there is no such method; the methods are " + attack_names());
  const std::pair<const char*, bool> given[] = {
      {"steps", options.steps.has_value()}, {"step-size", options.step_size.has_value()},
      {"norm", options.norm.has_value()},   {"restarts", options.restarts.has_value()},
      {"seed", options.seed.has_value()},   {"stop-early", options.stop_early}};
  for (const auto& [option, is_given] : given) {
    if (!is_given || its->second.contains(option)) continue;
    std::vector<std::string> others;
    for (const auto& [other, used] : uses())
      if (used.contains(option)) others.push_back(other);
    throw Error("--" + std::string(option) + " has no meaning for --method " + method +
                "; leave it out (it belongs to " + joined(others) + ")");
  }
}

}  // namespace

std::string attack_names() {
  std::vector<std::string> names;
  for (const auto& [name, used] : uses()) names.push_back(name);
  return joined(names);
}

AttackChoice::AttackChoice(std::string method, AttackOptions options, const std::string& epsilons)
    : method_(std::move(method)), options_(std::move(options)) {
  check_used(method_, options_);
  if (options_.norm && *options_.norm != "inf" && *options_.norm != "2")
    throw Error("--norm " + *options_.norm +
                ": give inf (each pixel on its own) or 2 (the length of the whole change)");
  const double longest = per_pixel() ? 1 : 1e6;
  std::istringstream parts(epsilons);
  for (std::string part; std::getline(parts, part, ',');)
    epsilons_.push_back(length_from("--epsilon", part, longest));
  if (epsilons_.empty() && searches()) epsilons_ = {MinimalEpsilon<>{}.most};
  if (epsilons_.empty())
    throw Error(
        "--epsilon is missing: give the largest change of a pixel, from 0 to 1, as 0.0157 or as 4/255; "
        "several, as 0,1/255,4/255, for the accuracy at each");
  if (searches() && epsilons_.size() > 1)
    throw Error(
        "--method minimal-epsilon looks for the epsilon itself; give one --epsilon, the largest to try");
  if (options_.step_size) step_size_ = length_from("--step-size", *options_.step_size, longest);
  // What the method itself refuses is refused before a model is loaded.
  for (const double epsilon : epsilons_) prepare(epsilon, {});
}

RunAttack AttackChoice::prepare(double epsilon, const PerImage& target) const {
  if (method_ == "fgsm") return attacking_with(FGSM{.epsilon = epsilon, .target = target});
  if (searches()) return attacking_with(MinimalEpsilon<>{.most = epsilon, .base = {.target = target}});
  if (method_ == "ifgsm")
    return attacking_with(IFGSM{.epsilon = epsilon,
                                .step_size = step_size_,
                                .steps = options_.steps.value_or(IFGSM{}.steps),
                                .target = target,
                                .stop_early = options_.stop_early});
  return attacking_with(PGD{.epsilon = epsilon,
                            .step_size = step_size_,
                            .steps = options_.steps.value_or(PGD{}.steps),
                            .norm = per_pixel() ? Norm::infinity : Norm::two,
                            .restarts = options_.restarts.value_or(1),
                            .seed = options_.seed.value_or(0),
                            .target = target,
                            .stop_early = options_.stop_early});
}

std::vector<Setting> AttackChoice::settings() const {
  std::vector<Setting> settings;
  if (epsilons_.size() == 1) settings.emplace_back("epsilon", epsilons_[0]);
  const auto& used = uses().at(method_);
  if (used.contains("steps"))
    settings.emplace_back("steps", options_.steps.value_or(method_ == "pgd" ? PGD{}.steps : IFGSM{}.steps));
  if (step_size_ > 0) settings.emplace_back("step_size", step_size_);
  if (used.contains("norm")) settings.emplace_back("norm", options_.norm.value_or("inf"));
  if (used.contains("restarts")) settings.emplace_back("restarts", options_.restarts.value_or(1));
  if (used.contains("seed")) settings.emplace_back("seed", options_.seed.value_or(0));
  if (used.contains("stop-early")) settings.emplace_back("stop_early", options_.stop_early);
  return settings;
}

std::string AttackChoice::text(double epsilon) const {
  return per_pixel() ? number(255 * epsilon) + "/255" : number(epsilon);
}

}  // namespace pellucid::app
