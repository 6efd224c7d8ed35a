#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>

#include <torch/fft.h>

namespace pellucid {

/// What goes wrong in synthesised images, in three figures.
struct Diagnosis {
  double high_frequencies = 0;  ///< share of the spectral energy above half the Nyquist frequency, 0 to 1:
                                ///< white noise has 0.80, photos about 0.02
  double extreme = 0;           ///< share of the values that 8 bits show as 0 or 255, 0 to 1
  double repetition = 0;  ///< the highest peak of the autocorrelation off its centre, 0 to 1: copies of one
                          ///< motif have nearly 1
};

namespace detail {

/// Σ |F|² over |f| > 1/4 cycle per pixel / Σ |F|², F of each channel with its mean taken off; f as a vector.
inline double high_frequency_share(const Tensor& image) {
  const Tensor energy = torch::fft::fft2(image - image.mean({1, 2}, true)).abs().square().sum(0);
  const double all = energy.sum().item<double>();
  if (!(all > 0)) return 0;
  const Tensor down = torch::fft::fftfreq(image.size(1), image.options()).view({-1, 1});
  const Tensor across = torch::fft::fftfreq(image.size(2), image.options());
  constexpr double half_nyquist = 0.25;
  const Tensor high = (down.square() + across.square()) > half_nyquist * half_nyquist;
  return (energy * high).sum().item<double>() / all;
}

/// The autocorrelation of a plane p with its mean taken off,
///   R(d) = Σ p(r) p(r + d) / √(Σ p(r)² Σ p(r + d)²)
/// over the pixels r that both lie in it; for shifts up to half of each side, d = 0 in the middle.
inline Tensor autocorrelation(const Tensor& p) {
  const std::int64_t height = p.size(0), width = p.size(1);
  const std::vector<std::int64_t> size{2 * height, 2 * width};  // zeros around: nothing wraps
  const auto correlated = [&](const Tensor& a, const Tensor& b) {
    return torch::fft::irfft2(torch::fft::rfft2(a, size).conj() * torch::fft::rfft2(b, size), size);
  };
  const Tensor inside = torch::ones_like(p), squares = p.square();
  const Tensor energies = correlated(squares, inside) * correlated(inside, squares);
  const double none = 1e-12 * energies.max().item<double>();
  const Tensor all = torch::where(energies > none, correlated(p, p) / energies.clamp_min(none).sqrt(),
                                  torch::zeros_like(energies));
  return all.roll({height / 2, width / 2}, {0, 1})
      .slice(0, 0, 2 * (height / 2) + 1)
      .slice(1, 0, 2 * (width / 2) + 1);
}

/// The highest local maximum of the autocorrelation before which, on the way from the centre, it falls below
/// half of it: what is only large or even is not repeated. 0 where there is none.
inline double highest_repetition(const Tensor& image) {
  const Tensor grey = image.mean(0);
  const Tensor p = grey - grey.mean();
  if (!(p.square().mean().item<double>() > 1e-12) || p.size(0) < 4 || p.size(1) < 4) return 0;
  const Tensor r = autocorrelation(p).contiguous();
  const std::int64_t middle_y = r.size(0) / 2, middle_x = r.size(1) / 2;
  const auto at = r.accessor<double, 2>();

  const Tensor highest_around = torch::max_pool2d(r.view({1, 1, r.size(0), r.size(1)}), {3, 3}, {1, 1})[0][0];
  const Tensor inner = r.slice(0, 1, -1).slice(1, 1, -1);
  const Tensor peaks = ((inner >= highest_around).logical_and_(inner > 0)).nonzero() + 1;
  const Tensor heights = r.index({peaks.select(1, 0), peaks.select(1, 1)});
  const Tensor order = heights.argsort(0, /*descending=*/true);
  const auto falls_before = [&](std::int64_t y, std::int64_t x) {
    const std::int64_t dy = y - middle_y, dx = x - middle_x, steps = std::max(std::abs(dy), std::abs(dx));
    for (std::int64_t i = 1; i < steps; ++i)
      if (at[middle_y + dy * i / steps][middle_x + dx * i / steps] < at[y][x] / 2) return true;
    return false;
  };
  for (std::int64_t i = 0; i < order.size(0); ++i) {
    const Tensor peak = peaks[order[i].item<std::int64_t>()];
    const std::int64_t y = peak[0].item<std::int64_t>(), x = peak[1].item<std::int64_t>();
    if (falls_before(y, x)) return std::min(at[y][x], 1.0);
  }
  return 0;
}

}  // namespace detail

/// The figures of each image, N×C×H×W in [0, 1].
inline std::vector<Diagnosis> diagnose(const Images& images) {
  if (!images.defined() || images.dim() != 4 || images.numel() == 0)
    throw Error(
        "diagnose: " +
        (images.defined() ? c10::str("a tensor of shape ", images.sizes()) : std::string("no tensor")) +
        " was given; images N×C×H×W are expected");
  const torch::NoGradGuard no_grad;
  std::vector<Diagnosis> result;
  for (std::int64_t n = 0; n < images.size(0); ++n) {
    const Tensor image = images[n].to(torch::kCPU, torch::kDouble);
    constexpr double half_a_step = 0.5 / 255;
    const Tensor extreme = (image < half_a_step).logical_or_(image > 1 - half_a_step);
    result.push_back({detail::high_frequency_share(image), extreme.to(torch::kDouble).mean().item<double>(),
                      detail::highest_repetition(image)});
  }
  return result;
}

}  // namespace pellucid
