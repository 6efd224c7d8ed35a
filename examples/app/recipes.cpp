#include "recipes.hpp"

#include <pellucid/optimizer/presets.hpp>

#include "text.hpp"

namespace pellucid::app {

namespace {

using Four = Regularizer<L2, Blur, ClipNorm, ClipContribution>;

/// Runs an optimizer with what was asked for.
template <class Method, class Parts>
Synthesis run(Method method, const Parts& parts, const AnyModel& model, const Question& question,
              const DreamOptions& options, const Film& film, ProgressLine& progress) {
  if (options.steps) method.steps = *options.steps;
  if (options.learning_rate) method.learning_rate = *options.learning_rate;
  method.height = method.width = options.size;
  method.octaves = options.octaves;
  method.seed = options.seed;
  const auto dream = Optimizer<Method, Parts>(method, parts).every(film.every, film.show);
  if (!options.start.defined()) return dream(model, question, progress);
  const std::int64_t count = question.count();
  const Images start =
      options.start.size(0) == count ? options.start : options.start.expand({count, -1, -1, -1});
  return dream(model.at_any_size(), start, question, progress);
}

/// The plain ascent with some of the four parts.
Recipe with_parts(const std::string& name, const Four& parts) {
  return {name,
          [parts](const auto& model, const auto& question, const auto& options, const auto& film,
                  auto& progress) { return run(Ascent{}, parts, model, question, options, film, progress); }};
}

template <class Preset>
Recipe preset(const std::string& name, const Preset& dream) {
  return {name, [dream](const auto& model, const auto& question, const auto& options, const auto& film,
                        auto& progress) {
            return run(dream.method(), dream.regularizer(), model, question, options, film, progress);
          }};
}

constexpr Blur no_blur{.width = 0};

}  // namespace

const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> all{
      with_parts("plain", Four({0}, no_blur, {}, {})),
      with_parts("decay", Four({0.05}, no_blur, {}, {})),
      with_parts("blur", Four({0}, {.width = 1, .every = 4}, {}, {})),
      with_parts("clip-norm", Four({0}, no_blur, {30}, {})),
      with_parts("clip-contribution", Four({0}, no_blur, {}, {30})),
      preset("yosinski-a", yosinski::a()),
      preset("yosinski-b", yosinski::b()),
      preset("yosinski-c", yosinski::c()),
      preset("yosinski-d", yosinski::d()),
      preset("natural", natural()),
  };
  return all;
}

const Recipe& recipe_named(const std::string& name) {
  std::vector<std::string> names;
  for (const Recipe& one : recipes()) {
    if (one.name == name) return one;
    names.push_back(one.name);
  }
  throw Error("there is no preset '" + name + "'; the presets are " + joined(names));
}

const Recipe& custom_recipe() {
  static const Recipe own{
      "custom",
      [](const auto& model, const auto& question, const auto& options, const auto& film, auto& progress) {
        const Blur blur = options.blur_width || options.blur_every
                              ? Blur{options.blur_width.value_or(1), options.blur_every.value_or(4)}
                              : no_blur;
        return run(Ascent{},
                   Four({options.decay.value_or(0)}, blur, {options.clip_norm.value_or(0)},
                        {options.clip_contribution.value_or(0)}),
                   model, question, options, film, progress);
      }};
  return own;
}

}  // namespace pellucid::app
