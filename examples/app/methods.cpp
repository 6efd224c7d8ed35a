#include "methods.hpp"

#include <pellucid/attribution/methods/deconvnet.hpp>
#include <pellucid/attribution/methods/grad_cam.hpp>
#include <pellucid/attribution/methods/guided_backprop.hpp>
#include <pellucid/attribution/methods/input_x_gradient.hpp>
#include <pellucid/attribution/methods/integrated_gradients.hpp>
#include <pellucid/attribution/methods/smoothgrad.hpp>
#include <pellucid/attribution/methods/smoothgrad_squared.hpp>
#include <pellucid/attribution/methods/vargrad.hpp>

#include <map>

#include "text.hpp"

namespace pellucid::app {

namespace {

template <class M>
Explain explaining_with(M method) {
  return [stage = Attribution<M>(std::move(method))](
             const AnyModel& model, const Subject<Question, ProgressLine>& subject) -> Explanation {
    return stage(model, subject);
  };
}

template <class M>
Explain plain(const MethodOptions&, const AnyModel&) {
  return explaining_with(M{});
}

template <class M>
Explain averaged(const MethodOptions& options, const AnyModel&) {
  M method;
  method.samples = options.samples.value_or(method.samples);
  method.noise = options.noise.value_or(method.noise);
  method.seed = options.seed.value_or(method.seed);
  if constexpr (requires { method.until; }) {
    method.until = options.until.value_or(method.until);
    if (method.until > 0) method.most_samples = std::max(method.most_samples, method.samples);
  }
  return explaining_with(method);
}

Baseline baseline_from(const MethodOptions& options, const AnyModel& model) {
  const std::string given = options.baseline.value_or("black");
  if (options.seed && given != "noise")
    throw Error("--seed is used by --method integrated-gradients with --baseline noise only; leave it out");
  if (given == "black") return Baseline::black();
  if (given == "mean") return Baseline::mean();
  if (given == "blur") return Baseline::blur();
  if (given == "noise") return Baseline::noise(options.seed.value_or(0));
  std::error_code ignored;
  if (!std::filesystem::exists(given, ignored))
    throw Error("--baseline " + given +
                ": it is neither black, mean, blur or noise nor a file that is there");
  return Baseline::image(model.fit(read_input(given)));
}

Explain integrated(const MethodOptions& options, const AnyModel& model) {
  IntegratedGradients method;
  method.steps = options.steps.value_or(method.steps);
  method.baseline = baseline_from(options, model);
  return explaining_with(method);
}

Explain grad_cam(const MethodOptions& options, const AnyModel&) {
  return explaining_with(GradCAM{.layer = options.cam_layer, .upsample = !options.no_upsample});
}

const std::map<std::string, Method>& methods() {
  static const std::set<std::string> of_averages{"samples", "noise", "until", "seed"};
  static const std::map<std::string, Method> table{
      {"gradient", {{}, View::magnitude, plain<Gradient>}},
      {"input-x-gradient", {{}, View::magnitude_and_sign, plain<InputXGradient>}},
      {"smoothgrad", {of_averages, View::magnitude, averaged<SmoothGrad>}},
      {"smoothgrad-squared", {of_averages, View::magnitude, averaged<SmoothGradSquared>}},
      {"vargrad", {{"samples", "noise", "seed"}, View::magnitude, averaged<VarGrad>}},
      {"integrated-gradients", {{"steps", "baseline", "seed"}, View::magnitude_and_sign, integrated}},
      {"grad-cam", {{"no-upsample"}, View::positive, grad_cam}},
      {"guided-backprop", {{}, View::magnitude, plain<GuidedBackprop>}},
      {"deconvnet", {{}, View::magnitude, plain<Deconvnet>}},
  };
  return table;
}

}  // namespace

std::vector<std::string> all_method_names() {
  std::vector<std::string> names;
  for (const auto& [name, method] : methods()) names.push_back(name);
  return names;
}

std::string method_names() {
  return joined(all_method_names());
}

const Method& method_named(const std::string& name) {
  const auto found = methods().find(name);
  if (found == methods().end())
    throw Error("--method " + name + ": there is no such method; the methods are " + method_names());
  return found->second;
}

void check_used(const std::string& name, const MethodOptions& options) {
  const Method& method = method_named(name);
  const std::pair<const char*, bool> given[] = {
      {"samples", options.samples.has_value()},   {"noise", options.noise.has_value()},
      {"until", options.until.has_value()},       {"steps", options.steps.has_value()},
      {"baseline", options.baseline.has_value()}, {"seed", options.seed.has_value()},
      {"no-upsample", options.no_upsample}};
  for (const auto& [option, is_given] : given) {
    if (!is_given || method.uses.contains(option)) continue;
    std::vector<std::string> others;
    for (const auto& [other, its] : methods())
      if (its.uses.contains(option)) others.push_back(other);
    throw Error("--" + std::string(option) + " has no meaning for --method " + name +
                "; leave it out (it belongs to " + joined(others) + ")");
  }
}

std::vector<Setting> settings_of(const std::string& name, const MethodOptions& options) {
  const std::set<std::string>& uses = method_named(name).uses;
  const SmoothGrad defaults;
  std::vector<Setting> settings;
  if (uses.contains("samples")) settings.emplace_back("samples", options.samples.value_or(defaults.samples));
  if (uses.contains("noise")) settings.emplace_back("noise", options.noise.value_or(defaults.noise));
  if (options.until) settings.emplace_back("until", *options.until);
  if (uses.contains("steps"))
    settings.emplace_back("steps", options.steps.value_or(IntegratedGradients{}.steps));
  if (uses.contains("baseline")) settings.emplace_back("baseline", options.baseline.value_or("black"));
  if (uses.contains("samples") || options.seed)
    settings.emplace_back("seed", options.seed.value_or(defaults.seed));
  if (!options.cam_layer.empty()) settings.emplace_back("layer", options.cam_layer);
  if (options.no_upsample) settings.emplace_back("upsample", false);
  return settings;
}

}  // namespace pellucid::app
