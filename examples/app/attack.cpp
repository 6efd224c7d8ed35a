#include <pellucid/image/npy.hpp>

#include <CLI/CLI.hpp>

#include "attack_accuracy.hpp"
#include "attack_explain.hpp"
#include "attack_picture.hpp"
#include "command.hpp"
#include "give.hpp"
#include "label_file.hpp"
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
  std::string label_file{};
  std::string explain{};
};

AttackChoice check(const Wish& wish) {
  const AttackChoice choice(wish.method, wish.options, wish.epsilon);
  if (wish.label && wish.target)
    throw Error("--label is the class to get away from and --target the class to reach; give one of them");
  if (wish.label && !wish.label_file.empty())
    throw Error("--label is one class for all images and --label-file has one for each; give one of them");
  const bool several = choice.epsilons().size() > 1;
  if (several && !wish.common.array.empty())
    throw Error("--array writes the images attacked with one --epsilon; several were given");
  if (wish.explain.empty()) return choice;
  check_explains_pixels(wish.explain);
  if (several) throw Error("--explain explains the images attacked with one --epsilon; several were given");
  if (wish.common.out.empty()) throw Error("--explain draws its maps with --out; give --out FILE.png");
  return choice;
}

/// Refuses, before any attack, a model or a class that none can be made with.
void check_classes(const Wish& wish, const LabelFile& labels, const Setup& setup) {
  const std::int64_t classes = probabilities_of(setup, setup.inputs.front().images.narrow(0, 0, 1)).size(1);
  if (classes < 2)
    throw Error("an attack brings an image from one class to another, and the model gives " +
                std::to_string(classes) + " score for each image; give a model of two classes or more");
  if (wish.label) check_class("--label", *wish.label, classes);
  if (wish.target) check_class("--target", *wish.target, classes);
  labels.check(setup, classes);
}

/// Refuses arrays that hold no pixels: an attack keeps to [0, 1].
void check_range(const Setup& setup) {
  for (const Input& input : setup.inputs) {
    if (const std::string range = values_beyond_pixels(input.images); !range.empty())
      throw Error(input.file + ": " + range +
                  "; an attack keeps to pixels, 0 to 1: divide bytes by 255, and leave the mean and the "
                  "standard deviation to --preprocess");
  }
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
  result.unmoved = std::count(record.unmoved.begin(), record.unmoved.end(), row) > 0;
  if (result.unmoved)
    result.notices.emplace_back(
        "no way to go was found: the gradient is zero everywhere (a saturated score, a ReLU that is off)");
  if ((wish.label || !wish.label_file.empty()) && result.steps.front().predicted != label)
    result.notices.push_back("the model did not say " + setup.labels.text(label) +
                             " before the attack either");
  return result;
}

/// All images, attacked at each ε.
Sweep attack_all(const Wish& wish, const AttackChoice& choice, const LabelFile& label_file,
                 const Setup& setup) {
  Sweep all(choice.epsilons().size());
  ProgressLine progress("attacking", std::int64_t(setup.inputs.size() * all.size()));
  for (const Input& input : setup.inputs) {
    const Tensor probabilities = probabilities_of(setup, input.images);
    std::vector<std::int64_t> labels;
    for (std::int64_t row = 0; row < input.count(); ++row)
      labels.push_back(label_file.given() ? label_file.of(input, row)
                                          : wish.label.value_or(answer(probabilities, row).label));
    for (std::size_t i = 0; i < all.size(); ++i) {
      const RunAttack run =
          choice.prepare(choice.epsilons()[i], wish.target ? PerImage(*wish.target) : PerImage());
      const Attacking found = run(setup.model, input.images, Class{labels}, progress);
      progress.next();
      for (std::int64_t row = 0; row < input.count(); ++row) {
        all[i].push_back(result_of(wish, setup, input, row, labels[std::size_t(row)], found));
        if (all.size() > 1) all[i].back().attacked = Tensor();  // counted, and too many to keep
      }
    }
  }
  return all;
}

Json document(const Wish& wish, const AttackChoice& choice) {
  Json document;
  document["images"] = Json::array();
  document["method"] = wish.method;
  document["options"] = settings_json(choice.settings());
  return document;
}

