#include <pellucid/attribution/class_activation.hpp>

#include <CLI/CLI.hpp>

#include <iostream>

#include "attack_picture.hpp"
#include "command.hpp"
#include "progress_line.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

/// The options of `attack`, as they were given.
struct Wish {
  Common common{};
  std::string method = "fgsm";
  std::string epsilon{};
  AttackOptions options{};
  std::optional<std::int64_t> label{}, target{};
  std::string explain{};
};

AttackChoice check(const Wish& wish) {
  const AttackChoice choice(wish.method, wish.options, wish.epsilon);
  if (wish.label && wish.target)
    throw Error("--label is the class to get away from and --target the class to reach; give one of them");
  const bool several = choice.epsilons().size() > 1;
  if (several && !wish.common.array.empty())
    throw Error("--array writes the images attacked with one --epsilon; several were given");
  if (wish.explain.empty()) return choice;
  if (method_named(wish.explain).layer == LayerIs::explained)
    throw Error("--explain " + wish.explain +
                " would explain the values of a layer, and an attack changes pixels; give a "
                "method that explains pixels, such as grad-cam or smoothgrad");
  if (several) throw Error("--explain explains the images attacked with one --epsilon; several were given");
  if (wish.common.out.empty()) throw Error("--explain draws its maps with --out; give --out FILE.png");
  return choice;
}

/// Refuses a class that the model does not have.
void check_classes(const Wish& wish, std::int64_t classes) {
  for (const auto& [option, given] : {std::pair("--label", wish.label), std::pair("--target", wish.target)})
    if (given && (*given < 0 || *given >= classes))
      throw Error(std::string(option) + " " + std::to_string(*given) + ": the model has " +
                  std::to_string(classes) + " classes, 0 to " + std::to_string(classes - 1));
}

AttackResult result_of(const Wish& wish, const Setup& setup, const Input& input, std::int64_t row,
                       std::int64_t label, const Attacking& found) {
  const AttackRecord& record = found.record;
  const auto at = std::size_t(row);
  AttackResult result{.file = input.named(row),
                      .shown = input.shown(row),
                      .image = input.images.narrow(0, row, 1),
                      .attacked = found.images.narrow(0, row, 1),
                      .label = label,
                      .target = wish.target,
                      .steps = record.steps.at(at),
                      .passes = record.passes.at(at)};
  if (!record.minimal_epsilon.empty()) result.minimal_epsilon = record.minimal_epsilon[at];
  if (std::count(record.unmoved.begin(), record.unmoved.end(), row) > 0)
    result.notices.emplace_back(
        "no way to go was found: the gradient is zero everywhere (a saturated score, a ReLU that is off)");
  const bool in_range = result.image.min().item<double>() >= 0 && result.image.max().item<double>() <= 1;
  if (!in_range && result.steps.size() > 1)
    result.notices.emplace_back("its values were clipped to [0, 1], the range of pixels, by the attack");
  if (wish.label && result.steps.front().predicted != label)
    result.notices.push_back("the model did not say " + setup.labels.text(label) +
                             " before the attack either");
  return result;
}

/// All images, attacked at each ε: one list of results for each.
std::vector<std::vector<AttackResult>> attack_all(const Wish& wish, const AttackChoice& choice,
                                                  const Setup& setup) {
  std::vector<std::vector<AttackResult>> all(choice.epsilons().size());
  ProgressLine progress("attacking", std::int64_t(setup.inputs.size() * all.size()));
  for (const Input& input : setup.inputs) {
    const Tensor probabilities = probabilities_of(setup, input.images);
    check_classes(wish, probabilities.size(1));
    std::vector<std::int64_t> labels;
    for (std::int64_t row = 0; row < input.count(); ++row)
      labels.push_back(wish.label.value_or(answer(probabilities, row).label));
    for (std::size_t i = 0; i < all.size(); ++i) {
      const RunAttack run =
          choice.prepare(choice.epsilons()[i], wish.target ? PerImage(*wish.target) : PerImage());
      const Attacking found = run(setup.model, input.images, Class{labels}, progress);
      progress.next();
      for (std::int64_t row = 0; row < input.count(); ++row)
        all[i].push_back(result_of(wish, setup, input, row, labels[std::size_t(row)], found));
    }
  }
  return all;
}

