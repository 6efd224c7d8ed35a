#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/activation/channels.hpp>
#include <pellucid/core/concepts.hpp>
#include <pellucid/core/error.hpp>
#include <pellucid/core/images.hpp>
#include <pellucid/core/progress.hpp>
#include <pellucid/model/recording.hpp>

namespace pellucid {

/// What a tour shows of one layer.
struct Stop {
  LayerInfo layer{};                     ///< its name, kind and shape
  std::int64_t channels = 0;             ///< how many the layer has
  StrongestChannels strongest{};         ///< those that are shown
  Tensor maps{};                         ///< their values k×h×w, float32 on the CPU; undefined where k is 0
  double least = 0, mean = 0, most = 0;  ///< of all values of the layer
  bool spatial = true;                   ///< whether the maps lie as the image does
};

/// How much of each layer tour() keeps.
struct TourOptions {
  std::int64_t channels = 8;  ///< of each layer: its strongest
  /// Values of layers that are kept at once. The layers of one pass have no more together, unless a single
  /// one has; a network with more values is passed several times.
  std::int64_t held_values = 1 << 24;

  /// Throws Error unless both are at least 1.
  void check() const {
    if (channels < 1)
      throw Error("tour: channels is " + std::to_string(channels) + "; show at least 1 of each layer");
    if (held_values < 1)
      throw Error("tour: held_values is " + std::to_string(held_values) + "; at least 1 is needed");
  }
};

namespace detail {

/// Reduces a layer's output to what a tour shows of it.
inline Stop stop_at(const LayerInfo& layer, const Tensor& output, const Images& image, std::int64_t count) {
  Stop stop{layer};
  if (output.numel() == 0) return stop;
  const Tensor maps = channels_of(output.to(torch::kFloat), image);
  stop.channels = maps.size(0);
  stop.least = maps.min().item<double>();
  stop.most = maps.max().item<double>();
  stop.mean = maps.mean(torch::kDouble).item<double>();
  if (!std::isfinite(stop.least) || !std::isfinite(stop.most))
    refuse_not_finite("layer '" + layer.name + "' gives NaN or infinity for this image");
  stop.strongest = strongest_channels(maps, count);
  const Tensor chosen = torch::tensor(stop.strongest.channels, torch::kLong).to(maps.device());
  stop.maps = maps.index_select(0, chosen).cpu();
  return stop;
}

}  // namespace detail

/// All layers of a model for one image, in the order of `model.layers`: of each its strongest channels.
///
/// The layers are observed in groups and reduced at once to the few channels that are kept, so memory holds
/// `held_values` values of layers beside the forward pass itself, whatever the depth of the network. `images`
/// is 1×…, brought to the size that the network sees; the callback is told of each group. Throws Error for
/// several images, for a model of which no layer can be seen, and for a layer with NaN or infinity.
template <LayeredModel M, ProgressCallback F = Silent>
std::vector<Stop> tour(const M& model, const Images& images, const TourOptions& options = {},
                       F&& callback = {}) {
  options.check();
  check_images(images);
  if (images.size(0) != 1)
    throw Error("a tour goes through a network with one image; " + std::to_string(images.size(0)) +
                " were given. Take them one by one, as in images.narrow(0, i, 1)");
  const torch::NoGradGuard no_grad;
  Images image = images.detach();  // where channels are is told by the image that the layers are of
  if constexpr (requires { Images(model.fit(images)); }) image = model.fit(image);
  const std::vector<LayerInfo> layers = model.layers(image);
  if (layers.empty()) throw Error("a tour was asked for through a model of which no layer can be seen");
  const Reporter<std::remove_reference_t<F>> report(callback);

  std::vector<Stop> stops;
  GridsInOrder grids(image.sizes());
  while (stops.size() < layers.size()) {
    const std::size_t first = stops.size();
    std::vector<std::string> names;
    std::int64_t held = 0;
    for (std::size_t i = first; i < layers.size(); ++i) {
      std::int64_t values = 1;
      for (const std::int64_t side : layers[i].shape) values *= side;
      if (i > first && held + values > options.held_values) break;
      held += values;
      names.push_back(layers[i].name);
    }
    std::vector<Tensor> outputs = model.observe(image, names);
    for (std::size_t i = 0; i < names.size(); ++i) {
      stops.push_back(
          detail::stop_at(layers[first + i], std::exchange(outputs[i], Tensor()), image, options.channels));
      stops.back().spatial = grids.next(layers[first + i].shape).has_value();
    }
    report(std::int64_t(stops.size()), std::int64_t(layers.size()));
  }
  return stops;
}

}  // namespace pellucid
