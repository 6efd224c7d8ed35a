#pragma once
/// What `patches` was asked for, and what it tells.

#include <pellucid/activation/patch_images.hpp>
#include <pellucid/activation/patch_view.hpp>
#include <pellucid/activation/receptive_field.hpp>
#include <pellucid/activation/top_patches.hpp>
#include <pellucid/image/picture.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "channel_range.hpp"
#include "json.hpp"
#include "setup.hpp"

namespace pellucid::app {

/// Channels that are told of and drawn where no others were asked for.
inline constexpr std::int64_t most_rows = 16;

struct PatchesWish {
  Common common{};
  std::string images{}, channels{}, shard{}, label_file{};
  std::vector<std::string> layers{};  ///< to show; the index may have more
  std::optional<std::int64_t> top{};  ///< patches to show
  TopPatches scan{};
  bool dream = false, distributed = false;
  double wait = 1800;  ///< seconds, for the other processes
  std::optional<ChannelRange> range{};
  std::vector<std::string> parts{};  ///< indexes to merge; none: a scan is wanted
};

/// One patch of a channel.
struct ToldPatch {
  Patch patch{};
  std::string label{};       ///< what its image shows; empty where that is not known
  std::optional<Box> box{};  ///< the pixels that it sees, of the image as the network sees it, where known
};

struct ToldChannel {
  std::int64_t channel = 0;
  std::vector<ToldPatch> patches{};  ///< strongest first
};

struct ToldLayer {
  std::string layer{};
  std::int64_t channels = 0;
  ReceptiveField field{};
  std::vector<ToldChannel> shown{};
};

/// The sheet: a row for each channel.
Picture patches_picture(const PatchesWish& wish, const Setup& setup, const PatchIndex& index,
                        const std::vector<ToldLayer>& layers);

}  // namespace pellucid::app
