#pragma once
#include <cmath>
#include <cstdint>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>

namespace pellucid {

/// Where a layer of four dimensions has its channels.
enum class ChannelAxis {
  by_shape,  ///< last where dimensions 1 and 2 have the proportions of the image and 2 and 3 have not; or
             ///< first
  first,     ///< N×C×h×w: convolutions
  last       ///< N×h×w×C: Swin, the inside of ConvNeXt's blocks
};

/// How the values of a layer lie over the image, for layers whose shape does not tell, or not the truth.
struct LayerLayout {
  ChannelAxis channels = ChannelAxis::by_shape;  ///< of a layer with four dimensions
  std::int64_t leading_tokens = -1;  ///< of tokens N×T×C: how many in front are no places (class, registers);
                                     ///< −1: as few, and at most 16, as leave a grid of square patches

  void check(const std::string& method) const {
    if (leading_tokens < -1)
      throw Error(method + ": leading_tokens is " + std::to_string(leading_tokens) +
                  "; give how many tokens of the layer are no places, or -1 to have them counted");
  }
};

/// The places of a layer, h×w of them.
struct LayerGrid {
  std::int64_t height = 0, width = 0;  ///< h and w
  std::int64_t leading = 0;            ///< tokens in front of them
  bool channels_last = false;          ///< tokens have theirs last, too

  /// How many there are: h · w.
  std::int64_t places() const { return height * width; }
  bool operator==(const LayerGrid&) const = default;
};

namespace detail {

/// Whether a grid can be what a network with one stride in both directions leaves of an image: h and w are
/// H/s and W/s, each rounded up or down.
inline bool has_proportions(std::int64_t h, std::int64_t w, std::int64_t height, std::int64_t width) {
  return height * (w - 1) < width * (h + 1) && width * (h - 1) < height * (w + 1);
}

/// Tokens as a grid h×w with exactly the proportions of the image.
inline std::optional<LayerGrid> grid_of_tokens(std::int64_t tokens, std::int64_t height, std::int64_t width,
                                               std::int64_t leading_tokens) {
  constexpr std::int64_t most = 16;
  const std::int64_t common = std::gcd(height, width);
  const std::int64_t h = height / common, w = width / common;  // the smallest grid; all are k·h × k·w
  const bool given = leading_tokens >= 0;
  for (std::int64_t leading = given ? leading_tokens : 0; leading < tokens; ++leading) {
    const auto k = std::int64_t(std::lround(std::sqrt(double(tokens - leading) / double(h * w))));
    const LayerGrid grid{k * h, k * w, leading, true};
    const bool fits = k > 0 && grid.places() == tokens - leading;
    if (fits && (given || (grid.places() > 1 && common % k == 0))) return grid;
    if (given || leading == most) break;
  }
  return {};
}

}  // namespace detail

/// The grid of a layer's output for images of some shape: of N×C×h×w, N×h×w×C and tokens N×T×C (ViT). Nothing
/// where it has none, such as N×K.
inline std::optional<LayerGrid> grid_of(at::IntArrayRef layer, at::IntArrayRef images,
                                        const LayerLayout& layout = {}) {
  const bool seen = images.size() == 4;  // there are proportions to compare with
  if (layer.size() == 3 && seen)
    return detail::grid_of_tokens(layer[1], images[2], images[3], layout.leading_tokens);
  if (layer.size() != 4) return {};
  const bool last = layout.channels == ChannelAxis::by_shape
                        ? seen && detail::has_proportions(layer[1], layer[2], images[2], images[3]) &&
                              !detail::has_proportions(layer[2], layer[3], images[2], images[3])
                        : layout.channels == ChannelAxis::last;
  return last ? LayerGrid{layer[1], layer[2], 0, true} : LayerGrid{layer[2], layer[3], 0, false};
}

/// The grids of a network's layers for images, asked for one by one in the order in which they run. Unlike
/// `grid_of` it knows what came before: where a layer had T tokens N×T×C, one N×K×T×T is the attention
/// between them and one N×K×T×D its heads, no maps. Nothing for a layer that has not a row for each image,
/// either.
class GridsInOrder {
 public:
  /// images: the shape of those that the layers' outputs are of.
  explicit GridsInOrder(at::IntArrayRef images, const LayerLayout& layout = {})
      : images_(images.vec()), layout_(layout) {}

  /// The grid of the next layer, by the shape of its output; nothing where it has none.
  std::optional<LayerGrid> next(at::IntArrayRef layer) {
    const auto grid = grid_of(layer, images_, layout_);
    if (!grid || layer[0] != images_[0]) return {};
    if (layer.size() == 3) tokens_.insert(layer[1]);
    const bool of_tokens = !grid->channels_last && tokens_.contains(grid->height) &&
                           (grid->width == grid->height ||
                            !detail::has_proportions(grid->height, grid->width, images_[2], images_[3]));
    return of_tokens ? std::nullopt : grid;
  }

 private:
  std::vector<std::int64_t> images_;
  LayerLayout layout_;
  std::set<std::int64_t> tokens_{};  ///< how many the layers had
};

/// A layer's values N×C×h×w, N×h×w×C or N×T×C as maps N×C×h×w; `grid` is the one of its shape. Tokens in
/// front of the grid are left out.
inline Tensor folded(const Tensor& values, const LayerGrid& grid) {
  if (!grid.channels_last) return values;
  if (values.dim() == 4) return values.permute({0, 3, 1, 2});
  return values.narrow(1, grid.leading, grid.places())
      .transpose(1, 2)
      .reshape({values.size(0), values.size(2), grid.height, grid.width});
}

/// The same, for the grid that the shape of images tells. Throws Error where there is none: `what` begins the
/// message.
inline Tensor folded(const Tensor& values, const Tensor& images, const LayerLayout& layout,
                     const std::string& what) {
  if (values.dim() < 1 || values.size(0) != images.size(0))
    throw Error(c10::str(what, " gives a tensor of shape ", values.sizes(), " for ", images.size(0),
                         " images; one row for each is needed (windows of attention are none)"));
  const auto grid = grid_of(values.sizes(), images.sizes(), layout);
  if (!grid)
    throw Error(c10::str(
        what, " gives a tensor of shape ", values.sizes(), " for images of shape ", images.sizes(),
        "; a layer N×C×H×W is needed, such as a convolution, or one N×H×W×C, or tokens N×T×C of a grid with "
        "the "
        "proportions of the image",
        values.dim() == 3 ? " (.layout = {.leading_tokens = 1} says how many in front are no places)" : ""));
  return folded(values, *grid);
}

}  // namespace pellucid
