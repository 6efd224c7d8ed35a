#include <pellucid/activation/channels.hpp>
#include <pellucid/model/predict.hpp>
#include <pellucid/render/channel_grid.hpp>

#include <algorithm>

#include "activations.hpp"
#include "progress_line.hpp"
#include "sheets.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

/// The output of one layer for one image.
struct Output {
  std::string layer{};
  Tensor values{};  ///< 1×…
};

struct Seen : Looked {
  std::vector<Output> outputs{};
  Tensor maps(const ActivationsWish& wish, const Output& output) const {
    return in_range(wish, channels_of(output.values, image), output.layer);
  }
};

/// Shows each image of an input to `take` and forgets it.
template <class Take>
void look(const ActivationsWish& wish, const Setup& setup, const Input& input, const Take& take) {
  const auto see = [&](const AnyModel& model, const Images& part, const auto& rows) {
    const auto outputs = model.observe(part, wish.layers);
    for (std::size_t i = 0; i < outputs.size(); ++i)
      if (outputs[i].dim() < 1 || outputs[i].size(0) != part.size(0))
        throw Error("layer '" + wish.layers[i] + "' gives " + shape_text(outputs[i].sizes().vec()) + " for " +
                    std::to_string(part.size(0)) + " images: not one row for each");
    for (std::size_t row = 0; row < rows.size(); ++row) {
      Seen seen{{input.named(rows[row]), input.shown(rows[row]), input.images.narrow(0, rows[row], 1)}};
      for (std::size_t i = 0; i < outputs.size(); ++i)
        seen.outputs.push_back(
            {wish.layers[i], outputs[i].narrow(0, std::int64_t(row), 1).to(torch::kCPU, torch::kFloat)});
      take(seen);
    }
    return part.flatten(1).sum(1);  // what is wanted was taken
  };
  ask_in_parts(setup.model, input.images, see);
}

/// All channels, or those asked for.
std::vector<LayerTold> told(const ActivationsWish& wish, const Seen& seen) {
  std::vector<LayerTold> layers;
  for (const auto& [layer, values] : seen.outputs) {
    const Tensor maps = channels_of(values, seen.image);
    layers.push_back({.layer = layer,
                      .shape = values.sizes().vec(),
                      .least = values.min().item<double>(),
                      .mean = values.mean().item<double>(),
                      .most = values.max().item<double>(),
                      .channels = shown_channels(wish, maps, layer, maps.size(0))});
  }
  return layers;
}

std::string as_text(const ActivationsWish& wish, const Seen& seen, const std::vector<LayerTold>& layers) {
  std::string text = seen.file + "\n";
  std::size_t width = 0;
  for (const LayerTold& told : layers) width = std::max(width, length(told.layer));
  for (const LayerTold& told : layers) {
    text += "  " + padded(told.layer, width) + "  " + padded(shape_text(told.shape), 14) + "  min " +
            number(told.least) + ", mean " + number(told.mean) + ", max " + number(told.most) + "\n";
    if (wish.range || wish.sorted)
      text += "  " + padded("", width) + "  channels " +
              channels_text(told.channels, wish.range ? told.channels.channels.size() : most_listed) + "\n";
  }
  return text;
}

/// A row of --array: the output as it is, or the channels asked for, in front.
Tensor array_row(const ActivationsWish& wish, const Seen& seen) {
  const Output& output = seen.outputs.front();
  if (!wish.range) return output.values.clone();
  const Tensor part = seen.maps(wish, output).clone();
  return output.values.dim() == 2 ? part.view({1, -1}) : part.unsqueeze(0);
}

void draw(const ActivationsWish& wish, const Seen& seen, LongSheet& sheet) {
  if (is_photo(seen.image)) sheet.add([&] { return contact_sheet({{photo(seen.image), seen.shown}}); });
  for (const Output& output : seen.outputs)
    sheet.add([&] {
      return channel_grid(
          seen.maps(wish, output),
          {.scale = wish.colours(),
           .max_channels = int(wish.range ? wish.range->count() : most_drawn),
           .strongest_first = wish.sorted,
           .title = output.layer + " of " + seen.shown + (wish.range ? ", channels " + wish.channels : ""),
           .first_number = wish.range ? wish.range->first : 0});
    });
  sheet.next();
}

}  // namespace

void show_channels(const ActivationsWish& wish, const Setup& setup) {
  if (!wish.common.array.empty()) setup.check_one_size();
  Json images = Json::array();
  std::string text;
  std::vector<Tensor> rows;
  LongSheet sheet(wish.common.out);
  {
    ProgressLine progress("activations", setup.images());
    for (const Input& input : setup.inputs)
      look(wish, setup, input, [&](const Seen& seen) {
        const std::vector<LayerTold> layers = told(wish, seen);
        images.push_back({{"input", seen.file}, {"layers", Json::array()}});
        for (const LayerTold& layer : layers) images.back()["layers"].push_back(as_json(layer));
        text += as_text(wish, seen, layers);
        if (!wish.common.array.empty()) rows.push_back(array_row(wish, seen));
        draw(wish, seen, sheet);
        progress.next();
        progress({});
      });
  }
  give(wish.common, {{{"images", images}}, text}, rows, [&] { return std::move(sheet).picture(); });
}

}  // namespace pellucid::app