/// What the attacks of each size come to.
void tell_accuracy(const Wish& wish, const AttackChoice& choice, const Setup& setup, const Sweep& all) {
  const std::vector<AccuracyPoint> points = accuracy(choice, all);
  const Counted counted(wish.label, wish.target, !wish.label_file.empty(), setup.labels);
  Told told{document(wish, choice), as_text(points, all, choice, counted)};
  add_to(told.document, points, all, setup.labels, counted);
  give(wish.common, told, {}, [&] {
    return accuracy_picture(points, choice, counted.words,
                            wish.method + ", " + std::to_string(all[0].size()) + " images");
  });
}

/// What became of each image.
void tell_each(const Wish& wish, const AttackChoice& choice, const Setup& setup, const Explain& explain,
               std::vector<AttackResult>& all) {
  if (!wish.common.array.empty()) {  // before the maps are made, which may fail
    std::vector<Tensor> rows;
    for (const AttackResult& result : all) rows.push_back(result.attacked);
    write_npy(wish.common.array, torch::cat(rows));
  }
  std::vector<AttackExplained> explained;
  if (explain) explained = explain_attacks(explain, setup, all);
  Told told{document(wish, choice), {}};
  for (const AttackResult& result : all) {
    told.document["images"].push_back(as_json(result, setup.labels, choice));
    told.text += as_text(result, setup.labels, choice);
  }
  if (explain) told.document["explain"] = wish.explain;
  give(wish.common, told, {}, [&] {
    const std::string title =
        wish.method + (choice.searches() ? "" : " (epsilon " + choice.text(choice.epsilons()[0]) + ")") +
        (explain ? ", explained by " + wish.explain : "");
    return explain ? attack_explained_picture(all, explained, method_named(wish.explain).view, setup.labels,
                                              choice, title)
                   : attack_picture(all, setup.labels, choice, title);
  });
}

void run(const Wish& wish) {
  const AttackChoice choice = check(wish);
  const LabelFile label_file(wish.label_file);
  const Setup setup(wish.common);
  if (!wish.common.array.empty()) setup.check_one_size();
  check_range(setup);
  check_classes(wish, label_file, setup);
  Explain explain;
  if (!wish.explain.empty()) explain = explain_prepared(wish.explain, setup);
  Sweep all = attack_all(wish, choice, label_file, setup);
  if (all.size() > 1) {
    tell_accuracy(wish, choice, setup, all);
  } else {
    tell_each(wish, choice, setup, explain, all[0]);
  }
}

std::function<void()> set_up(CLI::App& options) {
  const auto wish = std::make_shared<Wish>();
  AttackOptions& its = wish->options;
  options.add_option("--method", wish->method, attack_names() + " (left out: fgsm)")->type_name("NAME");
  options
      .add_option(
          "--epsilon", wish->epsilon,
          "the largest change of a pixel, in [0, 1]: 0.0157 or 4/255 (with --norm 2 the length of the whole "
          "change, 0 or more: 0.5); several, 0,1/255,4/255: the share of the images that withstand each; for "
          "minimal-epsilon the largest to try (0.5)")
      ->type_name("E[,E]");
  options.add_option("--label", wish->label, "the class to get away from (left out: what the model says)")
      ->type_name("K");
  options
      .add_option("--label-file", wish->label_file,
                  "the class of each image, a line NAME,K for each: the name of its file without the folder, "
                  "and its number. What is wrong before the attack then counts as wrong")
      ->type_name("FILE");
  options.add_option("--target", wish->target, "the class to reach")->type_name("K");
  options
      .add_option("--explain", wish->explain,
                  "explain the images before and after with an attribution method, on the sheet of --out: " +
                      pixel_method_names())
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
     "  pellucid attack ... --input photos --method pgd --epsilon 0,1/255,2/255,4/255 \\\n"
     "      --label-file right.csv --out accuracy.png\n"
     "  pellucid attack ... --method ifgsm --epsilon 4/255 --explain grad-cam --out explained.png",
     set_up});

}  // namespace

}  // namespace pellucid::app
