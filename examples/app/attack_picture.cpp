#include "attack_picture.hpp"

#include <pellucid/render/overlay.hpp>
#include <pellucid/render/plot.hpp>

#include <algorithm>
#include <cmath>

#include "explain_picture.hpp"
#include "sheets.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

constexpr int side = 224;

/// How the probabilities went, by steps, or by ε where it was looked for.
Picture curve(const AttackResult& result, const AttackChoice& choice) {
  Series said{.name = "what it says"}, label{.name = "label"}, target{.name = "target"};
  for (const AttackStep& step : result.steps) {
    const double at = choice.searches() ? 255 * step.epsilon : double(step.step);
    for (Series* const one : {&said, &label, &target}) one->x.push_back(at);
    said.y.push_back(step.probability);
    label.y.push_back(step.label_probability);
    target.y.push_back(step.target_probability.value_or(0));
  }
  std::vector<Series> all{said, label};
  if (result.target) all.push_back(target);
  return plot(all, {.x_label = choice.searches() ? "epsilon, of 255" : "step",
                    .y_label = "probability",
                    .width = side,
                    .height = side,
                    .y_low = 0,
                    .y_high = 1});
}

Tile curve_tile(const AttackResult& result, const AttackChoice& choice) {
  if (result.steps.size() < 3) return no_tile();
  return {curve(result, choice),
          choice.searches() ? "What the model says at each epsilon" : "What the model says after each step"};
}

/// The image, what was changed, and the attacked image.
void add_row(std::vector<Tile>& tiles, const AttackResult& result, const Labels& labels,
             const AttackChoice& choice) {
  const Tensor change = (result.attacked - result.image).to(torch::kCPU);
  const double most = change.abs().max().item<double>();
  const double times = most > 0 ? std::max(1.0, std::floor(0.5 / most)) : 1;
  std::string found;
  if (result.minimal_epsilon) found = "\nSmallest epsilon found: " + choice.text(*result.minimal_epsilon);
  tiles.push_back(
      {photo(result.image), result.shown + "\nModel: " + answer_label(labels, answer(result.steps.front()))});
  tiles.push_back({photo(change * times + 0.5),
                   "The change, " + formatted("%.0f", times) + " times as strong (grey: none)\nAt most " +
                       formatted("%.3g", 255 * most) + "/255 in a pixel" + found});
  tiles.push_back({photo(result.attacked.to(torch::kCPU)),
                   "Attacked: " + outcome(result, labels) +
                       "\nModel: " + answer_label(labels, answer(result.steps.back()))});
}

Picture change_of_channels(const AttackResult& result, const std::string& title) {
  return channels((result.attacked - result.image).to(torch::kCPU),
                  "What " + title + " changed in " + result.shown, false);
}

/// What counts for a class in an image before or after.
Tile map_tile(const Tensor& image, const Tensor& attribution, View view, const std::string& where,
              std::int64_t label, const Labels& labels) {
  return {overlay(image.to(torch::kCPU), attribution, {.heat = {.sign = main_sign(view)}}),
          where + ": what counts for " + labels.text(label) + zero_caption(attribution)};
}

}  // namespace

Picture attack_picture(const std::vector<AttackResult>& all, const Labels& labels, const AttackChoice& choice,
                       const std::string& title) {
  const bool curves = std::any_of(all.begin(), all.end(), [](const AttackResult& result) {
    return is_photo(result.image) && result.steps.size() > 2;
  });
  std::vector<Tile> tiles;
  std::vector<Picture> grids;
  for (const AttackResult& result : all) {
    if (!is_photo(result.image)) {
      grids.push_back(change_of_channels(result, title));
      continue;
    }
    add_row(tiles, result, labels, choice);
    if (curves) tiles.push_back(curve_tile(result, choice));
  }
  if (!tiles.empty())
    grids.insert(
        grids.begin(),
        contact_sheet(tiles,
                      {.columns = curves ? 4 : 3, .tile_width = side, .label_lines = 5, .title = title}));
  return stacked(grids);
}

Picture attack_explained_picture(const std::vector<AttackResult>& all,
                                 const std::vector<AttackExplained>& explained, View view,
                                 const Labels& labels, const AttackChoice& choice, const std::string& title) {
  std::vector<Tile> tiles;
  std::vector<Picture> grids;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const AttackResult& result = all[i];
    const AttackExplained& maps = explained[i];
    const std::int64_t before = result.steps.front().predicted, after = result.steps.back().predicted;
    if (!is_photo(result.image)) {
      grids.push_back(change_of_channels(result, title));
      for (const auto& [map, what] : {std::pair(maps.before_own, "before, " + labels.text(before)),
                                      std::pair(maps.before_label, "before, " + labels.text(result.label)),
                                      std::pair(maps.after_own, "after, " + labels.text(after)),
                                      std::pair(maps.after_label, "after, " + labels.text(result.label))})
        grids.push_back(channels(map, "What counts " + what, false));
      continue;
    }
    add_row(tiles, result, labels, choice);
    tiles.push_back(map_tile(result.image, maps.before_own, view, "Before", before, labels));
    tiles.push_back(curve_tile(result, choice));
    tiles.push_back(map_tile(result.attacked, maps.after_own, view, "After", after, labels));
    tiles.push_back(map_tile(result.image, maps.before_label, view, "Before", result.label, labels));
    tiles.push_back(no_tile());
    tiles.push_back(map_tile(result.attacked, maps.after_label, view, "After", result.label, labels));
  }
  if (!tiles.empty())
    grids.insert(
        grids.begin(),
        contact_sheet(tiles, {.columns = 3,
                              .tile_width = side,
                              .label_lines = 5,
                              .title = title,
                              .footer = explained_bar("How much a pixel counts:", main_sign(view))}));
  return stacked(grids);
}

Picture accuracy_picture(const std::vector<AccuracyPoint>& points, const AttackChoice& choice,
                         const std::string& counted, const std::string& title) {
  Series share{.name = counted};
  for (const AccuracyPoint& point : points) {
    share.x.push_back(choice.per_pixel() ? 255 * point.epsilon : point.epsilon);
    share.y.push_back(point.share());
  }
  return plot({share}, {.title = title,
                        .x_label = choice.per_pixel() ? "epsilon, of 255" : "epsilon",
                        .y_label = "share of the images that are " + counted,
                        .y_low = 0,
                        .y_high = 1});
}

}  // namespace pellucid::app
