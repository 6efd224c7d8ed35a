#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <vector>

#include <pellucid/attribution/layer_grid.hpp>
#include <pellucid/core/error.hpp>
#include <pellucid/core/images.hpp>
#include <pellucid/core/torch.hpp>

namespace pellucid {

/// The maps C×h×w in one row of a layer's output.
///
/// Where it has a grid for the images (`grid_of`) its C channels, each h×w: of 1×C×h×w, of 1×h×w×C (within
/// ConvNeXt's blocks) and of tokens 1×T×C (ViT), those in front of the grid left out. C units of 1×K (or C
/// numbers) have one place each. Of another output (windows) the last two dimensions are one map, those
/// before it count them. `images` are as the network sees them (`model.fit`).
inline Tensor channels_of(const Tensor& output, const Images& images) {
  if (output.dim() < 2 || (output.dim() == 2 && output.size(0) == 1))
    return output.reshape({output.numel(), 1, 1});
  const auto grid = grid_of(output.sizes(), images.sizes());
  if (grid && output.size(0) == 1) return folded(output, *grid)[0];
  return output.reshape({-1, output.size(-2), output.size(-1)});
}

/// Channels by number, the strongest first, each with its largest value.
struct StrongestChannels {
  std::vector<std::int64_t> channels{};  ///< their numbers
  std::vector<double> values{};          ///< of each: its largest

  /// The same channels in the order of their numbers.
  StrongestChannels by_number() const {
    std::map<std::int64_t, double> sorted;
    for (std::size_t i = 0; i < channels.size(); ++i) sorted[channels[i]] = values[i];
    StrongestChannels result;
    for (const auto& [channel, value] : sorted) {
      result.channels.push_back(channel);
      result.values.push_back(value);
    }
    return result;
  }
};

/// The `count` strongest of the channels C×h×w (all, where there are fewer): those with the largest values.
///
/// A channel is as strong as its strongest place, max a, as `Neuron` has it. It looks for something, and one
/// place where that is found is enough: the mean would put channels first that respond a little everywhere,
/// to nothing. What is far below zero is no response, and is gone behind a ReLU: max |a| would show, of the
/// layer before, channels that say "not here". Of equally strong channels the one with the lower number comes
/// first. Throws Error where a channel's strongest place is NaN or infinity.
inline StrongestChannels strongest_channels(const Tensor& maps, std::int64_t count) {
  const Tensor largest = maps.detach().flatten(1).amax(1).to(torch::kCPU, torch::kDouble);
  if (!detail::all_finite(largest))
    detail::refuse_not_finite(
        "channels were to be sorted by their strongest places, some of which are NaN or infinity");
  const auto values = largest.accessor<double, 1>();
  std::vector<std::int64_t> order(std::size_t(maps.size(0)));
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return values[a] != values[b] ? values[a] > values[b] : a < b;
  });
  order.resize(std::min(order.size(), std::size_t(count)));
  StrongestChannels result{order, {}};
  for (const std::int64_t channel : order) result.values.push_back(values[channel]);
  return result;
}

}  // namespace pellucid
