#pragma once
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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
  std::int64_t top = 0, left = 0, bottom = 0, right = 0;
};

/// What the places of a layer see of images H×W.
struct ReceptiveField {
  std::int64_t height = 0, width = 0;  ///< H and W
  bool all = false;                    ///< every place sees a corner of the image, so all of it
  /// Empty where a place sees more than can be told at this size, and where places do not follow one another
  /// regularly (windows of attention, adaptive pooling, enlarged maps).
  std::optional<FieldAxis> vertical{}, horizontal{};

  /// The pixels that the place (y, x) sees; all of them where that is not known.
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
};

namespace detail {

/// How the places of a layer's output 1×C×h×w or 1×h×w×C lie in it.
struct Places {
  bool are_known = false;  ///< it is such an output, and a part of its places saw a part of the image
  bool see_all = false;
  std::int64_t channels = 1;  ///< the dimension of the channels

  Places() = default;
  /// From an output of which a part is NaN, because a quarter of the image was.
  explicit Places(const Tensor& output) {
    if (output.dim() != 4 || output.size(0) != 1) return;
    const Tensor stained = output.isnan();
    see_all = stained.all().template item<bool>();
    if (see_all || !stained.any().template item<bool>()) return;
    const auto alike = [&](std::int64_t dimension) {
      return (stained == stained.narrow(dimension, 0, 1)).all().template item<bool>();
    };
    // The channels of a place see the same: theirs is the dimension along which nothing changes. Where some
    // see more (Inception's, side by side), they are taken to be where LibTorch has them.
    channels = alike(3) && !alike(1) ? 3 : 1;
    are_known = true;
  }

  /// Which rows and which columns of places hold NaN.
  std::pair<Tensor, Tensor> stains(const Tensor& output) const {
    const Tensor map = output.sum(channels)[0].isnan();  // much faster than isnan().any(channels)
    return {map.any(1).cpu(), map.any(0).cpu()};
  }
};

/// Which place was the last (or the first) that saw the pixels stained by a probe, by the probe's number.
using Edge = std::map<std::int64_t, std::int64_t>;

inline std::int64_t edge_of(const Tensor& stained, bool last) {
  const auto places = stained.accessor<bool, 1>();
  std::int64_t edge = -1;
  for (std::int64_t i = 0; i < places.size(0) && (last || edge < 0); ++i)
    if (places[i]) edge = i;
  return edge;
}

inline std::int64_t floor_of(std::int64_t number, std::int64_t divisor) {
  return number >= 0 ? number / divisor : -((-number + divisor - 1) / divisor);
}

/// Where an edge moves on by one place between probes that follow each other, and by another: the first of
/// these probes, its place, and the pixels between the two.
struct EdgeSteps {
  std::int64_t probe = 0, place = 0, stride = 0;
};

inline std::optional<EdgeSteps> steps_of(const Edge& edge) {
  std::optional<EdgeSteps> first;
  if (edge.empty()) return {};
  for (auto now = std::next(edge.begin()); now != edge.end(); ++now) {
    const auto before = std::prev(now);
    if (now->first != before->first + 1 || before->second < 0 || now->second != before->second + 1) continue;
    if (first && now->second == first->place + 1)
      return EdgeSteps{first->probe, first->place, now->first - first->probe};
    first = EdgeSteps{now->first, now->second, 0};
  }
  return {};
}

/// Place u of `places` sees the pixels from l + u·s up to, and without, r + u·s. Probe c of `before` stains
/// the pixels below c + 1: its last place is the last with l + u·s ≤ c. Probe c of `behind` stains those from
/// c on: its first place is the first with r + u·s > c. Empty unless all probes agree on l, r and s.
inline std::optional<FieldAxis> axis_of(const Edge& before, const Edge& behind, std::int64_t places) {
  const std::optional<EdgeSteps> left = steps_of(before), right = steps_of(behind);
  if (!left || !right || left->stride != right->stride) return {};
  const std::int64_t stride = left->stride;
  const std::int64_t first = left->probe - stride * left->place;
  const std::int64_t end = right->probe - stride * (right->place - 1);
  if (end <= first) return {};
  for (const auto& [probe, place] : before)
    if (place != std::clamp<std::int64_t>(floor_of(probe - first, stride), -1, places - 1)) return {};
  for (const auto& [probe, place] : behind) {
    const std::int64_t expected = std::max<std::int64_t>(floor_of(probe - end, stride) + 1, 0);
    if (place != (expected < places ? expected : -1)) return {};
  }
  return FieldAxis{first, end - first, stride};
}

/// The probes along an axis of `pixels`: two strides one by one from the near end (at the far one a stride
/// more, as there may be pixels left over that no place sees), and some between, which tell whether what
/// holds there holds everywhere.
inline std::vector<std::int64_t> probes_of(std::int64_t pixels, std::int64_t stride, bool far) {
  const std::int64_t close = std::min((far ? 3 : 2) * stride + 1, std::max<std::int64_t>(pixels - 1, 1));
  constexpr std::int64_t spread = 8;
  std::vector<std::int64_t> probes;
  for (std::int64_t i = 0; i < close; ++i) probes.push_back(far ? pixels - close + i : i);
  for (std::int64_t i = 1; i < spread; ++i) {
    const std::int64_t between = pixels * i / spread;
    if (far ? between < pixels - close && between > 0 : between >= close) probes.push_back(between);
  }
  return probes;
}

}  // namespace detail

