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

Json json_of_image(const AttackResult& result, const Labels& labels) {
  Json entry{{"input", result.file}, {"label", result.label}};
  entry["label_name"] = text_or_null(labels.name(result.label));
  if (result.target) {
    entry["target"] = *result.target;
    entry["target_name"] = text_or_null(labels.name(*result.target));
  }
  return entry;
}

Json json_of_answer(const AttackStep& step, const Labels& labels) {
  Json entry{{"predicted", step.predicted}};
  entry["predicted_name"] = text_or_null(labels.name(step.predicted));
  entry["probability"] = step.probability;
  entry["label_probability"] = step.label_probability;
  if (step.target_probability) entry["target_probability"] = *step.target_probability;
  return entry;
}

Json json_of_outcome(const AttackResult& result) {
  return {{"succeeded", result.succeeded()},
          {"unmoved", result.unmoved},
          {"passes", {{"forward", result.passes.forward}, {"backward", result.passes.backward}}}};
}

Json as_json(const AttackResult& result, const Labels& labels, const AttackChoice& choice) {
  Json entry = json_of_image(result, labels);
  entry["steps"] = Json::array();
  for (const AttackStep& step : result.steps) {
    Json one{{"step", step.step}};
    one.update(json_of_answer(step, labels));
    one["epsilon"] = step.epsilon;
    entry["steps"].push_back(one);
  }
  entry.update(json_of_outcome(result));
  if (choice.searches())
    entry["minimal_epsilon"] = result.minimal_epsilon ? Json(*result.minimal_epsilon) : Json();
  entry["notices"] = result.notices;
  return entry;
}

}  // namespace pellucid::app
