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
  std::uint64_t seed = 0;
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

/// Standard normal noise N(0, 1) of the given shape, float32 on the CPU.
///
/// Counter-based: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) keyed
/// by the seed and counting (block, image, sample), then Box–Muller: √(−2 ln u₁)·cos 2πu₂ and √(−2 ln u₁)·sin
/// 2πu₂.
inline Tensor gaussian(at::IntArrayRef shape, const Draw& draw) {
  const torch::NoGradGuard no_grad;
  const std::int64_t count = c10::multiply_integers(shape);
  const std::int64_t blocks = (count + 3) / 4;
  // Row 0: u₁ in (0, 1], whose logarithm is finite; row 1: u₂ in [0, 1).
  Tensor uniform = torch::empty({2, 2 * blocks}, torch::kFloat32);
  float* const u1 = uniform.data_ptr<float>();
  float* const u2 = u1 + 2 * blocks;
  const std::uint64_t bits_of_key = draw.seed ^ draw.nested;
  const r123::Philox4x32::key_type key{{std::uint32_t(bits_of_key), std::uint32_t(bits_of_key >> 32)}};
  at::parallel_for(0, blocks, 4096, [&](std::int64_t begin, std::int64_t end) {
    constexpr float unit = 0x1p-24F;  // 24 bits are what a float holds exactly
    r123::Philox4x32 philox;
    for (std::int64_t block = begin; block < end; ++block) {
      const r123::Philox4x32::ctr_type counter{{std::uint32_t(block), std::uint32_t(draw.image),
                                                std::uint32_t(draw.image >> 32), std::uint32_t(draw.sample)}};
      const auto bits = philox(counter, key);
      u1[2 * block] = float((bits[0] >> 8) + 1) * unit;
      u1[2 * block + 1] = float((bits[1] >> 8) + 1) * unit;
      u2[2 * block] = float(bits[2] >> 8) * unit;
      u2[2 * block + 1] = float(bits[3] >> 8) * unit;
    }
  });
  const Tensor radius = uniform[0].log_().mul_(-2).sqrt_();
  const Tensor angle = uniform[1].mul_(2 * std::numbers::pi);
  return torch::cat({angle.cos().mul_(radius), angle.sin_().mul_(radius)}).narrow(0, 0, count).view(shape);
}

}  // namespace pellucid
