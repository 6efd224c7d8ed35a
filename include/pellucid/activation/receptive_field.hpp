#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/activation/edge_search.hpp>
#include <pellucid/attribution/layer_grid.hpp>
#include <pellucid/core/concepts.hpp>
#include <pellucid/core/images.hpp>
#include <pellucid/core/progress.hpp>

namespace pellucid {

/// What the places of a layer see along one axis of the images. Place u sees the pixels from
/// first + u · stride on, `size` of them; those outside of the image are padding.
struct FieldAxis {
  std::int64_t first = 0;   ///< pixel that place 0 sees first; below 0 where it sees padding
  std::int64_t size = 0;    ///< pixels that a place sees
  std::int64_t stride = 1;  ///< pixels from one place to the next
};

/// A rectangle of pixels: rows top … bottom − 1, columns left … right − 1.
struct Box {
  std::int64_t top = 0, left = 0, bottom = 0, right = 0;  ///< pixels from the upper left corner
};

/// A point of an image, in pixels from its upper left corner: the middle of the first pixel is (0.5, 0.5).
struct Spot {
  double y = 0, x = 0;  ///< down and across
};

/// What the places of a layer see of images H×W.
struct ReceptiveField {
  std::int64_t height = 0, width = 0;  ///< H and W
  std::int64_t rows = 0, columns = 0;  ///< of places: 1×1 for N×K, 0×0 where nothing lies as the image does
  bool all = false;                    ///< every place sees all of the image
  /// Empty where a place sees more than can be told at this size, and where places do not follow one another
  /// regularly (windows of attention, adaptive pooling, enlarged maps).
  std::optional<FieldAxis> vertical{}, horizontal{};

  /// The pixels that the place (y, x) sees; all of them where that is not known. Pixels that a stride leaves
  /// over at the far edge, which no place sees, count as padding does: a window may reach across them.
  Box box(std::int64_t y, std::int64_t x) const {
    const auto range = [](const std::optional<FieldAxis>& axis, std::int64_t place, std::int64_t all_of_it) {
      if (!axis) return std::pair<std::int64_t, std::int64_t>{0, all_of_it};
      const std::int64_t from = axis->first + place * axis->stride;
      return std::pair{std::clamp<std::int64_t>(from, 0, all_of_it),
                       std::clamp<std::int64_t>(from + axis->size, 0, all_of_it)};
    };
    const auto [top, bottom] = range(vertical, y, height);
    const auto [left, right] = range(horizontal, x, width);
    return {top, left, bottom, right};
  }

  /// The middle of what the place (y, x) sees, padding included. Where that is not known, the middle of the
  /// place itself when all of them are laid over the image: (y + ½) · H / rows, (x + ½) · W / columns.
  Spot center(std::int64_t y, std::int64_t x) const {
    const auto middle = [](const std::optional<FieldAxis>& axis, std::int64_t place, std::int64_t pixels,
                           std::int64_t places) {
      return axis ? double(axis->first + place * axis->stride) + double(axis->size) / 2
                  : (double(place) + 0.5) * double(pixels) / double(places);
    };
    return {middle(vertical, y, height, rows), middle(horizontal, x, width, columns)};
  }
};

namespace detail {

/// How the places of a layer's output 1×C×h×w or 1×h×w×C lie in it.
struct Places {
  bool are_known = false;     ///< it is such an output, and a part of its places saw a part of the image
  std::int64_t channels = 1;  ///< the dimension of the channels

  Places() = default;
  /// From an output of which a part is NaN, because a quarter of the image was.
  explicit Places(const Tensor& output) {
    if (output.dim() != 4 || output.size(0) != 1) return;
    const Tensor stained = output.isnan();
    if (stained.all().template item<bool>() || !stained.any().template item<bool>()) return;
    const auto alike = [&](std::int64_t dimension) {
      return (stained == stained.narrow(dimension, 0, 1)).all().template item<bool>();
    };
    // The channels of a place see the same: theirs is the dimension along which nothing changes. Where some
    // see more (Inception's, side by side), they are taken to be where LibTorch has them.
    channels = alike(3) && !alike(1) ? 3 : 1;
    are_known = true;
  }

  /// Which places hold NaN: h×w.
  Tensor stains(const Tensor& output) const {
    return output.sum(channels)[0].isnan().cpu();  // much faster than isnan().any(channels)
  }
};

inline std::int64_t edge_of(const Tensor& stained, bool last) {
  const auto places = stained.accessor<bool, 1>();
  std::int64_t edge = -1;
  for (std::int64_t i = 0; i < places.size(0) && (last || edge < 0); ++i)
    if (places[i]) edge = i;
  return edge;
}

/// How far the dye of the first corner of a map of stains reaches. With dye in the opposite corner, too (not
/// `alone`), the stains are two rectangles: the first stained row and column tell the near one's size if they
/// end before the far one does. Empty where no place is stained, and where the two cannot be told apart.
inline std::optional<Corner> reach_of(const Tensor& stains, bool alone) {
  const Tensor rows = stains.any(1), columns = stains.any(0);
  const Corner all{edge_of(rows, true), edge_of(columns, true)};
  if (all.row < 0) return {};
  if (alone) return all;
  const Corner near{edge_of(stains.select(1, edge_of(columns, false)), true),
                    edge_of(stains.select(0, edge_of(rows, false)), true)};
  if (near.row == all.row || near.column == all.column) return {};
  return near;
}

/// A layer in question. `far` counts pixels and places from their far ends.
struct FieldSearch {
  std::size_t layer = 0;
  Places places{};
  std::int64_t rows = 0, columns = 0;
  CornerSearch near, far;
  bool apart = false;  ///< dye in both corners at once cannot be told apart

