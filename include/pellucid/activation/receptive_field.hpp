#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <pellucid/core/concepts.hpp>
#include <pellucid/core/execution.hpp>
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
  std::int64_t top = 0, left = 0, bottom = 0, right = 0;
};

/// What the places of a layer see of images H×W.
struct ReceptiveField {
  std::int64_t height = 0, width = 0;  ///< H and W
  /// Neither is there when a place sees the whole image, or more of it than can be told at this size.
  std::optional<FieldAxis> vertical{}, horizontal{};

  /// The pixels that the place (y, x) sees; all of them where that cannot be told.
  Box box(std::int64_t y, std::int64_t x) const {
    const auto range = [](const std::optional<FieldAxis>& axis, std::int64_t place, std::int64_t all) {
      if (!axis) return std::pair<std::int64_t, std::int64_t>{0, all};
      const std::int64_t from = axis->first + place * axis->stride;
      return std::pair{std::clamp<std::int64_t>(from, 0, all),
                       std::clamp<std::int64_t>(from + axis->size, 0, all)};
    };
    const auto [top, bottom] = range(vertical, y, height);
    const auto [left, right] = range(horizontal, x, width);
    return {top, left, bottom, right};
  }
};

namespace detail {

/// Which rows and columns of a layer's map N×C×h×w (or N×h×w×C) hold NaN: N×h and N×w. Undefined for what is
/// no map, and for maps too small to tell.
struct Stains {
  Tensor rows{}, columns{};
};

inline Stains stains_of(const Tensor& output) {
  constexpr std::int64_t fewest = 4;  // places a side
  if (output.dim() != 4) return {};
  const Tensor bad = output.isnan();
  const auto all_alike = [&](std::int64_t dimension) {
    return (bad == bad.narrow(dimension, 0, 1)).all().item<bool>();
  };
  // The channels of a place see the same: theirs is the dimension along which nothing changes.
  const Tensor map = bad.any(all_alike(3) && !all_alike(1) ? 3 : 1);
  if (map.size(1) < fewest || map.size(2) < fewest) return {};
  return {map.any(2).cpu(), map.any(1).cpu()};
}

/// The number of the first or last place that is stained; −1 where none is.
inline std::int64_t edge_of(const Tensor& stained, bool last) {
  const auto places = stained.accessor<bool, 1>();
  std::int64_t edge = -1;
  for (std::int64_t i = 0; i < places.size(0) && (last || edge < 0); ++i)
    if (places[i]) edge = i;
  return edge;
}

/// Where an edge first moves on by a place, as probes one pixel apart tell, and how many pixels it takes to
/// move on by another.
struct Step {
  std::int64_t probe = 0, place = 0, stride = 0;
};

inline std::optional<Step> step_of(const std::vector<std::int64_t>& edge) {
  std::optional<Step> first;
  for (std::size_t i = 1; i < edge.size(); ++i) {
    if (edge[i - 1] < 0 || edge[i] == edge[i - 1]) continue;
    if (edge[i] != edge[i - 1] + 1) return {};
    const auto probe = std::int64_t(i);
    if (first) return Step{first->probe, first->place, probe - first->probe};
    first = Step{probe, edge[i], 0};
  }
  return {};
}

/// Place u sees the pixels from l + u·s up to, and without, r + u·s. Probe i of `before` stains the pixels
/// below i + 1: its last stained place has l + u·s ≤ i. Probe i of `behind` stains those from from + i on:
/// its first stained place has r + u·s > from + i.
inline std::optional<FieldAxis> axis_of(const std::vector<std::int64_t>& before,
                                        const std::vector<std::int64_t>& behind, std::int64_t from) {
  const std::optional<Step> left = step_of(before), right = step_of(behind);
  if (!left || !right || left->stride != right->stride) return {};
  const std::int64_t stride = left->stride;
  const std::int64_t first = left->probe - stride * left->place;
  const std::int64_t end = from + right->probe - stride * (right->place - 1);
  return FieldAxis{first, end - first, stride};
}

}  // namespace detail

