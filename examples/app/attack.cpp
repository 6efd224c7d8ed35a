#include <CLI/CLI.hpp>

#include <pellucid/attack/methods/fgsm.hpp>

#include <charconv>

#include "command.hpp"
#include "json.hpp"
#include "progress_line.hpp"
#include "setup.hpp"
#include "sheets.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

struct Wish {
  Common common{};
  std::string method = "fgsm";
  std::string epsilon{};
  std::optional<std::int64_t> label{}, target{};
};

/// A decimal, or a fraction such as 4/255.
double epsilon_from(const std::string& given) {
  const auto refuse = [&]() -> double {
    throw Error("--epsilon " + given +
                ": give the largest change of a pixel, from 0 to 1, as 0.0157 or as 4/255");
  };
  const auto whole = [&](std::string_view text) {
    double value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    return code == std::errc{} && end == text.data() + text.size() && std::isfinite(value) ? value : refuse();
  };
  const std::size_t slash = given.find('/');
  const double above = whole(std::string_view(given).substr(0, slash));
  const double below = slash == std::string::npos ? 1 : whole(std::string_view(given).substr(slash + 1));
  const double epsilon = below > 0 ? above / below : refuse();
  return epsilon >= 0 && epsilon <= 1 ? epsilon : refuse();
}

/// What the model says of an image at one step.
struct Step {
  Answer answer{};
  double label_probability = 0;
  std::optional<double> target_probability{};
  double epsilon = 0;
};

struct Result {
  std::string file{}, shown{};
  Tensor image{}, attacked{};  ///< 1×…
  std::int64_t label = 0;
  std::optional<std::int64_t> target{};
  std::vector<Step> steps{};
  std::vector<std::string> notices{};

  bool succeeded() const {
    const std::int64_t said = steps.back().answer.label;
    return target ? said == *target : said != label;
  }
};

Step step(const Wish& wish, const Tensor& probabilities, std::int64_t row, std::int64_t label,
          double epsilon) {
  const auto of = [&](std::int64_t one) { return probabilities[row][one].item<double>(); };
  Step made{.answer = answer(probabilities, row), .label_probability = of(label), .epsilon = epsilon};
  if (wish.target) made.target_probability = of(*wish.target);
  return made;
}

std::vector<Result> attack_all(const Wish& wish, const Setup& setup, double epsilon) {
  const Attack<FGSM> attack(
      {.epsilon = epsilon, .target = wish.target ? PerImage(*wish.target) : PerImage()});
  ProgressLine progress("attacking", std::int64_t(setup.inputs.size()));
  std::vector<Result> all;
  for (const Input& input : setup.inputs) {
    const Tensor before = probabilities_of(setup, input.images);
    for (const auto& [option, given] : {std::pair("--label", wish.label), std::pair("--target", wish.target)})
      if (given && (*given < 0 || *given >= before.size(1)))
        throw Error(std::string(option) + " " + std::to_string(*given) + ": the model has " +
                    std::to_string(before.size(1)) + " classes, 0 to " + std::to_string(before.size(1) - 1));
    std::vector<std::int64_t> labels;
    for (std::int64_t row = 0; row < input.count(); ++row)
      labels.push_back(wish.label.value_or(answer(before, row).label));

    const auto found = attack(setup.model, input.images, Class{labels}, progress);
    const Tensor attacked = found.images;
    progress.next();
    const Tensor after = probabilities_of(setup, attacked);
    const bool in_range = input.images.min().item<double>() >= 0 && input.images.max().item<double>() <= 1;
    for (std::int64_t row = 0; row < input.count(); ++row) {
      const std::int64_t label = labels[std::size_t(row)];
      Result result{input.named(row),
                    input.shown(row),
                    input.images.narrow(0, row, 1),
                    attacked.narrow(0, row, 1),
                    label,
                    wish.target};
      result.steps = {step(wish, before, row, label, 0), step(wish, after, row, label, epsilon)};
      if (std::count(found.unmoved.begin(), found.unmoved.end(), row) > 0)
        result.notices.push_back(
            "no change was found: the gradient is zero everywhere (a saturated score, a ReLU that is off)");
      if (!in_range)
        result.notices.push_back("its values were clipped to [0, 1], the range of pixels, by the attack");
      if (wish.label && result.steps[0].answer.label != label)
        result.notices.push_back("the model did not say " + setup.labels.text(label) +
                                 " before the attack either");
      all.push_back(std::move(result));
    }
  }
  return all;
}