  /// Whether anything could be read from the layer's output after these corners were dyed.
  bool learn(const Tensor& output, const std::optional<Corner>& near_dye,
             const std::optional<Corner>& far_dye) {
    const Tensor stains = places.stains(output);
    const bool alone = !near_dye || !far_dye;
    const auto near_reach = near_dye ? reach_of(stains, alone) : std::nullopt;
    const auto far_reach = far_dye ? reach_of(stains.flip({0, 1}), alone) : std::nullopt;
    if (near_reach) near.learn(*near_dye, *near_reach);
    if (far_reach) far.learn(*far_dye, *far_reach);
    return near_reach || far_reach;
  }
};

/// Which places of an output, whose grid this is, hold NaN.
inline Tensor stained_places(const Tensor& output, const std::optional<LayerGrid>& grid) {
  const Tensor stained = output.isnan();
  return grid ? stained.any(grid->channels_last ? output.dim() - 1 : 1) : stained;
}

/// Of these layers, by number, those whose every place sees all of the image: its first row that any layer
/// sees, its last, and its first and last column. pass(images) gives the outputs of all layers.
template <class Pass>
std::vector<std::size_t> all_seeing(const Images& image, std::vector<std::size_t> layers, Pass&& pass) {
  for (const std::int64_t dimension : {2, 3})
    for (const bool far : {false, true}) {
      const std::int64_t pixels = image.size(dimension);
      bool seen = layers.empty();
      // Deeper where nothing sees so far out: strides leave pixels over.
      for (std::int64_t depth = 1; !seen; ++depth) {
        if (depth > std::min(pixels, EdgeSearch::largest_stride)) return {};
        Images dyed = image.clone();
        dyed.narrow(dimension, far ? pixels - depth : 0, depth)
            .fill_(std::numeric_limits<double>::quiet_NaN());
        std::vector<Tensor> stained;
        for (const Tensor& output : pass(dyed)) {
          stained.push_back(stained_places(output, grid_of(output.sizes(), image.sizes())));
          seen = seen || stained.back().any().template item<bool>();
        }
        if (seen)
          std::erase_if(layers, [&](std::size_t i) { return !stained[i].all().template item<bool>(); });
      }
    }
  return layers;
}

/// Joins what was found from either end.
inline std::optional<FieldAxis> axis_of(const EdgeSearch& near, const EdgeSearch& far, std::int64_t pixels,
                                        std::int64_t places) {
  const std::optional<Regular> begin = near.found(), end = far.found();
  if (!begin || !end || begin->stride != end->stride) return {};
  const std::int64_t last = begin->first + (places - 1) * begin->stride;  // the last place sees from here on
  const std::int64_t size = pixels - end->first - last;
  if (size <= 0) return {};
  return FieldAxis{begin->first, size, begin->stride};
}

}  // namespace detail

/// What the places of each layer see of images of this size, found by trying: pixels are made NaN, from a
/// corner of the image on; a place that becomes NaN has seen them. How far the dye must reach is bisected.
/// Exact for every network whose operators hand NaN on, as convolutions, pooling, norms, activations and
/// attention do on a CPU; what is not the same for all places of a layer is left open, never guessed.
///
/// images N×C×H×W: any of the size to ask about; the first is looked at, alone. Where some channels of a
/// layer see more than others (Inception's, side by side) the largest field counts. Known are layers 1×C×h×w
/// and 1×h×w×C; of all others whether every place sees all of the image. Runs about 30 images; layers of
/// strides above 64 are left open.
/// Throws Error on images of another shape, and on a layer that is not there.
template <class M, ProgressCallback F = Silent>
std::vector<ReceptiveField> receptive_fields(const M& model, const Images& images,
                                             const std::vector<std::string>& layers, F&& progress = {}) {
  static_assert(
      LayeredModel<M>,
      "This model does not let its layers be seen: pellucid::adapt() makes one that does of a module "
      "or a function, and pellucid::load_script() of a TorchScript file.");
  check_images(images);
  if (images.dim() != 4)
    throw Error(
        c10::str("receptive_fields: images of shape ", images.sizes(), " were given; N×C×H×W is expected"));
  const torch::NoGradGuard no_grad;
  const detail::NaNAllowed nan_allowed;
  const Images image = images.narrow(0, 0, 1);
  const std::int64_t height = image.size(2), width = image.size(3);
  using detail::Corner;
  const auto dyed = [&](const std::optional<Corner>& near, const std::optional<Corner>& far) {
    constexpr double dye = std::numeric_limits<double>::quiet_NaN();
    Images copy = image.clone();
    if (near) copy.slice(2, 0, near->row + 1).slice(3, 0, near->column + 1).fill_(dye);
    if (far) copy.slice(2, height - 1 - far->row).slice(3, width - 1 - far->column).fill_(dye);
    return copy;
  };

  std::vector<ReceptiveField> fields(layers.size(), ReceptiveField{.height = height, .width = width});
  std::vector<detail::FieldSearch> searches;
  Reporter<std::remove_reference_t<F>> report(progress);
  std::int64_t passes = 0;
  const auto observed = [&](const Images& dye, const std::vector<std::string>& names) {
    std::vector<Tensor> outputs = model.observe(dye, names);
    constexpr std::int64_t usual = 30;
    ++passes;
    report(passes, std::max(passes + 1, usual));
    return outputs;
  };

  const Corner quarter{height / 2 - 1, width / 2 - 1};
  const std::vector<Tensor> outputs = observed(dyed(quarter, {}), layers);
  std::vector<std::size_t> may_see_all;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const bool one = outputs[i].dim() > 0 && outputs[i].size(0) == 1;  // a row for the image, no windows
    const auto grid = one ? grid_of(outputs[i].sizes(), images.sizes()) : std::nullopt;
    const bool single = one && outputs[i].dim() == 2;
    if (grid) fields[i].rows = grid->height, fields[i].columns = grid->width;
    if (single) fields[i].rows = fields[i].columns = 1;
    if ((grid || single) && detail::stained_places(outputs[i], grid).all().template item<bool>())
      may_see_all.push_back(i);
    const detail::Places places(outputs[i]);
    if (!places.are_known) continue;
    const std::int64_t rows = outputs[i].size(places.channels == 1 ? 2 : 1),
                       columns = outputs[i].size(places.channels == 1 ? 3 : 2);
    fields[i].rows = rows, fields[i].columns = columns;
    const std::int64_t down = (height + rows - 1) / rows, across = (width + columns - 1) / columns;
    if (std::max(down, across) > detail::EdgeSearch::largest_stride) continue;
    const detail::CornerSearch corner{{height, rows}, {width, columns}};
    searches.push_back({i, places, rows, columns, corner, corner});
    searches.back().learn(outputs[i], quarter, {});
  }
  const auto all_layers = [&](const Images& dye) { return observed(dye, layers); };
  for (const std::size_t i : detail::all_seeing(image, std::move(may_see_all), all_layers))
    fields[i].all = true;
  // Steps of a fine layer mostly are where a coarse one behind it steps: what it learns answers for both.
  std::stable_sort(searches.begin(), searches.end(),
                   [](const auto& a, const auto& b) { return a.rows * a.columns > b.rows * b.columns; });
  std::vector<std::string> names;
  for (const auto& search : searches) names.push_back(layers[search.layer]);

