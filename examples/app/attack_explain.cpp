#include "attack_explain.hpp"

#include "text.hpp"

namespace pellucid::app {

namespace {

/// The layer whose map is made; none where the method has none.
std::string layer_of(const std::string& method, const Setup& setup) {
  if (method_named(method).layer != LayerIs::mapped) return "";
  for (const Input& input : setup.inputs)
    if (input.images.dim() != 4)
      throw Error("--explain " + method + " brings its map to the size of images N×C×H×W, and " + input.file +
                  " has the shape " + shape_text(input.images.sizes().vec()) +
                  "; give another method, such as gradient");
  return found_layer(method, setup.model, setup.inputs.front().images.narrow(0, 0, 1), Question(Class{0}),
                     "--explain");
}

}  // namespace

std::string pixel_method_names() {
  std::vector<std::string> names;
  for (const std::string& name : all_method_names())
    if (method_named(name).layer != LayerIs::explained) names.push_back(name);
  return joined(names);
}

void check_explains_pixels(const std::string& method) {
  if (method_named(method, "--explain").layer == LayerIs::explained)
    throw Error("--explain " + method +
                " would explain the values of a layer, and an attack changes pixels; give a "
                "method that explains pixels, such as grad-cam or smoothgrad");
}

Explain explain_prepared(const std::string& method, const Setup& setup) {
  MethodOptions options;
  options.layer = layer_of(method, setup);
  Explain explain = method_named(method).prepare(options, setup.model);
  ProgressLine progress("explaining", 1);
  const Question question(Class{0});
  explain(setup.model, begin(setup.model, setup.inputs.front().images.narrow(0, 0, 1), question, progress));
  return explain;
}

std::vector<AttackExplained> explain_attacks(const Explain& explain, const Setup& setup,
                                             std::vector<AttackResult>& all) {
  ProgressLine progress("explaining", 4 * std::int64_t(all.size()));
  std::vector<AttackExplained> explained;
  for (AttackResult& result : all) {
    const auto map = [&](const Tensor& image, std::int64_t label, const std::string& when) {
      const Question question(Class{label});
      const Explanation found = explain(setup.model, begin(setup.model, image, question, progress));
      progress.next();
      for (const auto& [row, notice] : found.notices)
        result.notices.push_back("the map " + when + " the attack, for " + setup.labels.text(label) + ": " +
                                 notice);
      return found.attribution.detach().to(torch::kCPU);
    };
    AttackExplained& maps = explained.emplace_back();
    const std::int64_t before = result.steps.front().predicted, after = result.steps.back().predicted;
    maps.before_own = map(result.image, before, "before");
    maps.before_label = before == result.label ? maps.before_own : map(result.image, result.label, "before");
    maps.after_own = map(result.attacked, after, "after");
    maps.after_label = after == result.label ? maps.after_own : map(result.attacked, result.label, "after");
  }
  return explained;
}

}  // namespace pellucid::app
