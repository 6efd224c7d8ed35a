#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/attribution/attribution.hpp>
#include <pellucid/attribution/baseline.hpp>
#include <pellucid/core/average.hpp>
#include <pellucid/core/execution.hpp>

namespace pellucid {

/// Occlusion: how much the score drops when a window of the image is covered,
///   A_yx = mean over the windows W that cover (y, x) of S(x) − S(x with the baseline in W)
/// The window moves by the stride from the first place until one reaches the last; there it may be cut off
/// (ragged), so that every place is covered. N×1×H×W, in units of score: all channels are covered together.
/// Sequences N×C×L and volumes likewise, and N×K by the numbers themselves. One forward pass for each window.
///
/// Zeiler & Fergus, "Visualizing and understanding convolutional networks", 2014.
struct Occlusion {
  std::int64_t window = 0;               ///< pixels a side; 0: an eighth of the shorter side, at least 1
  std::int64_t stride = 0;               ///< pixels, at most the window; 0: half the window, at least 1
  Baseline baseline = Baseline::mean();  ///< what covers; the mean colour, as no black square is then seen

  void check() const {
    if (window < 0 || stride < 0)
      throw Error("Occlusion: window " + std::to_string(window) + " and stride " + std::to_string(stride) +
                  " were given; give pixels, or 0 for an eighth of the image and half the window");
    if (window > 0 && stride > window)
      throw Error("Occlusion: a stride of " + std::to_string(stride) + " for a window of " +
                  std::to_string(window) + " leaves pixels between the windows; give a stride of at most " +
                  std::to_string(window));
  }

  template <class M, class S>
  Tensor operator()(const M& model, const S& subject) const {
    const torch::NoGradGuard no_grad;
    const Images& images = subject.images;
    const std::vector<Window> windows = windows_of(images);
    const Tensor cover = baseline.of(subject);
    const std::int64_t each = std::int64_t(windows.size()) + 1;  // questions: the image as it is comes first
    const Tensor scores =
        average(
            {.images = images.size(0) * each, .micro_batch = execution_of(model, images).micro_batch},
            [&](const std::vector<Variant>& asked) {
              std::vector<std::int64_t> rows;
              const Images covered = detail::room_for(std::int64_t(asked.size()), images);
              for (const Variant& one : asked) {
                const std::int64_t n = one.image / each, question = one.image % each;
                const Tensor row = covered[std::int64_t(rows.size())].copy_(images[n]);
                rows.push_back(n);
                if (question == 0) continue;
                const Window& where = windows[std::size_t(question - 1)];
                part(row, where).copy_(part(cover[n], where));
              }
              return evaluate(select(subject.objective, rows), model, covered);
            },
            subject.report)
            .mean.view({-1, each});

    std::vector<std::int64_t> shape = images.sizes().vec();
    if (images.dim() > 2) shape[1] = 1;
    const Tensor drops = torch::zeros(shape, scores.options()), times = torch::zeros_like(drops[0]);
    std::fill(shape.begin() + 1, shape.end(), 1);
    for (std::size_t i = 0; i < windows.size(); ++i) {
      const Tensor drop = scores.select(1, 0) - scores.select(1, std::int64_t(i) + 1);
      part(drops, windows[i]).add_(drop.view(shape));
      part(times, windows[i]).add_(1);
    }
    return drops / times;
  }

 private:
  /// Where a window begins and how long it is, in each direction.
  struct Side {
    std::int64_t begin = 0, length = 0;
  };
  using Window = std::vector<Side>;

  /// The values of images in a window, which is of the last dimensions.
  static Tensor part(Tensor values, const Window& where) {
    const std::int64_t before = values.dim() - std::int64_t(where.size());
    for (std::size_t d = 0; d < where.size(); ++d)
      values = values.narrow(before + std::int64_t(d), where[d].begin, where[d].length);
    return values;
  }

  /// All windows, the last direction first.
  std::vector<Window> windows_of(const Images& images) const {
    const at::IntArrayRef places = images.sizes().slice(images.dim() > 2 ? 2 : 1);
    const std::int64_t shortest = *std::min_element(places.begin(), places.end());
    const std::int64_t longest = *std::max_element(places.begin(), places.end());
    const std::int64_t side = window > 0 ? window : std::max<std::int64_t>(1, shortest / 8);
    const std::int64_t step = stride > 0 ? stride : std::max<std::int64_t>(1, side / 2);
    if (window > 1 && window >= longest)
      throw Error(c10::str("Occlusion: a window of ", window, " covers the whole of images of shape ",
                           images.sizes(), ", so that every pixel would get the same; give less than ",
                           longest));
    if (step > side)
      throw Error("Occlusion: a stride of " + std::to_string(step) + " for a window of " +
                  std::to_string(side) + " leaves pixels between the windows; give a window, too");
    std::vector<Window> windows{{}};
    for (const std::int64_t length : places) {
      std::vector<Window> crossed;
      for (const Window& so_far : windows)
        for (std::int64_t begin = 0;; begin += step) {
          crossed.push_back(so_far);
          crossed.back().push_back({begin, std::min(side, length - begin)});
          if (begin + side >= length) break;
        }
      windows = std::move(crossed);
    }
    return windows;
  }
};

}  // namespace pellucid
