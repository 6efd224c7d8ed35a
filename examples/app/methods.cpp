#include "methods.hpp"

#include <pellucid/attribution/class_activation.hpp>
#include <pellucid/attribution/methods/deconvnet.hpp>
#include <pellucid/attribution/methods/grad_cam.hpp>
#include <pellucid/attribution/methods/grad_cam_plus_plus.hpp>
#include <pellucid/attribution/methods/guided_backprop.hpp>
#include <pellucid/attribution/methods/guided_grad_cam.hpp>
#include <pellucid/attribution/methods/input_x_gradient.hpp>
#include <pellucid/attribution/methods/integrated_gradients.hpp>
#include <pellucid/attribution/methods/layer_activation.hpp>
#include <pellucid/attribution/methods/layer_cam.hpp>
#include <pellucid/attribution/methods/layer_conductance.hpp>
#include <pellucid/attribution/methods/layer_gradient_x_activation.hpp>
#include <pellucid/attribution/methods/occlusion.hpp>
#include <pellucid/attribution/methods/score_cam.hpp>
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

/// What a method compares with, by name.
std::string baseline_name(const MethodOptions& options, const std::string& method) {
  return options.baseline.value_or(method == "occlusion" ? "mean" : "black");
}

Baseline baseline_from(const MethodOptions& options, const AnyModel& model, const std::string& method) {
  const std::string given = baseline_name(options, method);
  if (options.seed && given != "noise")
    throw Error("--seed is used by --method " + method + " with --baseline noise only; leave it out");
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
  method.baseline = baseline_from(options, model, "integrated-gradients");
  return explaining_with(method);
}

Explain occlusion(const MethodOptions& options, const AnyModel& model) {
  for (const auto& [given, option] : {std::pair{options.window, "--window "}, {options.stride, "--stride "}})
    if (given && *given < 1)
      throw Error(option + std::to_string(*given) +
                  ": give 1 pixel or more, or leave it out for an eighth of the image and half the window");
  return explaining_with(Occlusion{.window = options.window.value_or(0),
                                   .stride = options.stride.value_or(0),
                                   .baseline = baseline_from(options, model, "occlusion")});
}

/// Methods of a layer.
template <class M>
M at_layer(const MethodOptions& options) {
  M method;
  method.layer = options.layer;
  if constexpr (requires { method.upsample; }) method.upsample = !options.no_upsample;
  return method;
}

template <class M>
Explain of_layer(const MethodOptions& options, const AnyModel&) {
  return explaining_with(at_layer<M>(options));
}

Explain score_cam(const MethodOptions& options, const AnyModel& model) {
  ScoreCAM method = at_layer<ScoreCAM>(options);
  method.baseline = baseline_from(options, model, "score-cam");
  return explaining_with(method);
}

Explain conductance(const MethodOptions& options, const AnyModel& model) {
  LayerConductance method = at_layer<LayerConductance>(options);
  method.steps = options.steps.value_or(method.steps);
  method.baseline = baseline_from(options, model, "layer-conductance");
  return explaining_with(method);
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
      {"grad-cam", {{"no-upsample"}, View::positive, of_layer<GradCAM>, LayerIs::mapped}},
      {"grad-cam-plus-plus", {{"no-upsample"}, View::positive, of_layer<GradCAMPlusPlus>, LayerIs::mapped}},
      {"layer-cam", {{"no-upsample"}, View::positive, of_layer<LayerCAM>, LayerIs::mapped}},
      {"score-cam", {{"no-upsample", "baseline", "seed"}, View::positive, score_cam, LayerIs::mapped}},
      {"guided-grad-cam", {{}, View::magnitude, of_layer<GuidedGradCAM>, LayerIs::mapped}},
      {"guided-backprop", {{}, View::magnitude, plain<GuidedBackprop>}},
      {"deconvnet", {{}, View::magnitude, plain<Deconvnet>}},
      {"occlusion", {{"window", "stride", "baseline", "seed"}, View::magnitude_and_sign, occlusion}},
      {"layer-activation", {{"no-upsample"}, View::response, of_layer<LayerActivation>, LayerIs::explained}},
      {"layer-gradient-x-activation",
       {{"no-upsample"}, View::magnitude_and_sign, of_layer<LayerGradientXActivation>, LayerIs::explained}},
      {"layer-conductance",
       {{"no-upsample", "steps", "baseline", "seed"},
        View::magnitude_and_sign,
        conductance,
        LayerIs::explained}},
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

const Method& method_named(const std::string& name, const std::string& option) {
  const auto found = methods().find(name);
  if (found == methods().end())
    throw Error(option + " " + name + ": there is no such method; the methods are " + method_names());
  return found->second;
}

std::string found_layer(const std::string& method, const AnyModel& model, const Images& first,
                        const Question& question, const std::string& option) {
  const std::string who = option + " " + method;
  try {
    return last_spatial_layer(model, first, question, who);
  } catch (const Error& error) {
    const std::string why = error.what();
    const std::size_t advice = why.find("; ");  // to those who write C++
    if (advice == std::string::npos || !why.starts_with(who + ": no layer was named")) throw;
    const bool can_be_named = option == "--method" && why.find("; name one: ") != std::string::npos;
    throw Error(why.substr(0, advice) + (can_be_named
                                             ? "; name one with --layer"
                                             : "; give a method that needs none, such as smoothgrad"));
  }
}

void check_used(const std::string& name, const MethodOptions& options) {
  method_named(name);  // refuses one that is not there
  check_used(name,
             {{"samples", options.samples.has_value()},
              {"noise", options.noise.has_value()},
              {"until", options.until.has_value()},
              {"steps", options.steps.has_value()},
              {"baseline", options.baseline.has_value()},
              {"seed", options.seed.has_value()},
              {"window", options.window.has_value()},
              {"stride", options.stride.has_value()},
              {"no-upsample", options.no_upsample}},
             methods());
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
  if (uses.contains("baseline")) settings.emplace_back("baseline", baseline_name(options, name));
  if (options.window) settings.emplace_back("window", *options.window);
  if (options.stride || options.window)
    settings.emplace_back("stride",
                          options.stride.value_or(std::max<std::int64_t>(1, options.window.value_or(0) / 2)));
  if (uses.contains("samples") || options.seed || options.baseline == "noise")
    settings.emplace_back("seed", options.seed.value_or(defaults.seed));
  if (!options.layer.empty()) settings.emplace_back("layer", options.layer);
  if (options.no_upsample) settings.emplace_back("upsample", false);
  return settings;
}

}  // namespace pellucid::app