Json document(const Wish& wish, const std::vector<Result>& all, double epsilon) {
  Json images = Json::array();
  for (const Result& result : all) {
    Json entry{{"input", result.file}, {"label", result.label}};
    if (result.target) entry["target"] = *result.target;
    entry["steps"] = Json::array();
    for (std::size_t i = 0; i < result.steps.size(); ++i) {
      const Step& made = result.steps[i];
      Json one{{"step", i},
               {"predicted", made.answer.label},
               {"probability", made.answer.probability},
               {"label_probability", made.label_probability},
               {"epsilon", made.epsilon}};
      if (made.target_probability) one["target_probability"] = *made.target_probability;
      entry["steps"].push_back(one);
    }
    entry["succeeded"] = result.succeeded();
    entry["notices"] = result.notices;
    images.push_back(entry);
  }
  return {{"images", images}, {"method", wish.method}, {"options", {{"epsilon", epsilon}}}};
}

std::string outcome(const Result& result, const Labels& labels) {
  if (result.target) return labels.text(*result.target) + (result.succeeded() ? " reached" : " not reached");
  return (result.succeeded() ? "away from " : "not away from ") + labels.text(result.label);
}

Picture picture(const std::vector<Result>& all, const Labels& labels, const std::string& title) {
  std::vector<Tile> tiles;
  std::vector<Picture> grids;
  for (const Result& result : all) {
    const Tensor change = (result.attacked - result.image).to(torch::kCPU);
    if (!is_photo(result.image)) {
      grids.push_back(channels(change, "What " + title + " changed in " + result.shown, false));
      continue;
    }
    const double most = change.abs().max().item<double>();
    const double times = most > 0 ? std::max(1.0, std::floor(0.5 / most)) : 1;
    tiles.push_back({photo(result.image),
                     result.shown + "\nModel: " + answer_label(labels, result.steps.front().answer)});
    tiles.push_back({photo(change * times + 0.5), "The change, " + formatted("%.0f", times) +
                                                      " times as strong (grey: none)\n"
                                                      "At most " +
                                                      formatted("%.3g", 255 * most) + "/255 in a pixel"});
    tiles.push_back({photo(result.attacked.to(torch::kCPU)),
                     "Attacked: " + outcome(result, labels) +
                         "\nModel: " + answer_label(labels, result.steps.back().answer)});
  }
  if (!tiles.empty())
    grids.insert(grids.begin(), contact_sheet(tiles, {.columns = 3, .label_lines = 4, .title = title}));
  return stacked(grids);
}

void print_text(const std::vector<Result>& all, const Labels& labels) {
  for (const Result& result : all) {
    std::cout << result.file << '\n'
              << "  before   " << answer_text(labels, result.steps.front().answer) << '\n'
              << "  after    " << answer_text(labels, result.steps.back().answer) << '\n'
              << "  outcome  " << outcome(result, labels) << ": "
              << percent(result.target ? *result.steps.front().target_probability
                                       : result.steps.front().label_probability)
              << " before, "
              << percent(result.target ? *result.steps.back().target_probability
                                       : result.steps.back().label_probability)
              << " after\n";
    for (const std::string& notice : result.notices) std::cout << "  notice   " << notice << '\n';
  }
}

void run(const Wish& wish) {
  if (wish.method != "fgsm")
    throw Error("--method " + wish.method + ": there is no such method; the methods are fgsm");
  if (wish.label && wish.target)
    throw Error("--label is the class to get away from and --target the class to reach; give one of them");
  const double epsilon = epsilon_from(wish.epsilon);
  const Setup setup(wish.common);
  if (!wish.common.array.empty()) setup.check_one_size();
  const std::vector<Result> all = attack_all(wish, setup, epsilon);

  if (!wish.common.array.empty()) {
    std::vector<Tensor> rows;
    for (const Result& result : all) rows.push_back(result.attacked);
    save_array(wish.common.array, torch::cat(rows));
  }
  if (!wish.common.out.empty())
    save_picture(wish.common.out,
                 picture(all, setup.labels, wish.method + " (epsilon " + wish.epsilon + ")"));
  if (wish.common.json) return print(document(wish, all, epsilon));
  print_text(all, setup.labels);
  tell_written(wish.common);
}

const Registered registered(
    "attack",
    {"how small a change makes the model say something else",
     "  pellucid attack --model net.pt --preprocess imagenet --labels classes.txt --input dog.jpg \\\n"
     "      --method fgsm --epsilon 4/255 --out fooled.png\n"
     "  pellucid attack ... --method fgsm --epsilon 0.03 --target 281 --array attacked.npy --json",
     [](CLI::App& options) -> std::function<void()> {
       const auto wish = std::make_shared<Wish>();
       options.add_option("--method", wish->method, "fgsm")->type_name("NAME");
       options
           .add_option("--epsilon", wish->epsilon,
                       "the largest change of a pixel, in [0, 1]: 0.0157 or 4/255")
           ->required()
           ->type_name("E");
       options
           .add_option("--label", wish->label, "the class to get away from (left out: what the model says)")
           ->type_name("K");
       options.add_option("--target", wish->target, "the class to reach")->type_name("K");
       add_common(options, wish->common,
                  {.out = "draw the images, the change, and the attacked images",
                   .array = "write the attacked images"});
       return [wish] { run(*wish); };
     }});

}  // namespace

}  // namespace pellucid::app
