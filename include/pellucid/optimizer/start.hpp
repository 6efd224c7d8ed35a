#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/execution.hpp>
#include <pellucid/core/noise.hpp>
#include <pellucid/model/preprocess.hpp>

namespace pellucid::detail {

/// The mean image of a model: the colour that its preprocessing takes for 0, C×1×1; mid-grey where it does
/// not tell.
template <class M>
Tensor mean_image(const M& model, std::int64_t channels = 3) {
  std::vector<double> mean = preprocess_of(model).mean;
  if (mean.empty()) mean = {0.5};
  if (mean.size() == 1) mean.assign(std::size_t(channels), mean[0]);
  return torch::tensor(mean, torch::kFloat).view({-1, 1, 1});
}

/// The size, height and width, of images that are made from nothing: as asked for (0: not), or as the model
/// crops.
template <class M>
std::array<std::int64_t, 2> start_size(const M& model, std::int64_t height, std::int64_t width) {
  const Preprocess preprocess = preprocess_of(model);
  const std::int64_t usual = preprocess.crop > 0 ? preprocess.crop : preprocess.resize;
  const std::array<std::int64_t, 2> size{height > 0 ? height : usual, width > 0 ? width : usual};
  if (size[0] > 0 && size[1] > 0) return size;
  throw Error(
      "the model does not tell how large its images are; give the optimizer .height and .width, or a "
      "model whose Preprocess crops");
}

/// How many images an objective asks about: one, unless it names something for each.
template <class O>
std::int64_t count_of(const O& objective) {
  if constexpr (requires { std::int64_t(objective.count()); }) {
    return objective.count();
  } else {
    return 1;
  }
}

/// Noise N(0, 1) of the shape of one image each: another for each.
inline Tensor start_noise(std::int64_t count, std::int64_t channels, const std::array<std::int64_t, 2>& size,
                          std::uint64_t seed) {
  std::vector<Tensor> noise;
  for (std::int64_t image = 0; image < count; ++image)
    noise.push_back(gaussian({channels, size[0], size[1]}, {seed, image, 0}));
  return torch::stack(noise);
}

}  // namespace pellucid::detail