/// What the places of each layer see of images of this size, found by trying: pixels are made NaN, from an
/// edge of the image on and a row and a column more with each probe; a place that becomes NaN has seen them.
/// Exact for every network whose operators hand NaN on, as convolutions, pooling, norms, activations and
/// attention do.
///
/// images N×C×H×W: any of the size to ask about; one is looked at. The channels of a layer that see different
/// fields (Inception's, side by side) count as one, the largest. Layers of another shape than N×C×h×w or
/// N×h×w×C, and maps of fewer than 4 places a side, count as seeing the whole image. Runs 4·s images, s the
/// largest stride among the layers. Memory does not grow with s.
/// Throws Error on images of another shape, and on a layer that is not there.
template <LayeredModel M, ProgressCallback F = Silent>
std::vector<ReceptiveField> receptive_fields(const M& model, const Images& images,
                                             const std::vector<std::string>& layers, F&& progress = {}) {
  check_images(images);
  if (images.dim() != 4)
    throw Error(
        c10::str("receptive_fields: images of shape ", images.sizes(), " were given; N×C×H×W is expected"));
  const torch::NoGradGuard no_grad;
  const Images image = images.narrow(0, 0, 1);
  const std::int64_t height = image.size(2), width = image.size(3);

  std::vector<std::size_t> maps;  // which of the layers can be told
  std::int64_t stride = 1;
  const std::vector<Tensor> outputs = model.observe(image, layers);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const detail::Stains places = detail::stains_of(outputs[i]);
    if (!places.rows.defined()) continue;
    maps.push_back(i);
    const auto pixels_a_place = [](std::int64_t pixels, std::int64_t count) {
      return (pixels + count - 1) / count;
    };
    stride = std::max(
        {stride, pixels_a_place(height, places.rows.size(1)), pixels_a_place(width, places.columns.size(1))});
  }
  std::vector<ReceptiveField> fields(layers.size(), ReceptiveField{height, width, {}, {}});
  if (maps.empty()) return fields;
  std::vector<std::string> names;
  for (const std::size_t i : maps) names.push_back(layers[i]);

  // Two steps of every edge, so two strides of probes.
  const std::int64_t probes = std::min(2 * stride + 1, std::min(height, width) - 1);
  const std::int64_t from_row = height - 1 - probes, from_column = width - 1 - probes;
  struct Edges {
    std::vector<std::int64_t> rows{}, columns{};
  };
  std::vector<Edges> before(maps.size()), behind(maps.size());
  const detail::NaNAllowed nan_allowed;
  Reporter<std::remove_reference_t<F>> report(progress);
  for (std::int64_t probe = 0; probe < probes; ++probe) {
    Images stained = image.repeat({2, 1, 1, 1});
    const auto nan = std::numeric_limits<double>::quiet_NaN();
    stained[0].slice(1, 0, probe + 1).slice(2, 0, probe + 1).fill_(nan);
    stained[1].slice(1, from_row + probe).slice(2, from_column + probe).fill_(nan);
    const std::vector<Tensor> seen = model.observe(stained, names);
    for (std::size_t i = 0; i < maps.size(); ++i) {
      const detail::Stains stains = detail::stains_of(seen[i]);
      for (const bool last : {true, false}) {
        Edges& edges = last ? before[i] : behind[i];
        const std::int64_t row = last ? 0 : 1;
        edges.rows.push_back(detail::edge_of(stains.rows[row], last));
        edges.columns.push_back(detail::edge_of(stains.columns[row], last));
      }
    }
    report(probe + 1, probes);
  }
  for (std::size_t i = 0; i < maps.size(); ++i) {
    fields[maps[i]].vertical = detail::axis_of(before[i].rows, behind[i].rows, from_row);
    fields[maps[i]].horizontal = detail::axis_of(before[i].columns, behind[i].columns, from_column);
  }
  return fields;
}

}  // namespace pellucid
