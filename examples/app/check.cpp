#include "check.hpp"

#include <pellucid/check/infidelity.hpp>
#include <pellucid/check/insertion_deletion.hpp>
#include <pellucid/check/max_sensitivity.hpp>
#include <pellucid/check/randomization.hpp>
#include <pellucid/objective/probability.hpp>
#include <pellucid/render/heatmap.hpp>
#include <pellucid/render/overlay.hpp>
#include <pellucid/render/plot.hpp>

#include <algorithm>
#include <cmath>

#include "sheets.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

constexpr std::int64_t shuffles = 8;  // at most: one row of maps

/// A prepared method as the library's checks call one.
struct Prepared {
  const Explain& explain;
  Explanation operator()(const AnyModel& model, const Subject<Question, ProgressLine>& subject) const {
    return explain(model, subject);
  }
};

/// An attribution of nothing: pixels in random order, another one for each image.
Tensor random_map(const Images& images) {
  std::vector<std::int64_t> shape = images.sizes().slice(1).vec();
  if (shape.size() > 1) shape[0] = 1;
  std::vector<Tensor> rows;
  for (std::int64_t n = 0; n < images.size(0); ++n) rows.push_back(gaussian(shape, {.image = n}));
  return torch::stack(rows);
}

/// The class that is asked about, where its probability tells something: among several.
const Class* one_of_many(const AnyModel& model, const Images& images, const Question& question) {
  const torch::NoGradGuard no_grad;
  const Class* const one = std::get_if<Class>(&question.kind());
  return one != nullptr && model(images.narrow(0, 0, 1)).size(1) > 1 ? one : nullptr;
}

Curves curves_of(const AnyModel& model, const Images& images, const Question& question, const Class* one,
                 const Tensor& attribution, PixelRank rank, ProgressLine& progress) {
  const CurveOptions options{.rank = rank};
  Curves curves = one == nullptr ? insertion_deletion(model, images, attribution, question, options, progress)
                                 : insertion_deletion(model, images, attribution, Probability{one->label},
                                                      options, progress);
  progress.next();
  return curves;
}

std::vector<double> numbers(const Tensor& values) {
  const Tensor doubles = values.to(torch::kCPU, torch::kDouble).contiguous();
  return {doubles.data_ptr<double>(), doubles.data_ptr<double>() + doubles.numel()};
}

/// The layers of a step as a name: "features.16", "features.16 to features.12".
std::string layers_text(const std::vector<std::string>& layers) {
  const auto name = [](const std::string& layer) { return layer.empty() ? "the whole" : layer; };
  return name(layers.front()) + (layers.size() > 1 ? " to " + name(layers.back()) : "");
}

/// The step behind which half of the layers are shuffled: what a map owes to the upper ones is gone, and the
/// first, which see edges whatever their weights are, are still there.
std::size_t half_way(const Checked& checked) {
  std::size_t all = 0, done = 0;
  for (const auto& step : checked.steps) all += step.layers.size();
  for (std::size_t i = 0; i < checked.steps.size(); ++i) {
    done += checked.steps[i].layers.size();
    if (2 * done >= all) return i;
  }
  return 0;
}

/// By the cosine, where there are signs: it falls to 0 by itself. Two maps without signs always have one
/// above.
std::string verdict(const Checked& checked) {
  constexpr double stays = 0.5;
  if (checked.zero) return "The network's own map is zero everywhere: there is nothing to compare";
  std::size_t at = half_way(checked);
  while (at > 0 && checked.steps[at].zero) --at;
  const auto& step = checked.steps[at];
  const std::string so_far = "Down to " + layers_text({step.layers.back()}) + ", ";
  if (step.zero)
    return so_far + "the map is zero everywhere: the shuffled network is silent, and tells nothing";
  const double left = checked.has_signs ? std::abs(*step.cosine) : *step.rank_correlation;
  const std::string measured =
      so_far + (checked.has_signs ? "cosine " : "rank correlation ") + formatted("%.2f", left);
  if (left < stays)
    return measured + ": the map has changed, as it must; it depends on what the network learnt";
  return measured + ": the map stays, as it must not; it shows the image more than what the network learnt";
}

