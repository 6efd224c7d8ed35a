#pragma once
/// What `activations` was asked for, and its three answers.

#include <pellucid/activation/channels.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/render/channel_grid.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "channel_range.hpp"
#include "give.hpp"
#include "json.hpp"
#include "setup.hpp"
#include "sheets.hpp"

namespace pellucid::app {

/// Channels and units that are drawn where no more were asked for.
inline constexpr std::int64_t most_drawn = 64, most_units = 16;
/// Channels that a line of text lists where no more were asked for.
inline constexpr std::size_t most_listed = 4;

struct ActivationsWish {
  Common common{};
  std::vector<std::string> layers{};
  std::string scale = "shared", channels{};
  std::vector<std::int64_t> place{};
  bool all = false, sorted = false, gradients = false;
  std::optional<ChannelRange> range{};

  Scale colours() const { return scale == "own" ? Scale::own : Scale::shared; }
};

/// The part of C channels that was asked for.
Tensor in_range(const ActivationsWish& wish, const Tensor& maps, const std::string& layer);
/// The channels that are shown, in the order in which they are: those asked for, or the `most` strongest.
StrongestChannels shown_channels(const ActivationsWish& wish, const Tensor& maps, const std::string& layer,
                                 std::int64_t most);

/// What is told of a layer for one image.
struct LayerTold {
  std::string layer{}, kind{};  ///< the kind may be empty
  std::vector<std::int64_t> shape{};
  double least = 0, mean = 0, most = 0;  ///< of all values of the layer
  StrongestChannels channels{};
};
Json as_json(const LayerTold& told);
/// 12 (3.4), 5 (-2.1), …
std::string channels_text(const StrongestChannels& channels, std::size_t most);

/// One image of the inputs, by itself.
struct Looked {
  std::string file{}, shown{};
  Tensor image{};  ///< 1×…
};
std::vector<Looked> images_of(const Setup& setup);

/// The channels of layers, side by side.
void show_channels(const ActivationsWish& wish, const Setup& setup);
/// For each unit of layers, where in the image it comes from.
void show_unit_gradients(const ActivationsWish& wish, const Setup& setup);
/// A tour through all layers.
void show_tour(const ActivationsWish& wish, const Setup& setup);

}  // namespace pellucid::app