/// What the places of each layer see of images of this size, found by trying: pixels are made NaN, from a
/// corner of the image on and a row and a column more with each probe; a place that becomes NaN has seen
/// them. Exact for every network whose operators hand NaN on, as convolutions, pooling, norms, activations
/// and attention do on a CPU; what is not the same for all places of a layer is left open, never guessed.
///
/// images N×C×H×W: any of the size to ask about; the first is looked at, alone. Where some channels of a
/// layer see more than others (Inception's, side by side) the largest field counts. Known are layers 1×C×h×w
/// and 1×h×w×C. Runs about 5·s + 16 images, s the largest stride among the layers, which may be 64; layers of
/// larger strides are left open.
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
  const auto stained = [&](std::int64_t top, std::int64_t left, std::int64_t bottom, std::int64_t right) {
    Images copy = image.clone();
    copy.slice(2, top, bottom).slice(3, left, right).fill_(std::numeric_limits<double>::quiet_NaN());
    return copy;
  };

  constexpr std::int64_t largest_stride = 64;
  struct Map {
    std::size_t layer = 0;
    detail::Places places{};
    std::int64_t rows = 0, columns = 0;
    detail::Edge above{}, below{}, before{}, behind{};  // along the rows, and along the columns
  };
  std::vector<ReceptiveField> fields(layers.size(), ReceptiveField{.height = height, .width = width});
  std::vector<Map> maps;
  std::vector<std::string> names;
  std::int64_t row_stride = 1, column_stride = 1;
  const std::vector<Tensor> outputs = model.observe(stained(0, 0, height / 2, width / 2), layers);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const detail::Places places(outputs[i]);
    fields[i].all = places.see_all || outputs[i].dim() == 2;
    if (!places.are_known) continue;
    const std::int64_t rows = outputs[i].size(places.channels == 1 ? 2 : 1),
                       columns = outputs[i].size(places.channels == 1 ? 3 : 2);
    const std::int64_t down = (height + rows - 1) / rows, across = (width + columns - 1) / columns;
    if (std::max(down, across) > largest_stride) continue;
    row_stride = std::max(row_stride, down), column_stride = std::max(column_stride, across);
    maps.push_back({i, places, rows, columns, {}, {}, {}, {}});
    names.push_back(layers[i]);
  }
  if (maps.empty()) return fields;

  Reporter<std::remove_reference_t<F>> report(progress);
  for (const bool far : {false, true}) {
    const std::vector<std::int64_t> rows = detail::probes_of(height, row_stride, far),
                                    columns = detail::probes_of(width, column_stride, far);
    const std::size_t count = std::max(rows.size(), columns.size());
    for (std::size_t i = 0; i < count; ++i) {
      // The shorter list stands still at its last probe.
      const std::int64_t row = rows[std::min(i, rows.size() - 1)],
                         column = columns[std::min(i, columns.size() - 1)];
      const std::vector<Tensor> seen = model.observe(
          far ? stained(row, column, height, width) : stained(0, 0, row + 1, column + 1), names);
      for (std::size_t k = 0; k < maps.size(); ++k) {
        const auto [stained_rows, stained_columns] = maps[k].places.stains(seen[k]);
        const std::int64_t row_edge = detail::edge_of(stained_rows, !far);
        if (row_edge < 0) continue;  // pixels that no place sees, along either axis
        (far ? maps[k].below : maps[k].above)[row] = row_edge;
        (far ? maps[k].behind : maps[k].before)[column] = detail::edge_of(stained_columns, !far);
      }
      report(std::int64_t(i + 1 + (far ? count : 0)), std::int64_t(2 * count));
    }
  }
  for (const Map& map : maps) {
    fields[map.layer].vertical = detail::axis_of(map.above, map.below, map.rows);
    fields[map.layer].horizontal = detail::axis_of(map.before, map.behind, map.columns);
  }
  return fields;
}

}  // namespace pellucid
