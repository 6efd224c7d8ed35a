#include "finding.hpp"

#include <cmath>

#include "text.hpp"

namespace pellucid::app {

namespace {

std::string only(const PerImage& value) {
  return std::to_string(value.values().at(0));
}

struct Describe {
  const Labels& labels;

  std::string operator()(const Class& asked) const { return labels.text(asked.label.values().at(0)); }
  std::string operator()(const LogOdds& asked) const {
    return "the log odds of " + (*this)(Class{asked.label});
  }
  std::string operator()(const Channel& asked) const {
    return "channel " + only(asked.channel) + " of " + asked.layer;
  }
  std::string operator()(const Neuron& asked) const {
    const std::string place =
        asked.y.empty() || asked.x.empty() ? "" : " at y " + only(asked.y) + ", x " + only(asked.x);
    return "neuron " + only(asked.channel) + " of " + asked.layer + place;
  }
  std::string operator()(const Layer& asked) const { return "layer " + asked.layer; }
};

struct ToJson {
  const Labels& labels;

  Json operator()(const Class& asked) const {
    const std::int64_t label = asked.label.values().at(0);
    return {{"class", label}, {"name", text_or_null(labels.name(label))}};
  }
  Json operator()(const LogOdds& asked) const { return {{"log_odds", (*this)(Class{asked.label})}}; }
  Json operator()(const Channel& asked) const {
    return {{"layer", asked.layer}, {"channel", asked.channel.values().at(0)}};
  }
  Json operator()(const Neuron& asked) const {
    Json result{{"layer", asked.layer}, {"neuron", asked.channel.values().at(0)}};
    if (!asked.y.empty() && !asked.x.empty()) {
      result["y"] = asked.y.values().at(0);
      result["x"] = asked.x.values().at(0);
    }
    return result;
  }
  Json operator()(const Layer& asked) const { return {{"layer", asked.layer}}; }
};

/// null where there is no difference to take a share of
Json share(double part, double whole) {
  return whole == 0 ? Json() : Json(std::abs(part / whole));
}

}  // namespace

std::string asked_text(const Finding& found, const Labels& labels) {
  return found.question ? std::visit(Describe{labels}, found.question->kind()) : "";
}

std::string as_text(const Finding& found, const Labels& labels, const std::string& method) {
  std::string text = found.file + "\n";
  if (found.predicted) text += line("the model says", answer_text(labels, *found.predicted));
  text += line("explained", found.question ? asked_text(found, labels) +
                                                 (found.probability ? ", " + percent(*found.probability) : "")
                                           : "nothing that was asked about: what the layer gives");
  text += line("method", method);
  if (found.standard_error)
    text +=
        line("standard error", std::isfinite(*found.standard_error)
                                   ? number(*found.standard_error) + " of the attribution's norm, after " +
                                         std::to_string(found.samples) + " samples"
                                   : "not known from " + std::to_string(found.samples) + " samples");
  if (found.completeness_gap) {
    const double gap = *found.completeness_gap, whole = found.completeness_whole;
    text += line("completeness", "gap " + number(gap) + " of a difference of " + number(whole) +
                                     (whole != 0 ? " (" + percent(std::abs(gap / whole)) + ")" : ""));
  }
  for (const std::string& notice : found.notices) text += line("notice", notice);
  if (found.checks) text += as_text(*found.checks);
  return text;
}

Json as_json(const Question& question, const Labels& labels) {
  return std::visit(ToJson{labels}, question.kind());
}

Json as_json(const Finding& found, const Labels& labels) {
  Json entry{{"input", found.file}};
  entry["predicted"] = found.predicted ? Json(found.predicted->label) : Json();
  entry["predicted_name"] = found.predicted ? text_or_null(labels.name(found.predicted->label)) : Json();
  entry["probability"] = found.predicted ? Json(found.predicted->probability) : Json();
  entry["objective"] = found.question ? as_json(*found.question, labels) : Json();
  if (found.probability) entry["objective"]["probability"] = *found.probability;
  entry["shape"] = found.attribution.sizes().vec();
  if (found.samples > 0) entry["samples"] = found.samples;
  if (found.standard_error) entry["standard_error"] = *found.standard_error;
  if (found.completeness_gap) {
    entry["completeness_gap"] = *found.completeness_gap;
    entry["completeness_gap_share"] = share(*found.completeness_gap, found.completeness_whole);
  }
  entry["notices"] = found.notices;
  if (found.checks) entry["checks"] = as_json(*found.checks);
  return entry;
}

}  // namespace pellucid::app
