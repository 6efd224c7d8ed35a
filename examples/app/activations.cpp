#include "activations.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>

#include "command.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

void check(ActivationsWish& wish) {
  const auto refuse_if = [](bool wrong, const std::string& why) {
    if (wrong) throw Error(why);
  };
  refuse_if(wish.scale != "shared" && wish.scale != "own",
            "--scale " + wish.scale + ": there is no such scale; give shared or own");
  refuse_if(!wish.all && wish.layers.empty(),
            "no layer was named; give --layer NAME (`pellucid layers` lists them), or --all for all of them");
  refuse_if(wish.all && !wish.layers.empty(), "--all goes through all layers; leave out --layer");
  for (const auto& [given, option] : {std::pair{wish.gradients, "--gradients"},
                                      {wish.sorted, "--sort"},
                                      {!wish.channels.empty(), "--channels"},
                                      {!wish.common.array.empty(), "--array"}})
    refuse_if(wish.all && given, std::string("--all shows the strongest channels of every layer; ") + option +
                                     " is for layers named with --layer");
  refuse_if(!wish.place.empty() && !wish.gradients,
            "--place names the place of a layer whose gradients are wanted; give --gradients with it");
  refuse_if(!wish.place.empty() && wish.place.size() != 2,
            "--place takes Y,X; " + std::to_string(wish.place.size()) + " numbers were given");
  refuse_if(!wish.common.array.empty() && wish.layers.size() > 1,
            "--array writes one layer, and " + std::to_string(wish.layers.size()) +
                " were named: " + joined(wish.layers) + "; name one");
  if (!wish.channels.empty()) wish.range = channels_from(wish.channels);
}

}  // namespace

Tensor in_range(const ActivationsWish& wish, const Tensor& maps, const std::string& layer) {
  if (!wish.range) return maps;
  check_channels(*wish.range, wish.channels, layer, maps.size(0));
  return maps.narrow(0, wish.range->first, wish.range->count());
}

StrongestChannels shown_channels(const ActivationsWish& wish, const Tensor& maps, const std::string& layer,
                                 std::int64_t most) {
  StrongestChannels chosen =
      strongest_channels(in_range(wish, maps, layer), wish.range ? wish.range->count() : most);
  for (std::int64_t& channel : chosen.channels) channel += wish.range ? wish.range->first : 0;
  return wish.sorted ? chosen : chosen.by_number();
}

Json as_json(const LayerTold& told) {
  Json entry{{"layer", told.layer}}, channels = Json::array();
  if (!told.kind.empty()) entry["kind"] = told.kind;
  for (std::size_t i = 0; i < told.channels.channels.size(); ++i)
    channels.push_back({{"channel", told.channels.channels[i]}, {"max", told.channels.values[i]}});
  entry["shape"] = told.shape;
  entry["min"] = told.least;
  entry["mean"] = told.mean;
  entry["max"] = told.most;
  entry["channels"] = channels;
  return entry;
}

std::string channels_text(const StrongestChannels& channels, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < std::min(channels.channels.size(), most); ++i)
    text +=
        (i > 0 ? ", " : "") + std::to_string(channels.channels[i]) + " (" + number(channels.values[i]) + ")";
  return text;
}

std::vector<Looked> images_of(const Setup& setup) {
  std::vector<Looked> all;
  for (const Input& input : setup.inputs)
    for (std::int64_t row = 0; row < input.count(); ++row)
      all.push_back({input.named(row), input.shown(row), input.images.narrow(0, row, 1)});
  return all;
}

namespace {

void run(ActivationsWish wish) {
  check(wish);
  const Setup setup(wish.common);
  if (wish.all) return show_tour(wish, setup);
  if (wish.gradients) return show_unit_gradients(wish, setup);
  show_channels(wish, setup);
}

std::function<void()> set_up(CLI::App& options) {
  const auto wish = std::make_shared<ActivationsWish>();
  options.add_option("--layer", wish->layers, "layers by name; `pellucid layers` lists them")
      ->delimiter(',')
      ->type_name("NAME[,NAME]");
  options.add_flag("--all", wish->all,
                   "instead: a tour through all layers, with the strongest channels of each");
  options.add_flag("--gradients", wish->gradients,
                   "instead: for each unit, where in the input it comes from (the strongest " +
                       std::to_string(most_units) + ", or --channels)");
  options
      .add_option(
          "--place", wish->place,
          "with --gradients, in a layer N×C×H×W: the place of the units (left out: where each responds "
          "most)")
      ->delimiter(',')
      ->type_name("Y,X");
  options
      .add_option("--channels", wish->channels,
                  "channels, or units of a layer N×K, A to B (left out: all; of over " +
                      std::to_string(most_drawn) + " the strongest are drawn)")
      ->type_name("A-B");
  options.add_flag("--sort", wish->sorted, "the strongest first: those with the largest values");
  options
      .add_option("--scale", wish->scale,
                  "shared: colours compare the channels of a layer (the default); own: each up to its own "
                  "strongest place")
      ->type_name("shared|own");
  add_common(
      options, wish->common,
      {.labels = false,
       .out = "draw the channels, the gradients or the tour",
       .array = "write the output of the layer, N×..., or of --channels only those (channels first), or with "
                "--gradients those of the units, U×..."});
  return [wish] { run(*wish); };
}

const Registered registered(
    "activations",
    {"what the channels of layers respond to an image, and where in it that comes from",
     "  pellucid activations --model net.pt --preprocess imagenet --input dog.jpg --layer features.3 --sort "
     "--out maps.png\n"
     "  pellucid activations ... --layer features.3,features.12 --json\n"
     "  pellucid activations ... --layer features.3 --channels 0-15 --scale own --out maps.png\n"
     "  pellucid activations ... --layer classifier.6 --channels 0-9 --gradients --out units.png --array "
     "units.npy\n"
     "  pellucid activations ... --layer features.12 --gradients --place 6,6 --out centre.png\n"
     "  pellucid activations ... --all --out tour.png",
     set_up});

}  // namespace

}  // namespace pellucid::app