  /// Which layers told something.
  const auto probe = [&](const std::optional<Corner>& near, const std::optional<Corner>& far) {
    const std::vector<Tensor> seen = observed(dyed(near, far), names);
    std::vector<bool> told;
    for (std::size_t k = 0; k < searches.size(); ++k) told.push_back(searches[k].learn(seen[k], near, far));
    return told;
  };

  // All over the image, so that what is found near the corners holds everywhere.
  constexpr std::int64_t spread = 8;
  for (std::int64_t i = 1; i < spread && !searches.empty(); ++i) {
    const Corner corner{std::max<std::int64_t>(height * i / spread - 1, 0),
                        std::max<std::int64_t>(width * i / spread - 1, 0)};
    if (2 * i != spread) probe(corner, {});  // else the quarter that began
    probe({}, corner);
  }
  for (std::size_t k = 0; k < searches.size();) {
    detail::FieldSearch& search = searches[k];
    const auto near = search.near.wanted();
    auto far = search.far.wanted();
    if (!near && !far) {
      ++k;
      continue;
    }
    if (near && search.apart) far.reset();
    if (probe(near, far)[k]) continue;
    if (near && far) {
      // They overlap, or the far one lies on pixels that no place sees.
      if (probe({}, far)[k])
        search.apart = true;
      else
        search.far.skip(*far);
    } else if (near) {
      search.near.skip(*near);
    } else {
      search.far.skip(*far);
    }
  }
  report(1, 1);
  for (const auto& search : searches) {
    ReceptiveField& field = fields[search.layer];
    field.vertical = detail::axis_of(search.near.rows, search.far.rows, height, search.rows);
    field.horizontal = detail::axis_of(search.near.columns, search.far.columns, width, search.columns);
  }
  return fields;
}

}  // namespace pellucid
