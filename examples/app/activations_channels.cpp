#include <pellucid/activation/channels.hpp>
#include <pellucid/model/predict.hpp>
#include <pellucid/render/channel_grid.hpp>

#include <algorithm>

#include "activations.hpp"
#include "json.hpp"
#include "sheets.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

/// The output of one layer for one image.
struct Output {
  std::string layer{};
  Tensor values{};  ///< 1×…
  std::vector<std::int64_t> shape() const { return values.sizes().vec(); }
  double least() const { return values.min().item<double>(); }
  double mean() const { return values.mean().item<double>(); }
  double most() const { return values.max().item<double>(); }
};

struct Seen : Looked {
  std::vector<Output> outputs{};
  Tensor maps(const ActivationsWish& wish, const Output& output) const {
    return in_range(wish, channels_of(output.values, image), output.layer);
  }
};

std::vector<Seen> look(const ActivationsWish& wish, const Setup& setup) {
  std::vector<Seen> all;
  for (const Input& input : setup.inputs) {
    const auto see = [&](const AnyModel& model, const Images& part, const auto& rows) {
      const auto outputs = model.observe(part, wish.layers);
      for (std::size_t i = 0; i < outputs.size(); ++i)
        if (outputs[i].dim() < 1 || outputs[i].size(0) != part.size(0))
          throw Error("layer '" + wish.layers[i] + "' gives " + shape_text(outputs[i].sizes().vec()) +
                      " for " + std::to_string(part.size(0)) + " images: not one row for each");
      for (std::size_t row = 0; row < rows.size(); ++row) {
        all.push_back(
            {{input.named(rows[row]), input.shown(rows[row]), input.images.narrow(0, rows[row], 1)}});
        for (std::size_t i = 0; i < outputs.size(); ++i) {
          const Tensor one = outputs[i].narrow(0, std::int64_t(row), 1);
          all.back().outputs.push_back({wish.layers[i], one.to(torch::kCPU, torch::kFloat).clone()});
        }
      }
      return part.flatten(1).sum(1);  // what is wanted is in `all`
    };
    ask_in_parts(setup.model, input.images, see);
  }
  return all;
}

Json document(const ActivationsWish& wish, const std::vector<Seen>& all) {
  Json images = Json::array();
  for (const Seen& seen : all) {
    Json layers = Json::array();
    for (const Output& output : seen.outputs) {
      const std::int64_t first = wish.range ? wish.range->first : 0;
      const StrongestChannels shown = shown_channels(wish, seen.maps(wish, output), most_drawn);
      Json channels = Json::array();
      for (std::size_t i = 0; i < shown.channels.size(); ++i)
        channels.push_back({{"channel", first + shown.channels[i]}, {"max", shown.values[i]}});
      layers.push_back({{"layer", output.layer},
                        {"shape", output.shape()},
                        {"min", output.least()},
                        {"mean", output.mean()},
                        {"max", output.most()},
                        {"channels", channels}});
    }
    images.push_back({{"input", seen.file}, {"layers", layers}});
  }
  return {{"images", images}};
}

Picture picture(const ActivationsWish& wish, const std::vector<Seen>& all) {
  std::vector<Picture> parts;
  for (const Seen& seen : all) {
    if (is_photo(seen.image)) parts.push_back(contact_sheet({{photo(seen.image), seen.shown}}));
    for (const Output& output : seen.outputs)
      parts.push_back(channel_grid(
          seen.maps(wish, output),
          {.scale = wish.colours(),
           .max_channels = int(wish.range ? wish.range->count() : most_drawn),
           .strongest_first = wish.sorted,
           .title = output.layer + " of " + seen.shown + (wish.range ? ", channels " + wish.channels : ""),
           .first_number = wish.range ? wish.range->first : 0}));
  }
  return stacked(parts);
}

void print_text(const std::vector<Seen>& all) {
  for (const Seen& seen : all) {
    std::cout << seen.file << '\n';
    std::size_t width = 0;
    for (const Output& output : seen.outputs) width = std::max(width, length(output.layer));
    for (const Output& output : seen.outputs)
      std::cout << "  " << padded(output.layer, width) << "  " << padded(shape_text(output.shape()), 14)
                << "  min " << number(output.least()) << ", mean " << number(output.mean()) << ", max "
                << number(output.most()) << '\n';
  }
}

}  // namespace

void show_channels(const ActivationsWish& wish, const Setup& setup) {
  if (!wish.common.array.empty()) setup.check_one_size();
  const std::vector<Seen> all = look(wish, setup);
  const Json told = document(wish, all);  // refuses channels that are not there before anything is written
  if (!wish.common.array.empty()) {
    std::vector<Tensor> rows;
    for (const Seen& seen : all) rows.push_back(seen.outputs.front().values);
    save_array(wish.common.array, torch::cat(rows));
  }
  if (!wish.common.out.empty()) save_picture(wish.common.out, picture(wish, all));
  if (wish.common.json) return print(told);
  print_text(all);
  tell_written(wish.common);
}

}  // namespace pellucid::app
