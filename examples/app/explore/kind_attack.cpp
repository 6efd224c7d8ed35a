#include <pellucid/image/write.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <variant>

#include "attack_methods.hpp"
#include "explore/kinds.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

constexpr double most_epsilon = 64;  // of 255
constexpr std::int64_t most_steps = 200;

AttackOptions options_from(const Asked& asked, const std::string& method) {
  const Asked given = asked.part("options");
  for (const auto& [name, value] : given.all().items())
    if (name != "steps" || method == "fgsm")
      throw Refused(400, "the attack " + method + " has no option '" + name.substr(0, 40) + "' here");
  return {.steps = given.integer_or_none("steps", 1, most_steps)};
}

/// k/255 with all digits that a slider can give.
std::string epsilon_text(double of_255) {
  return formatted("%.6g", of_255) + "/255";
}

/// What the attacks share: what is attacked, and how the answer is told.
struct Assault {
  Explored* model = nullptr;
  World* world = nullptr;
  Images image{};
  std::string name{}, path{};
  std::optional<std::int64_t> target{};
  AttackChoice choice;

  Found run(Work& work) const {
    ProgressLine progress = progress_of(work);
    const AnyModel& network = model->setup.model;
    const Tensor before = probabilities_of(*model, image);
    const Class label{before.argmax().item<std::int64_t>()};
    if (target && *target == label.label.of(0))
      throw Refused(400, "the model says " + model->setup.labels.text(*target) +
                             " already; give another class to reach");
    const Attacking found = choice.prepare(choice.epsilons()[0], target ? PerImage(*target) : PerImage())(
        network, image, label, progress);
    const AttackRecord& record = found.record;
    const Tensor change = (found.images - image).to(torch::kCPU);
    const double most = change.abs().max().item<double>();
    const double gain = most > 0 ? std::max(1.0, std::floor(0.5 / most)) : 1;
    const bool reached = record.steps[0].back().reached;

    Files files(work.key());
    Json answer{{"epsilon", 255 * choice.epsilons()[0]},
                {"succeeded", reached},
                {"label", label.label.of(0)},
                {"target", target ? Json(*target) : Json()}};
    if (choice.searches()) {
      const auto& smallest = record.minimal_epsilon[0];
      answer["epsilon"] = smallest ? Json(255 * *smallest) : Json();
      answer["succeeded"] = smallest.has_value();
    }
    answer["before"] = top_of(*model, before);
    answer["after"] = top_of(*model, probabilities_of(*model, found.images));
    answer["notices"] = Json::array();
    if (!record.unmoved.empty())
      answer["notices"].push_back(
          "no way to go was found: the gradient is zero everywhere, as the model is too sure of its answer");
    const std::string id = "a" + work.key();
    world->images.put_attacked(id, "attacked " + name, found.images);
    answer["adversarial"] = id;
    answer["gain"] = gain;
    files.picture(answer, "image", to_picture(image));
    files.picture(answer, "perturbation", to_picture(change * gain + 0.5));
    files.picture(answer, "adversarial", to_picture(found.images.to(torch::kCPU)));
    files.array(answer, "adversarial", found.images);
    answer["command"] = command();
    return {std::move(answer), std::move(files).all()};
  }

  std::string command() const {
    std::string words = model->command("attack") + " --input " + shell_word(path) + " --method " +
                        choice.method() + " --epsilon " + epsilon_text(255 * choice.epsilons()[0]);
    if (target) words += " --target " + std::to_string(*target);
    for (const auto& [name, value] : choice.settings())
      if (name == "steps") words += " --steps " + std::to_string(std::get<std::int64_t>(value));
    return words + " --out attacked.png --array attacked.npy";
  }
};

Wish wish_of(World& world, const Asked& asked, AttackChoice choice) {
  Explored& model = world.model(asked);
  if (model.classes < 2)
    throw Refused(400, "an attack needs a model of two classes or more; " + model.name + " has " +
                           std::to_string(model.classes));
  const std::string id = asked.text("image");
  Assault one{&model,
              &world,
              world.seen(asked),
              world.images.listed(id).name,
              world.images.path(id),
              asked.integer_or_none("target", 0, model.classes - 1),
              std::move(choice)};
  return {.title = "an attack on " + one.name,
          .urgent = one.choice.method() == "fgsm",
          .run = [one](Work& work) { return one.run(work); }};
}

}  // namespace

Json attacks_told() {
  const Json epsilon{{"name", "epsilon"}, {"kind", "number"},
                     {"least", 0},        {"most", most_epsilon},
                     {"default", 4},      {"does", "largest change of a pixel, of 255"}};
  const Json steps{{"name", "steps"},    {"kind", "integer"}, {"least", 1},
                   {"most", most_steps}, {"default", 10},     {"does", "steps of the attack"}};
  return Json::array(
      {{{"name", "fgsm"},
        {"title", "FGSM"},
        {"does", "One step: each pixel is changed by ε in the direction that makes the answer less likely."},
        {"options", {epsilon}}},
       {{"name", "ifgsm"},
        {"title", "Iterated FGSM"},
        {"does", "Several small steps, each pixel never further than ε from where it was."},
        {"options", {epsilon, steps}}},
       {{"name", "pgd"},
        {"title", "PGD"},
        {"does", "As iterated FGSM, from a random place nearby: the strongest of the three."},
        {"options", {epsilon, steps}}}});
}

Wish attack_wish(World& world, const Asked& asked) {
  const std::string method = asked.text_or("method", "fgsm");
  if (method != "fgsm" && method != "ifgsm" && method != "pgd")
    throw Refused(
        400, "\"method\": '" + method.substr(0, 40) + "' was given; the attacks are fgsm, ifgsm and pgd");
  const double epsilon = asked.number("epsilon", 0, most_epsilon);
  return wish_of(world, asked, AttackChoice(method, options_from(asked, method), epsilon_text(epsilon)));
}

Wish smallest_wish(World& world, const Asked& asked) {
  const double most = asked.number_or_none("most", 0.25, most_epsilon).value_or(32);
  return wish_of(world, asked, AttackChoice("minimal-epsilon", {}, epsilon_text(most)));
}

}  // namespace pellucid::app
