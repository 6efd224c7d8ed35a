#include "explain_picture.hpp"

#include <pellucid/attribution/layer_grid.hpp>
#include <pellucid/render/heatmap.hpp>
#include <pellucid/render/overlay.hpp>

#include <algorithm>

#include "sheets.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

constexpr int most_columns = 6;

Picture over_photo(const Finding& found, View view) {
  return overlay(found.image, found.attribution, {.heat = {.sign = main_sign(view)}});
}

std::string said(const Finding& found, const Labels& labels) {
  return found.shown + (found.predicted ? "\nModel: " + answer_label(labels, *found.predicted) : "");
}

std::string asked(const Finding& found, View view, const Labels& labels) {
  if (view == View::response) return "The layer's channels, summed: how large, of either sign";
  std::string label = "What counts for " + asked_text(found, labels);
  const Class* const one = found.question ? std::get_if<Class>(&found.question->kind()) : nullptr;
  if (one != nullptr && found.probability && found.predicted->label != one->label.of(0))
    label += "\nModel: " + percent(*found.probability);
  return label + zero_caption(found.attribution);
}

/// The photo, the heat maps, and both together.
void add_row(std::vector<Tile>& tiles, const Finding& found, View view, const Labels& labels) {
  tiles.push_back({photo(found.image), said(found, labels)});
  tiles.push_back({heat_map(found.attribution, {.sign = main_sign(view)}), asked(found, view, labels)});
  if (view == View::magnitude_and_sign)
    tiles.push_back(
        {heat_map(found.attribution, {.sign = Sign::both}), "What speaks for it and what against it"});
  tiles.push_back({over_photo(found, view), "The map over the photo"});
}

Picture bars(View view) {
  const std::string words = view == View::positive   ? "How much a place speaks for it:"
                            : view == View::response ? "How large the sum is at a place:"
                                                     : "How much a pixel counts:";
  if (view != View::magnitude_and_sign) return explained_bar(words, main_sign(view));
  return side_by_side({explained_bar(words, Sign::magnitude), explained_bar("With its sign:", Sign::both)},
                      32);
}

/// Findings about one image follow one another; how many there are for each.
std::size_t questions_of_each(const std::vector<Finding>& findings) {
  const auto other = std::find_if(findings.begin(), findings.end(), [&](const Finding& found) {
    return found.number != findings.front().number;
  });
  return std::size_t(other - findings.begin());
}

Picture photo_sheet(const std::vector<Finding>& findings, View view, const std::string& method,
                    const Labels& labels) {
  const std::size_t each = questions_of_each(findings);
  SheetOptions sheet{.label_lines = 4, .title = method, .footer = bars(view)};
  std::vector<Tile> tiles;
  if (each == 1) {
    sheet.columns = view == View::magnitude_and_sign ? 4 : 3;
    for (const Finding& found : findings) add_row(tiles, found, view, labels);
    return contact_sheet(tiles, sheet);
  }
  sheet.columns = std::min(most_columns, int(each) + 1);
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (i % each == 0) {
      while (tiles.size() % std::size_t(sheet.columns) != 0) tiles.push_back(no_tile());
      tiles.push_back({photo(findings[i].image), said(findings[i], labels)});
    }
    tiles.push_back({over_photo(findings[i], view), asked(findings[i], view, labels)});
  }
  return contact_sheet(tiles, sheet);
}

}  // namespace

Sign main_sign(View view) {
  return view == View::positive ? Sign::positive : Sign::magnitude;
}

std::string zero_caption(const Tensor& attribution) {
  return attribution.abs().max().item<double>() == 0 ? "\nZero everywhere: nothing to be seen" : "";
}

Picture explain_picture(const std::vector<Finding>& findings, View view, const std::string& method,
                        const Labels& labels) {
  const auto drawn_over = [](const Finding& found) {
    return is_photo(found.image) && found.attribution.dim() == 4;
  };
  if (view != View::channels && std::all_of(findings.begin(), findings.end(), drawn_over))
    return photo_sheet(findings, view, method, labels);
  const auto drawn = [&](const Finding& found) {
    const auto grid = grid_of(found.attribution.sizes(), found.image.sizes());
    return view == View::channels && grid ? folded(found.attribution, *grid) : found.attribution;
  };
  std::vector<Picture> grids;
  for (const Finding& found : findings) {
    const std::string asked = asked_text(found, labels);
    grids.push_back(
        channels(drawn(found), method + ", " + found.shown + (asked.empty() ? "" : ", " + asked), false));
  }
  return stacked(grids);
}

}  // namespace pellucid::app