/// At each ε, how many images are still what they should be (towards a target: are brought there).
std::vector<AccuracyPoint> accuracy(const AttackChoice& choice,
                                    const std::vector<std::vector<AttackResult>>& all) {
  std::vector<AccuracyPoint> points;
  for (std::size_t i = 0; i < all.size(); ++i) {
    AccuracyPoint point{.epsilon = choice.epsilons()[i], .images = std::int64_t(all[i].size())};
    for (const AttackResult& result : all[i]) point.count += result.succeeded() == result.target.has_value();
    points.push_back(point);
  }
  return points;
}

Json to_json(const Setting& setting) {
  return std::visit([](const auto& value) { return Json(value); }, setting.second);
}

Json document(const Wish& wish, const AttackChoice& choice) {
  Json document;
  document["images"] = Json::array();
  document["method"] = wish.method;
  document["options"] = Json::object();
  for (const Setting& setting : choice.settings()) document["options"][setting.first] = to_json(setting);
  return document;
}

/// The answers behind the attacks of each size, and what they come to.
void tell_accuracy(const Wish& wish, const AttackChoice& choice, const Setup& setup,
                   const std::vector<std::vector<AttackResult>>& all) {
  const std::vector<AccuracyPoint> points = accuracy(choice, all);
  const std::string what = counted(wish.label, wish.target, setup.labels);
  if (!wish.common.out.empty())
    save_picture(wish.common.out,
                 accuracy_picture(points, choice, what,
                                  wish.method + ", " + std::to_string(all[0].size()) + " images"));
  if (!wish.common.json) {
    Table table({"epsilon", what, "of", "share"});
    for (const AccuracyPoint& point : points)
      table.add({choice.text(point.epsilon), std::to_string(point.count), std::to_string(point.images),
                 percent(point.share())});
    std::cout << table.text();
    return tell_written(wish.common);
  }
  Json whole = document(wish, choice);
  for (std::size_t i = 0; i < all[0].size(); ++i) {
    Json entry{{"input", all[0][i].file}, {"label", all[0][i].label}};
    if (wish.target) entry["target"] = *wish.target;
    entry["epsilons"] = Json::array();
    for (std::size_t k = 0; k < all.size(); ++k) {
      const AttackStep& last = all[k][i].steps.back();
      entry["epsilons"].push_back({{"epsilon", points[k].epsilon},
                                   {"predicted", last.predicted},
                                   {"probability", last.probability},
                                   {"label_probability", last.label_probability},
                                   {"succeeded", last.reached}});
    }
    whole["images"].push_back(entry);
  }
  whole["accuracy"] = Json::array();
  for (const AccuracyPoint& point : points)
    whole["accuracy"].push_back({{"epsilon", point.epsilon},
                                 {"counted", what},
                                 {"count", point.count},
                                 {"images", point.images},
                                 {"share", point.share()}});
  print(whole);
}

/// The maps of a method, on each image before and after its attack.
std::vector<AttackExplained> explain_all(const std::string& method, const Setup& setup,
                                         const std::vector<AttackResult>& all) {
  MethodOptions options;
  if (method_named(method).layer == LayerIs::mapped)
    options.layer = last_spatial_layer(setup.model, all.front().image, Class{0});
  const Explain explain = method_named(method).prepare(options, setup.model);
  ProgressLine progress("explaining", 4 * std::int64_t(all.size()));
  std::vector<AttackExplained> explained;
  for (const AttackResult& result : all) {
    const auto map = [&](const Tensor& image, std::int64_t label) {
      const Question question(Class{label});
      const Explanation found = explain(setup.model, begin(setup.model, image, question, progress));
      progress.next();
      return found.attribution.detach().to(torch::kCPU);
    };
    AttackExplained& maps = explained.emplace_back();
    const std::int64_t before = result.steps.front().predicted, after = result.steps.back().predicted;
    maps.before_own = map(result.image, before);
    maps.before_label = before == result.label ? maps.before_own : map(result.image, result.label);
    maps.after_own = map(result.attacked, after);
    maps.after_label = after == result.label ? maps.after_own : map(result.attacked, result.label);
  }
  return explained;
}