std::string alike_text(const std::optional<double>& alike) {
  return alike ? formatted("%.2f", *alike) : "zero";
}

Json to_json(const Checked::Curve& curve) {
  return {{"area", curve.area}, {"random_area", curve.random_area}, {"values", curve.values}};
}

/// null for what JSON has no number for
Json finite(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

Json or_null(const std::optional<double>& value) {
  return value ? finite(*value) : Json();
}

}  // namespace

std::vector<Checked> check_explanation(const AnyModel& model, const Images& images, const Question& question,
                                       const Explanation& explanation, const Explain& explain, View view,
                                       ProgressLine& progress) {
  const Tensor& attribution = explanation.attribution;
  const PixelRank rank = view == View::positive ? PixelRank::value : PixelRank::magnitude;
  const Class* const one = one_of_many(model, images, question);
  const Curves curves = curves_of(model, images, question, one, attribution, rank, progress);
  const Curves random =
      curves_of(model, images, question, one, random_map(images), PixelRank::value, progress);
  const Infidelity unfaithful = infidelity(model, images, attribution, question, {}, progress);
  progress.next();
  const Prepared method{explain};
  const Tensor sensitivity = max_sensitivity(method, model, images, question, {}, progress);
  progress.next();
  const Randomization shuffled =
      randomization(method, model, images, question, {.steps = shuffles, .keep = true}, progress);
  progress.next();

  std::vector<Checked> all;
  for (std::int64_t row = 0; row < images.size(0); ++row) {
    const auto of_row = [row](const Tensor& values) { return values[row].item<double>(); };
    Checked checked{.unit = one != nullptr ? "probability" : "objective",
                    .fractions = numbers(curves.fractions),
                    .insertion = {numbers(curves.insertion[row]), of_row(curves.insertion_area),
                                  of_row(random.insertion_area)},
                    .deletion = {numbers(curves.deletion[row]), of_row(curves.deletion_area),
                                 of_row(random.deletion_area)},
                    .infidelity = of_row(unfaithful.value),
                    .unexplained = of_row(unfaithful.unexplained),
                    .max_sensitivity = of_row(sensitivity),
                    .has_signs = attribution[row].min().item<double>() < 0,
                    .zero = !attribution[row].any().item<bool>()};
    for (std::size_t i = 0; i < shuffled.layers.size(); ++i) {
      const Tensor map = shuffled.attributions[i + 1].narrow(0, row, 1).to(torch::kCPU);
      checked.steps.push_back(
          {.layers = shuffled.layers[i], .attribution = map, .zero = !map.any().item<bool>()});
      if (checked.zero || checked.steps.back().zero) continue;
      checked.steps.back().rank_correlation = of_row(shuffled.rank_correlation.select(1, std::int64_t(i)));
      checked.steps.back().cosine = of_row(shuffled.cosine.select(1, std::int64_t(i)));
    }
    all.push_back(std::move(checked));
  }
  return all;
}

