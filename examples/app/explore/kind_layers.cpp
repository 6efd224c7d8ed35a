#include <pellucid/activation/channels.hpp>
#include <pellucid/activation/unit_gradients.hpp>
#include <pellucid/image/write.hpp>
#include <pellucid/render/color_bar.hpp>
#include <pellucid/render/heatmap.hpp>
#include <pellucid/render/overlay.hpp>

#include <algorithm>
#include <cmath>

#include "explore/kinds.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

constexpr std::int64_t most_values = 4096, widest_sprite = 2048, most_pixels = 1 << 22;
constexpr std::size_t most_bytes = std::size_t{64} << 20;  // of a layer's values as a file

/// Maps C×h×w, smaller where together they have more places than one picture may.
Tensor drawable(const Tensor& maps) {
  const double share = std::sqrt(double(most_pixels) / double(maps.numel()));
  if (share >= 1) return maps;
  const auto side = [&](std::int64_t whole) {
    return std::max<std::int64_t>(1, std::int64_t(double(whole) * share));
  };
  return at::adaptive_avg_pool2d(maps.unsqueeze(0), {side(maps.size(1)), side(maps.size(2))})[0];
}

/// All channels side by side in one picture, each in its place, with one scale of colours.
Json sprite_of(Json& answer, Files& files, const Tensor& whole_maps) {
  const Tensor maps = drawable(whole_maps);
  const std::int64_t channels = maps.size(0), height = maps.size(1), width = maps.size(2);
  const std::int64_t columns =
      std::clamp<std::int64_t>(widest_sprite / width, 1, std::min<std::int64_t>(channels, 32));
  const std::int64_t rows = (channels + columns - 1) / columns;
  const Tensor whole = torch::zeros({rows * height, columns * width}, torch::kFloat);
  for (std::int64_t c = 0; c < channels; ++c)
    whole.narrow(0, c / columns * height, height).narrow(1, c % columns * width, width).copy_(maps[c]);
  const Sign sign = maps.min().item<double>() < 0 ? Sign::both : Sign::magnitude;
  const Plane values = to_xtensor<double, 2>(whole.to(torch::kDouble));
  const double full = full_scale(to_xtensor<double, 2>(maps.flatten(1).to(torch::kDouble)), 99.5);
  files.picture(answer, "sprite", painted(scaled_to(values, full), sign));
  const std::string most = number(full);
  files.picture(answer, "scale",
                color_bar({.sign = sign, .low = sign == Sign::both ? "-" + most : "0", .high = most}));
  return {{"picture", answer["pictures"]["sprite"]},
          {"columns", columns},
          {"tile", {height, width}},
          {"map", {whole_maps.size(1), whole_maps.size(2)}}};
}

}  // namespace

Wish activations_wish(World& world, const Asked& asked) {
  const Explored& model = world.model(asked);
  const std::string layer = asked.text("layer");
  model.layer(layer);
  const std::string path = world.images.path(asked.text("image"));
  return {
      .title = "what " + layer + " gives",
      .urgent = true,
      .run = [&model, layer, path, image = world.seen(asked)](Work& work) {
        const torch::NoGradGuard no_grad;
        const Tensor output = model.setup.model.activation(image, layer).to(torch::kCPU);
        const Tensor maps = channels_of(output, image).to(torch::kFloat).contiguous();
        Files files(work.key());
        Json answer{{"shape", output.sizes().vec()}, {"channels", maps.size(0)}, {"notices", Json::array()}};
        const StrongestChannels strongest = strongest_channels(maps, maps.size(0));
        answer["order"] = strongest.channels;
        answer["most"] = strongest.by_number().values;
        const bool single = maps.size(1) * maps.size(2) == 1;
        answer["sprite"] = single ? Json() : sprite_of(answer, files, maps);
        answer["values"] = nullptr;
        if (single && maps.size(0) <= most_values) answer["values"] = strongest.by_number().values;
        if (output.nbytes() <= most_bytes)
          files.array(answer, "activation", output);
        else
          answer["notices"].push_back(
              "the values are too many to be kept here; the command below writes them");
        answer["command"] = model.command("activations") + " --input " + shell_word(path) + " --layer " +
                            shell_word(layer) + " --out channels.png --array layer.npy";
        return Found{std::move(answer), std::move(files).all()};
      }};
}

Wish neuron_wish(World& world, const Asked& asked) {
  const Explored& model = world.model(asked);
  const std::string layer = asked.text("layer");
  model.layer(layer);
  const std::int64_t channel = asked.integer("channel", 0, 1 << 20);
  const auto place = asked.place("place");
  const std::string path = world.images.path(asked.text("image"));
  const Neuron neuron = place ? Neuron{layer, channel, place->first, place->second} : Neuron{layer, channel};
  return {
      .title = "a neuron of " + layer,
      .urgent = true,
      .run = [&model, neuron, path, image = world.seen(asked)](Work& work) {
        ProgressLine progress = progress_of(work);
        const UnitGradients found = unit_gradients(model.setup.model, image, neuron, progress);
        Files files(work.key());
        Json answer{
            {"value", found.values[0]}, {"place", nullptr}, {"box", nullptr}, {"notices", Json::array()}};
        const Tensor gradient = found.gradients.to(torch::kCPU);
        Neuron settled = neuron;
        if (!found.y.empty()) {
          answer["place"] = {found.y[0], found.x[0]};
          settled = Neuron{neuron.layer, found.units[0], found.y[0], found.x[0]};
          const ReceptiveField field = field_of(model, neuron.layer, image.size(2), image.size(3));
          if (field.vertical && field.horizontal && found.y[0] < field.rows && found.x[0] < field.columns) {
            const Box box = field.box(found.y[0], found.x[0]);
            answer["box"] = {box.top, box.left, box.bottom, box.right};
          }
        }
        if (gradient.abs().max().item<double>() == 0)
          answer["notices"].push_back("nothing in the image drives this neuron: it is off behind a ReLU");
        files.picture(answer, "image", to_picture(image));
        files.picture(answer, "map", heat_map(gradient));
        files.picture(answer, "overlay", overlay(image, gradient));
        files.array(answer, "gradient", gradient);
        answer["command"] = model.command("explain") + " --input " + shell_word(path) + " --method gradient" +
                            question_words(Question(settled)) + " --out map.png --array map.npy";
        return Found{std::move(answer), std::move(files).all()};
      }};
}

}  // namespace pellucid::app
