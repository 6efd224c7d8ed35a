#include "attack_result.hpp"

#include "text.hpp"

namespace pellucid::app {

Answer answer(const AttackStep& step) {
  return {step.predicted, step.probability};
}

std::string outcome(const AttackResult& result, const Labels& labels) {
  if (result.target) return labels.text(*result.target) + (result.succeeded() ? " reached" : " not reached");
  return (result.succeeded() ? "away from " : "not away from ") + labels.text(result.label);
}

std::string as_text(const AttackResult& result, const Labels& labels, const AttackChoice& choice) {
  std::string text = result.file + "\n  label    " + labels.text(result.label) + "\n  outcome  " +
                     outcome(result, labels) + "\n";
  if (choice.searches())
    text += "  epsilon  " +
            (result.minimal_epsilon ? "smallest found: " + number(*result.minimal_epsilon) + " (" +
                                          choice.text(*result.minimal_epsilon) + ")"
                                    : "none found up to " + choice.text(choice.epsilons()[0])) +
            ", by " + std::to_string(result.passes.forward) + " forward passes and " +
            std::to_string(result.passes.backward) + " backward\n";
  std::vector<std::string> header{"", "step", "epsilon", "the model says", "how sure", "of the label"};
  if (result.target) header.push_back("of the target");
  Table table(header);
  for (const AttackStep& step : result.steps) {
    std::vector<std::string> row{"",
                                 std::to_string(step.step),
                                 choice.text(step.epsilon),
                                 labels.text(step.predicted),
                                 percent(step.probability),
                                 percent(step.label_probability)};
    if (step.target_probability) row.push_back(percent(*step.target_probability));
    table.add(row);
  }
  text += table.text();
  for (const std::string& notice : result.notices) text += "  notice   " + notice + "\n";
  return text;
}

Json as_json(const AttackResult& result, const Labels& labels, const AttackChoice& choice) {
  Json entry{{"input", result.file}, {"label", result.label}};
  entry["label_name"] = text_or_null(labels.name(result.label));
  if (result.target) entry["target"] = *result.target;
  entry["steps"] = Json::array();
  for (const AttackStep& step : result.steps) {
    Json one{{"step", step.step},
             {"predicted", step.predicted},
             {"probability", step.probability},
             {"label_probability", step.label_probability}};
    if (step.target_probability) one["target_probability"] = *step.target_probability;
    one["epsilon"] = step.epsilon;
    entry["steps"].push_back(one);
  }
  entry["succeeded"] = result.succeeded();
  if (choice.searches())
    entry["minimal_epsilon"] = result.minimal_epsilon ? Json(*result.minimal_epsilon) : Json();
  entry["passes"] = {{"forward", result.passes.forward}, {"backward", result.passes.backward}};
  entry["notices"] = result.notices;
  return entry;
}

std::string counted(const std::optional<std::int64_t>& label, const std::optional<std::int64_t>& target,
                    const Labels& labels) {
  if (target) return "brought to " + labels.text(*target);
  return label ? "still " + labels.text(*label) : "still as before";
}

}  // namespace pellucid::app