std::string as_text(const Checked& checked) {
  const auto areas = [](const Checked::Curve& curve) {
    return "area " + number(curve.area) + "; pixels in random order: " + number(curve.random_area);
  };
  std::string text = line("insertion", areas(checked.insertion) +
                                           ". The pixels that count most come first: higher is better") +
                     line("deletion", areas(checked.deletion) + ". They go first: lower is better");
  if (checked.unit != "probability") text += line("", "(areas are in units of what was asked about)");
  text += line("infidelity", number(checked.infidelity) +
                                 (std::isnan(checked.unexplained)
                                      ? ". Nothing to explain: noise does nothing to the score"
                                      : ". Of what noise does to the score the map leaves " +
                                            percent(checked.unexplained) + " unexplained: lower is better"));
  const MaxSensitivityOptions sensitivity;
  text +=
      line("max-sensitivity", number(checked.max_sensitivity) + " of the map's norm, when pixels change by " +
                                  number(sensitivity.radius) + " at most: lower is better");
  Table table({"weights shuffled down to", "rank correlation", "cosine"});
  for (const auto& step : checked.steps)
    table.add(
        {layers_text({step.layers.back()}), alike_text(step.rank_correlation), alike_text(step.cosine)});
  text +=
      line("randomisation", "the map must change when the weights are shuffled, from the last layer down");
  std::string rows = table.text();
  for (std::size_t begin = 0; begin < rows.size();) {
    const std::size_t end = rows.find('\n', begin);
    text += line("", rows.substr(begin, end - begin));
    begin = end + 1;
  }
  return text + line("", verdict(checked));
}

Json as_json(const Checked& checked) {
  Json entry{{"unit", checked.unit},
             {"fractions", checked.fractions},
             {"insertion", to_json(checked.insertion)},
             {"deletion", to_json(checked.deletion)},
             {"infidelity", checked.infidelity},
             {"unexplained", finite(checked.unexplained)},
             {"max_sensitivity", finite(checked.max_sensitivity)}};
  entry["randomization"] = Json::array();
  for (const auto& step : checked.steps)
    entry["randomization"].push_back({{"shuffled", step.layers},
                                      {"rank_correlation", or_null(step.rank_correlation)},
                                      {"cosine", or_null(step.cosine)},
                                      {"zero", step.zero}});
  entry["verdict"] = verdict(checked);
  return entry;
}

Picture check_picture(const Checked& checked, const Tensor& image, const Tensor& attribution, View view,
                      const std::string& title) {
  const auto named = [](const std::string& what, const Checked::Curve& curve) {
    return what + ", area " + number(curve.area) + " (random order: " + number(curve.random_area) + ")";
  };
  const bool probability = checked.unit == "probability";
  const std::string unexplained = std::isfinite(checked.unexplained)
                                      ? percent(checked.unexplained) + " unexplained"
                                      : "nothing to explain";
  const Picture note = text("infidelity " + number(checked.infidelity) + " (" + unexplained +
                            "), max-sensitivity " + number(checked.max_sensitivity) + ": lower is better");
  const Picture drawn =
      plot({{named("insertion", checked.insertion), checked.fractions, checked.insertion.values},
            {named("deletion", checked.deletion), checked.fractions, checked.deletion.values}},
           {.title = "Checked: " + title,
            .x_label = "fraction of the pixels, those that count most first",
            .y_label = probability ? "probability" : "objective",
            .width = 720,
            .height = 320,
            .y_low = probability ? std::optional<double>(0) : std::nullopt,
            .y_high = probability ? std::optional<double>(1) : std::nullopt,
            .most_marked = 0});
  const Picture curves = stacked({drawn, side_by_side({blank(12, 1), note}, 0), blank(1, 8)});
  if (attribution.dim() != 4 || !is_photo(image)) return curves;

  const Sign sign = view == View::positive ? Sign::positive : Sign::magnitude;
  const auto map = [&](const Tensor& values) {
    const Picture heat = heat_map(values, {.sign = sign});
    return heat.width > 1 || heat.height > 1 ? heat : scaled(heat, 2, 2);
  };
  std::vector<Tile> tiles{{map(attribution), "The network's own"}};
  for (const auto& step : checked.steps)
    tiles.push_back({map(step.attribution), "Shuffled down to " + layers_text({step.layers.back()}) + ": " +
                                                alike_text(step.rank_correlation)});
  const Picture maps = contact_sheet(
      tiles, {.columns = int(tiles.size()),
              .tile_width = 144,
              .label_lines = 3,
              .title = "The map while the weights are shuffled, from the last layer down, and its rank "
                       "correlation. " +
                       verdict(checked)});
  return stacked({curves, maps});
}

}  // namespace pellucid::app
