#include <pellucid/image/write.hpp>
#include <pellucid/objective/representation.hpp>
#include <pellucid/optimizer/optimizer.hpp>

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

#include "explore/kinds.hpp"
#include "inverting.hpp"
#include "recipes.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

constexpr std::int64_t most_steps = 4000, most_octaves = 8, most_size = 512;

Question question_of_dream(const Asked& asked, const Explored& model) {
  if (const auto target = asked.integer_or_none("target", 0, std::max<std::int64_t>(0, model.classes - 1))) {
    if (model.classes == 0) throw Refused(400, "the model " + model.name + " gives no classes");
    return Question(LogOdds{*target});
  }
  const auto question = question_of(asked, model);
  if (!question)
    throw Refused(400, "nothing was asked for: give \"target\", a class, or \"layer\" and \"channel\"");
  return *question;
}

Json told(const Frame& frame, const Question& question, const Explored& model, Files& files) {
  Json answer{{"asked", asked_text(question, model)},
              {"step", frame.step},
              {"steps", frame.steps},
              {"value", frame.values[0].item<double>()},
              {"notices", Json::array()}};
  files.picture(answer, "image", to_picture(frame.images.to(torch::kCPU)));
  return answer;
}

}  // namespace

Json presets_told() {
  const std::map<std::string, std::string> does{
      {"natural", "Looks most like a photo: a mix of several ways to keep noise out."},
      {"plain", "Nothing keeps noise out: what the network really reacts to."},
      {"decay", "All pixels fade a little in each step."},
      {"blur", "The picture is blurred now and then."},
      {"clip-norm", "Faint pixels are taken off."},
      {"clip-contribution", "Pixels that add little are taken off."},
      {"yosinski-a", "Yosinski's combination a, as published."},
      {"yosinski-b", "Yosinski's combination b, as published."},
      {"yosinski-c", "Yosinski's combination c, as published."},
      {"yosinski-d", "Yosinski's combination d, as published."}};
  Json all = Json::array();
  for (auto one = recipes().rbegin(); one != recipes().rend(); ++one)  // natural comes first
    all.push_back({{"name", one->name}, {"does", does.contains(one->name) ? does.at(one->name) : ""}});
  return all;
}

Wish dream_wish(World& world, const Asked& asked) {
  const Explored& model = world.model(asked);
  const Recipe& recipe = recipe_named(asked.text_or("preset", "natural"));
  const Question question = question_of_dream(asked, model);
  DreamOptions options;
  options.steps = asked.integer_or_none("steps", 1, most_steps);
  options.seed = std::uint64_t(asked.integer_or_none("seed", 0, std::int64_t{1} << 53).value_or(0));
  options.octaves = asked.integer_or_none("octaves", 1, most_octaves).value_or(1);
  options.size = asked.integer_or_none("size", 0, most_size).value_or(0);
  if (const Preprocess sees = model.setup.model.preprocess();
      options.size == 0 && sees.crop + sees.resize == 0)
    options.size = std::min(model.input[2], most_size);  // it takes any size: that of the images
  std::string command = model.command("dream") + " --preset " + recipe.name + question_words(question);
  if (options.steps) command += " --steps " + std::to_string(*options.steps);
  if (options.seed != 0) command += " --seed " + std::to_string(options.seed);
  if (options.octaves != 1) command += " --octaves " + std::to_string(options.octaves);
  if (options.size != 0) command += " --size " + std::to_string(options.size);
  return {.title = "what " + asked_text(question, model) + " looks for",
          .run = [&model, &recipe, question, options, command](Work& work) {
            ProgressLine progress = progress_of(work);
            double before = 0;
            std::int64_t octave = -1;
            Frame last;  // its steps are counted through all octaves, each of which begins with step 0
            const Film film{.every = 1, .show = [&](const Frame& frame) {
                              if (frame.step == 0 && ++octave == 0) before = frame.values[0].item<double>();
                              last = frame;
                              last.step += octave * frame.steps;
                              last.steps *= options.octaves;
                              if (!work.wants_frame()) return;
                              Files on_the_way;
                              Json so_far = told(last, question, model, on_the_way);
                              so_far["before"] = before;
                              work.frame(so_far);
                            }};
            const Synthesis found = recipe.run(model.setup.model, question, options, film, progress);
            if (found.stopped) throw Cancelled();  // what there is so far is not what was asked for
            Files files(work.key());
            Json answer = told({last.step, last.steps, found.synthesized, found.values.select(1, -1)},
                               question, model, files);
            answer["before"] = before;
            answer["predicted"] = nullptr;
            answer["probability"] = nullptr;
            if (const Tensor probabilities = probabilities_of(model, found.synthesized);
                probabilities.defined()) {
              answer["predicted"] = json_of(
                  model, {probabilities.argmax().item<std::int64_t>(), probabilities.max().item<double>()});
              if (const auto* const one = std::get_if<LogOdds>(&question.kind()))
                answer["probability"] = probabilities[one->label.of(0)].item<double>();
            }
            if (!found.unmoved.empty())
              answer["notices"].push_back(
                  "the objective did not move in 50 steps: nothing of its gradient reaches the image; try "
                  "another seed or preset");
            files.array(answer, "image", found.synthesized);
            answer["command"] = command + " --out dream.png --array dream.npy";
            return Found{std::move(answer), std::move(files).all()};
          }};
}

Wish invert_wish(World& world, const Asked& asked) {
  const Explored& model = world.model(asked);
  const std::string layer = asked.text("layer"), id = asked.text("image");
  model.layer(layer);
  const double faster = asked.number_or_none("faster", 1, 100).value_or(4);
  const std::string command = model.command("invert") + " --input " + shell_word(world.images.path(id)) +
                              " --layer " + shell_word(layer) + " --faster " + number(faster) +
                              " --out known.png --array known.npy";
  return {.title = "what " + layer + " knows of " + world.images.listed(id).name,
          .run = [&model, layer, faster, command, image = world.seen(asked)](Work& work) {
            ProgressLine progress = progress_of(work);
            const AnyModel& network = model.setup.model;
            const Published weights = published_for(network, layer, image, 1);
            const auto answer_at = [&](const Frame& frame, Files& files) {
              Json answer{{"layer", layer},
                          {"step", frame.step},
                          {"steps", frame.steps},
                          {"error", -frame.values[0].item<double>()},
                          {"notices", Json::array()}};
              files.picture(answer, "image", to_picture(frame.images.to(torch::kCPU)));
              return answer;
            };
            Frame last;
            const auto show = [&](const Frame& frame) {
              last = frame;
              if (!work.wants_frame()) return;
              Files on_the_way;
              work.frame(answer_at(frame, on_the_way));
            };
            const Optimizer<Inversion, Published> invert(
                scheduled(faster, 0, *std::get<1>(weights.parts()).weight), weights);
            const Synthesis found = invert.every(1, show)(network, Representation{layer, image}, progress);
            if (found.stopped) throw Cancelled();
            Files files(work.key());
            Json answer =
                answer_at({last.step, last.steps, found.synthesized, found.values.select(1, -1)}, files);
            files.picture(answer, "original", to_picture(image));
            files.array(answer, "image", found.synthesized);
            answer["command"] = command;
            return Found{std::move(answer), std::move(files).all()};
          }};
}

}  // namespace pellucid::app
