#include <pellucid/activation/tour.hpp>
#include <pellucid/render/tour_sheet.hpp>

#include <filesystem>

#include "activations.hpp"
#include "progress_line.hpp"
#include "sheets.hpp"
#include "text.hpp"

namespace pellucid::app {

void show_tour(const ActivationsWish& wish, const Setup& setup) {
  Json images = Json::array();
  std::string text;
  LongSheet sheet(wish.common.out);
  const std::string network = std::filesystem::path(wish.common.model).filename().string();
  {
    ProgressLine progress("tour", setup.images());
    for (const Looked& looked : images_of(setup)) {
      const std::vector<Stop> stops = tour(setup.model, looked.image, {}, progress);
      progress.next();
      sheet.add([&] {
        return tour_sheet(stops, {.title = "All layers of " + network + ", for " + looked.shown,
                                  .photo = is_photo(looked.image) ? photo(looked.image) : Picture{},
                                  .scale = wish.colours()});
      });
      sheet.next();
      Json layers = Json::array();
      Table table({"layer", "kind", "output", "strongest channels"});
      for (const Stop& stop : stops) {
        layers.push_back(as_json(LayerTold{stop.layer.name, stop.layer.kind, stop.layer.shape, stop.least,
                                           stop.mean, stop.most, stop.strongest}));
        table.add({stop.layer.name, stop.layer.kind, shape_text(stop.layer.shape),
                   channels_text(stop.strongest, most_listed)});
      }
      images.push_back({{"input", looked.file}, {"layers", layers}});
      text += looked.file + "\n" + table.text();
    }
  }
  give(wish.common, {{{"images", images}}, text}, {}, [&] { return std::move(sheet).picture(); });
}

}  // namespace pellucid::app
