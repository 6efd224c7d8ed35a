#include <CLI/CLI.hpp>

#include "check.hpp"
#include "command.hpp"
#include "explain_picture.hpp"
#include "explain_wish.hpp"
#include "finding.hpp"
#include "give.hpp"
#include "json.hpp"
#include "methods.hpp"
#include "sheets.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

double euclidean_norm(const Tensor& values) {
  return values.to(torch::kDouble).norm().item<double>();
}

/// One row of an explanation, as a person is told of it.
Finding finding(const ExplainWish& wish, const Input& input, std::int64_t row, const Explanation& explanation,
                const Question& question) {
  Finding found{.file = input.named(row),
                .shown = input.shown(row),
                .image = input.images.narrow(0, row, 1),
                .attribution = explanation.attribution.narrow(0, row, 1).detach().to(torch::kCPU),
                .question = wish.asks_nothing() ? std::nullopt : std::optional(question.select({row}))};
  const auto [first, last] = explanation.notices.equal_range(row);
  for (auto notice = first; notice != last; ++notice) found.notices.push_back(notice->second);
  if (!explanation.samples.empty()) found.samples = explanation.samples[std::size_t(row)];
  if (explanation.standard_error.defined()) {
    found.standard_error =
        euclidean_norm(explanation.standard_error[row]) / euclidean_norm(found.attribution);
    const double until = wish.options.until.value_or(0);
    if (until > 0 && *found.standard_error > until)
      found.notices.push_back("the standard error is " + number(*found.standard_error) + " after " +
                              std::to_string(found.samples) + " samples, still above --until " +
                              number(until));
  }
  if (explanation.completeness_gap.defined()) {
    found.completeness_gap = explanation.completeness_gap[row].item<double>();
    found.completeness_whole = explanation.completeness_whole[row].item<double>();
  }
  return found;
}

std::vector<Finding> explain_all(const ExplainWish& wish, const Setup& setup, const Explain& explain) {
  const View view = method_named(wish.method).view;
  ProgressLine progress("explaining", std::int64_t(setup.inputs.size()) *
                                          std::max<std::int64_t>(1, std::int64_t(wish.targets.size())) *
                                          (wish.check ? 1 + calls_of_checks : 1));
  std::vector<Finding> findings;
  std::int64_t images_before = 0;
  for (const Input& input : setup.inputs) {
    // A model that gives no scores N×K has layers to ask about all the same.
    const torch::NoGradGuard no_grad;
    Tensor probabilities;
    if (!(wish.asks_about_a_layer() || wish.asks_nothing()) ||
        setup.model(input.images.narrow(0, 0, 1)).dim() == 2)
      probabilities = probabilities_of(setup, input.images);
    std::vector<std::int64_t> labels;
    for (std::int64_t row = 0; probabilities.defined() && row < input.count(); ++row)
      labels.push_back(answer(probabilities, row).label);

    std::vector<std::vector<Finding>> of_rows(std::size_t(input.count()));
    for (const Question& asked : questions(wish, labels)) {
      if (asked.layer.empty()) asked.of(probabilities);  // refuses a class that is not there
      const Question question = asked.resolve(setup.model, input.images);
      const Explanation explanation =
          explain(setup.model, begin(setup.model, input.images, question, progress));
      progress.next();
      std::vector<Checked> checks;
      if (wish.check)
        checks = check_explanation(setup.model, input.images, question, explanation, explain, view, progress);
      for (std::int64_t row = 0; row < input.count(); ++row) {
        Finding found = finding(wish, input, row, explanation, question);
        found.number = images_before + row;
        if (wish.check) found.checks = std::move(checks[std::size_t(row)]);
        if (probabilities.defined()) {
          found.predicted = answer(probabilities, row);
          if (const Class* const one = std::get_if<Class>(&question.kind()))
            found.probability = probabilities[row][one->label.of(row)].item<double>();
        }
        of_rows[std::size_t(row)].push_back(std::move(found));
      }
    }
    for (auto& of_row : of_rows) std::move(of_row.begin(), of_row.end(), std::back_inserter(findings));
    images_before += input.count();
  }
  return findings;
}

Json document(const ExplainWish& wish, const Labels& labels, const std::vector<Finding>& findings) {
  Json document;
  document["images"] = Json::array();
  for (const Finding& found : findings) document["images"].push_back(as_json(found, labels));
  document["method"] = wish.method;
  document["options"] = settings_json(settings_of(wish.method, wish.options));
  return document;
}

