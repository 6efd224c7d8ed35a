#include <pellucid/activation/tour.hpp>
#include <pellucid/render/tour_sheet.hpp>

#include <algorithm>
#include <filesystem>

#include "activations.hpp"
#include "json.hpp"
#include "progress_line.hpp"
#include "sheets.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

constexpr std::size_t most_listed = 4;

/// 12 (3.4), 5 (-2.1), …
std::string strongest_text(const Stop& stop) {
  std::string text;
  const std::size_t count = stop.strongest.channels.size();
  for (std::size_t i = 0; i < std::min(count, most_listed); ++i)
    text += (i > 0 ? ", " : "") + std::to_string(stop.strongest.channels[i]) + " (" +
            number(stop.strongest.values[i]) + ")";
  return text;
}

Json to_json(const Stop& stop) {
  Json channels = Json::array();
  for (std::size_t i = 0; i < stop.strongest.channels.size(); ++i)
    channels.push_back({{"channel", stop.strongest.channels[i]}, {"max", stop.strongest.values[i]}});
  return {{"layer", stop.layer.name}, {"kind", stop.layer.kind}, {"shape", stop.layer.shape},
          {"min", stop.least},        {"mean", stop.mean},       {"max", stop.most},
          {"channels", channels}};
}

}  // namespace

void show_tour(const ActivationsWish& wish, const Setup& setup) {
  Json images = Json::array();
  std::vector<Picture> sheets;
  std::string text;
  const std::string network = std::filesystem::path(wish.common.model).filename().string();
  {
    ProgressLine progress("tour", setup.images());
    for (const Looked& looked : images_of(setup)) {
      const std::vector<Stop> stops = tour(setup.model, looked.image, {}, progress);
      progress.next();
      if (!wish.common.out.empty())
        sheets.push_back(tour_sheet(stops, {.title = "All layers of " + network + ", for " + looked.shown,
                                            .photo = is_photo(looked.image) ? photo(looked.image) : Picture{},
                                            .scale = wish.colours()}));
      Json layers = Json::array();
      Table table({"layer", "kind", "output", "strongest channels"});
      for (const Stop& stop : stops) {
        layers.push_back(to_json(stop));
        table.add({stop.layer.name, stop.layer.kind, shape_text(stop.layer.shape), strongest_text(stop)});
      }
      images.push_back({{"input", looked.file}, {"layers", layers}});
      text += looked.file + "\n" + table.text();
    }
  }
  if (!sheets.empty()) save_picture(wish.common.out, stacked(sheets));
  if (wish.common.json) return print({{"images", images}});
  std::cout << text;
  tell_written(wish.common);
}

}  // namespace pellucid::app
