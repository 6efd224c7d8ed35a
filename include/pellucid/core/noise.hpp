#pragma once
#include <ATen/Parallel.h>
#include <Random123/philox.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include <pellucid/core/torch.hpp>

namespace pellucid {

/// Which draw of the noise: a function of these and of nothing else, so that a result depends neither on the
/// micro-batch nor on the machine.
struct Draw {
  std::uint64_t seed = 0;    ///< the caller's choice
  std::int64_t image = 0;    ///< the image's number
  std::int64_t sample = 0;   ///< which of its samples
  std::uint64_t nested = 0;  ///< which samples of methods around this one (0: none), whose noise is another
};

/// A number that shows nothing of the one it was made from (SplitMix64; Steele, Lea & Flood 2014).
inline std::uint64_t mixed(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

/// A number from [0, 1), a function of the seed and of which one it is.
inline double uniform(std::uint64_t seed, std::uint64_t which) {
  return double(mixed(mixed(seed) + which) >> 11) * 0x1p-53;
}

namespace detail {

inline constexpr float least_step = 0x1p-24F;  ///< 24 bits are what a float holds exactly

/// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
/// SC 2011) keyed by the seed and counting (block, image, sample).
///   use(block, four numbers of 24 bits), in any order and by several threads
template <class Use>
void random_blocks(std::int64_t blocks, const Draw& draw, const Use& use) {
  const std::uint64_t bits_of_key = draw.seed ^ draw.nested;
  const r123::Philox4x32::key_type key{{std::uint32_t(bits_of_key), std::uint32_t(bits_of_key >> 32)}};
  at::parallel_for(0, blocks, 4096, [&](std::int64_t begin, std::int64_t end) {
    r123::Philox4x32 philox;
    for (std::int64_t block = begin; block < end; ++block) {
      const r123::Philox4x32::ctr_type counter{{std::uint32_t(block), std::uint32_t(draw.image),
                                                std::uint32_t(draw.image >> 32), std::uint32_t(draw.sample)}};
      const auto bits = philox(counter, key);
      use(block, std::array<std::uint32_t, 4>{bits[0] >> 8, bits[1] >> 8, bits[2] >> 8, bits[3] >> 8});
    }
  });
}

}  // namespace detail

/// Noise from [0, 1), evenly spread, of the given shape: multiples of 2⁻²⁴, float32 on the CPU.
inline Tensor uniform_noise(at::IntArrayRef shape, const Draw& draw) {
  const torch::NoGradGuard no_grad;
  const std::int64_t count = c10::multiply_integers(shape), blocks = (count + 3) / 4;
  const Tensor values = torch::empty({4 * blocks}, torch::kFloat32);
  float* const all = values.data_ptr<float>();
  detail::random_blocks(blocks, draw, [all](std::int64_t block, const auto& bits) {
    for (std::size_t i = 0; i < 4; ++i)
      all[4 * block + std::int64_t(i)] = float(bits[i]) * detail::least_step;
  });
  return values.narrow(0, 0, count).view(shape);
}

/// Standard normal noise N(0, 1) of the given shape, float32 on the CPU.
///
/// Box–Muller on counter-based numbers (`random_blocks`): √(−2 ln u₁)·cos 2πu₂ and √(−2 ln u₁)·sin 2πu₂.
inline Tensor gaussian(at::IntArrayRef shape, const Draw& draw) {
  const torch::NoGradGuard no_grad;
  const std::int64_t count = c10::multiply_integers(shape);
  const std::int64_t blocks = (count + 3) / 4;
  // Row 0: u₁ in (0, 1], whose logarithm is finite; row 1: u₂ in [0, 1).
  Tensor uniform = torch::empty({2, 2 * blocks}, torch::kFloat32);
  float* const u1 = uniform.data_ptr<float>();
  float* const u2 = u1 + 2 * blocks;
  detail::random_blocks(blocks, draw, [u1, u2](std::int64_t block, const auto& bits) {
    u1[2 * block] = float(bits[0] + 1) * detail::least_step;
    u1[2 * block + 1] = float(bits[1] + 1) * detail::least_step;
    u2[2 * block] = float(bits[2]) * detail::least_step;
    u2[2 * block + 1] = float(bits[3]) * detail::least_step;
  });
  const Tensor radius = uniform[0].log_().mul_(-2).sqrt_();
  const Tensor angle = uniform[1].mul_(2 * std::numbers::pi);
  return torch::cat({angle.cos().mul_(radius), angle.sin_().mul_(radius)}).narrow(0, 0, count).view(shape);
}

}  // namespace pellucid