void run(const Wish& wish) {
  const AttackChoice choice = check(wish);
  const Setup setup(wish.common);
  if (!wish.common.array.empty()) setup.check_one_size();
  const std::vector<std::vector<AttackResult>> attacks = attack_all(wish, choice, setup);
  if (attacks.size() > 1) return tell_accuracy(wish, choice, setup, attacks);

  const std::vector<AttackResult>& all = attacks[0];
  if (!wish.common.array.empty()) {
    std::vector<Tensor> rows;
    for (const AttackResult& result : all) rows.push_back(result.attacked);
    save_array(wish.common.array, torch::cat(rows));
  }
  if (!wish.common.out.empty()) {
    const std::string title =
        wish.method + (choice.searches() ? "" : " (epsilon " + choice.text(choice.epsilons()[0]) + ")") +
        (wish.explain.empty() ? "" : ", explained by " + wish.explain);
    save_picture(wish.common.out, wish.explain.empty()
                                      ? attack_picture(all, setup.labels, choice, title)
                                      : attack_explained_picture(all, explain_all(wish.explain, setup, all),
                                                                 method_named(wish.explain).view,
                                                                 setup.labels, choice, title));
  }
  if (wish.common.json) {
    Json whole = document(wish, choice);
    for (const AttackResult& result : all) whole["images"].push_back(as_json(result, setup.labels, choice));
    if (!wish.explain.empty()) whole["explain"] = wish.explain;
    return print(whole);
  }
  for (const AttackResult& result : all) std::cout << as_text(result, setup.labels, choice);
  tell_written(wish.common);
}

std::function<void()> set_up(CLI::App& options) {
  const auto wish = std::make_shared<Wish>();
  AttackOptions& its = wish->options;
  options.add_option("--method", wish->method, attack_names() + " (left out: fgsm)")->type_name("NAME");
  options
      .add_option(
          "--epsilon", wish->epsilon,
          "the largest change of a pixel, in [0, 1]: 0.0157 or 4/255; several, 0,1/255,4/255: the share "
          "of the images that withstand each; for minimal-epsilon the largest to try (0.5)")
      ->type_name("E[,E]");
  options.add_option("--label", wish->label, "the class to get away from (left out: what the model says)")
      ->type_name("K");
  options.add_option("--target", wish->target, "the class to reach")->type_name("K");
  options
      .add_option("--explain", wish->explain,
                  "explain the images before and after with an attribution method, on the sheet of --out: " +
                      method_names())
      ->type_name("NAME");

  const std::string group = "Options of the method";
  options.add_option("--steps", its.steps, "steps of ifgsm (10) and pgd (40)")->type_name("N")->group(group);
  options
      .add_option("--step-size", its.step_size,
                  "length of a step, as --epsilon (1.25 of epsilon for all of ifgsm's, 2.5 for all of pgd's)")
      ->type_name("A")
      ->group(group);
  options
      .add_option("--norm", its.norm,
                  "what epsilon limits: inf, each pixel (left out), or 2, the length of the whole change")
      ->type_name("P")
      ->group(group);
  options.add_option("--restarts", its.restarts, "random starts, of which the best is kept (1)")
      ->type_name("N")
      ->group(group);
  options.add_option("--seed", its.seed, "of the random starts; the same seed gives the same numbers (0)")
      ->type_name("S")
      ->group(group);
  options.add_flag("--stop-early", its.stop_early, "end an image's attack when its answer is as wished")
      ->group(group);

  add_common(options, wish->common,
             {.out = "draw the images, the change, and the attacked images; for several --epsilon the curve",
              .array = "write the attacked images"});
  return [wish] { run(*wish); };
}

const Registered registered(
    "attack",
    {"how small a change makes the model say something else",
     "  pellucid attack --model net.pt --preprocess imagenet --labels classes.txt --input dog.jpg \\\n"
     "      --method fgsm --epsilon 4/255 --out fooled.png\n"
     "  pellucid attack ... --method ifgsm --epsilon 4/255 --target 281 --stop-early --array attacked.npy "
     "--json\n"
     "  pellucid attack ... --method pgd --norm 2 --epsilon 0.5 --restarts 5 --out fooled.png\n"
     "  pellucid attack ... --method minimal-epsilon --out smallest.png\n"
     "  pellucid attack ... --input photos --method pgd --epsilon 0,1/255,2/255,4/255 --out accuracy.png\n"
     "  pellucid attack ... --method ifgsm --epsilon 4/255 --explain grad-cam --out explained.png",
     set_up});

}  // namespace

}  // namespace pellucid::app