void run(ExplainWish wish) {
  check(wish);
  const Setup setup(wish.common);
  if (!wish.common.array.empty()) setup.check_one_size();
  wish.options.layer = layer_of_method(wish, setup);
  const Explain explain = method_named(wish.method).prepare(wish.options, setup.model);
  const std::vector<Finding> findings = explain_all(wish, setup, explain);

  std::string method = wish.method, sets;
  const Json settings = settings_json(settings_of(wish.method, wish.options));
  for (const auto& [name, value] : settings.items()) {
    sets += (sets.empty() ? "" : ", ") + name + " " +
            (value.is_string()         ? value.get<std::string>()
             : value.is_number_float() ? number(value)
                                       : value.dump());
  }
  if (!sets.empty()) method += " (" + sets + ")";

  Told told{document(wish, setup.labels, findings), {}};
  std::vector<Tensor> rows;
  for (const Finding& found : findings) {
    told.text += as_text(found, setup.labels, method);
    rows.push_back(found.attribution);
  }
  give(wish.common, told, rows, [&] {
    const Method& its = method_named(wish.method);
    const bool as_it_is = its.layer == LayerIs::explained && wish.options.no_upsample;
    const View view = as_it_is ? View::channels : its.view;
    std::vector<Picture> pictures{explain_picture(findings, view, method, setup.labels)};
    for (const Finding& found : findings)
      if (found.checks)
        pictures.push_back(check_picture(*found.checks, found.image, found.attribution, view,
                                         found.shown + ", " + asked_text(found, setup.labels)));
    return stacked(pictures);
  });
}

std::function<void()> set_up(CLI::App& options) {
  const auto wish = std::make_shared<ExplainWish>();
  MethodOptions& method = wish->options;
  options.add_option("--method", wish->method, method_names() + " (left out: smoothgrad)")->type_name("NAME");

  const std::string asked = "What is asked about (left out: the class that the model says)";
  options.add_option("--target", wish->targets, "classes by number; several: one explanation each")
      ->delimiter(',')
      ->type_name("K[,K]")
      ->group(asked);
  options
      .add_option(
          "--layer", wish->layer,
          "a layer, as a whole or one part of it. Without a part, for ...-cam: the layer whose map is "
          "made, for layer-...: the layer whose values are explained")
      ->type_name("NAME")
      ->group(asked);
  options.add_option("--channel", wish->channel, "a channel of the layer, or a unit of a layer N×K")
      ->type_name("C")
      ->group(asked);
  options.add_option("--neuron", wish->neuron, "one place of a channel; without Y,X: where it responds most")
      ->delimiter(',')
      ->type_name("C[,Y,X]")
      ->group(asked);

  const std::string its = "Options of the method";
  options.add_option("--samples", method.samples, "noisy copies of the image (left out: 50)")
      ->type_name("N")
      ->group(its);
  options
      .add_option("--noise", method.noise,
                  "standard deviation of the noise, as a share of the image's range (0.15)")
      ->type_name("S")
      ->group(its);
  options
      .add_option("--until", method.until,
                  "go on until the relative standard error is below this, or 10000 samples are taken")
      ->type_name("E")
      ->group(its);
  options.add_option("--steps", method.steps, "steps from the baseline to the image (50)")
      ->type_name("N")
      ->group(its);
  options
      .add_option("--baseline", method.baseline,
                  "black, mean, blur, noise, or a file (left out: black; for occlusion: mean)")
      ->type_name("B")
      ->group(its);
  options.add_option("--seed", method.seed, "of the noise; the same seed gives the same numbers (0)")
      ->type_name("S")
      ->group(its);
  options.add_option("--window", method.window, "pixels a side that are covered (an eighth of the image)")
      ->type_name("W")
      ->group(its);
  options.add_option("--stride", method.stride, "pixels from one window to the next (half the window)")
      ->type_name("S")
      ->group(its);
  options
      .add_flag("--no-upsample", method.no_upsample,
                "keep the map of ...-cam at its layer's size, and the values of layer-... in their shape")
      ->group(its);

  options
      .add_flag("--check", wish->check,
                "test whether the map can be believed: insertion and deletion of its pixels, infidelity, "
                "sensitivity, and the weights shuffled layer by layer (takes many passes)")
      ->group("Do not trust, test");

  add_common(options, wish->common,
             {.out = "draw the images, the attributions, and both together",
              .array = "write the signed attributions, a row for each image and target"});
  return [wish] { run(*wish); };
}

const Registered registered(
    "explain",
    {"which pixels decided what the model says of an image",
     "  pellucid explain --model net.pt --preprocess imagenet --labels classes.txt --input dog.jpg \\\n"
     "      --method smoothgrad --out why.png\n"
     "  pellucid explain ... --input dog.jpg cat.jpg --method grad-cam --target 207,281 --out both.png\n"
     "  pellucid explain ... --method integrated-gradients --baseline blur --array why.npy --json\n"
     "  pellucid explain ... --method smoothgrad --layer features.12 --channel 40 --until 0.1\n"
     "  pellucid explain ... --method guided-backprop --check --out checked.png",
     set_up});

}  // namespace

}  // namespace pellucid::app
