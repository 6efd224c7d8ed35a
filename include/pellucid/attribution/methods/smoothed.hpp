#pragma once
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <pellucid/attribution/attribution.hpp>
#include <pellucid/core/noise.hpp>
#include <pellucid/objective/average_over.hpp>

namespace pellucid {

namespace detail {

/// What methods that look at noisy copies of an image share.
struct Noisy {
  std::int64_t samples = 50;
  double noise = 0.15;
  std::uint64_t seed = 0;
  bool antithetic = false;

  void check(const std::string& method, std::int64_t least = 1) const {
    if (samples < least)
      throw Error(method + ": samples is " + std::to_string(samples) + "; at least " + std::to_string(least) +
                  (least == 1 ? " is" : " are") + " needed");
    if (!(noise >= 0) || !std::isfinite(noise))
      throw Error(method + ": noise is " + std::to_string(noise) +
                  "; give a share of the image's range, 0 or more (0.1 to 0.2 is usual)");
  }

  /// x + σ·z for each variant, z ~ N(0, 1), σ = noise · (max x − min x) of its image. Antithetic: samples 2i
  /// and 2i + 1 are x + σz and x − σz.
  template <class S>
  auto copies(const S& subject) const {
    const Tensor flat = subject.images.flatten(1);
    const Tensor sigma = (flat.amax(1) - flat.amin(1)).mul(noise).to(torch::kCPU, torch::kDouble);
    return [this, &subject, sigma](const std::vector<Variant>& variants) {
      const Images batch = room_for(std::int64_t(variants.size()), subject.images);
      Tensor z;
      for (std::size_t i = 0; i < variants.size(); ++i) {
        const Variant& variant = variants[i];
        const std::int64_t draw = antithetic ? variant.sample / 2 : variant.sample;
        const bool mirrored = antithetic && variant.sample % 2 == 1;
        const Tensor image = subject.images[variant.image];
        if (!mirrored || !z.defined())  // in the image's order in memory, which it is added to twice
          z = torch::empty_like(image).copy_(
              gaussian(image.sizes(), subject.draw(seed, std::size_t(variant.image), draw)));
        const double s = sigma[variant.image].template item<double>();
        Tensor row = batch[std::int64_t(i)];
        torch::add_out(row, image, z, mirrored ? -s : s);
      }
      return batch;
    };
  }
};

}  // namespace detail

/// The mean of a method's attribution over noisy copies of the image:
///   A = (1/n) Σᵢ Base(x + εᵢ),   εᵢ ~ N(0, σ²),   σ = noise · (max x − min x)
/// SmoothGrad is `Smoothed<Gradient>`. The shape is the base method's. With it comes the standard error of
/// the mean; `until` goes on until that is small enough.
///
/// Antithetic pairs (x + ε and x − ε) are on by default: the same cost, a smaller error, the same
/// expectation.
///
/// Smilkov, Thorat, Kim, Viégas & Wattenberg, "SmoothGrad: removing noise by adding noise", 2017.
template <class Base>
struct Smoothed {
  std::int64_t samples = 50;  ///< n, at least 1
  double noise = 0.15;        ///< σ as a share of the image's range, 0 or more
  std::uint64_t seed = 0;     ///< the same seed gives the same attribution
  bool antithetic = true;     ///< draw the noise in pairs of opposite sign
  double until = 0;           ///< > 0: go on until ‖standard error‖₂ / ‖A‖₂ is below it…
  std::int64_t most_samples = 10'000;  ///< …or this many samples were taken
  std::int64_t first =
      0;        ///< the number of the first sample, even for pairs: to go on with a mean of those before
  Base base{};  ///< the method that is averaged

  void check() const {
    const std::string method = "Smoothed (SmoothGrad and its kin)";
    detail::Noisy{samples, noise, seed}.check(method);
    if (!(until >= 0))
      throw Error(method + ": until is " + std::to_string(until) + "; give 0 (off) or a share above it");
    if (until > 0 && most_samples < samples)
      throw Error(method + ": most_samples is " + std::to_string(most_samples) + ", fewer than the " +
                  std::to_string(samples) + " samples to begin with");
    if (first < 0 || (antithetic && first % 2 == 1))
      throw Error(method + ": first is " + std::to_string(first) + "; give the number of a sample, from 0, " +
                  (antithetic ? "and an even one, as they come in pairs" : "in order"));
    if constexpr (requires { base.check(); }) base.check();
  }

  template <class M, class S>
  Explanation operator()(const M& model, const S& subject) const {
    const detail::Noisy noisy{samples, noise, seed, antithetic};
    const AveragePlan plan{.samples = samples,
                           .first = first,
                           .pairs = antithetic,
                           .until = until,
                           .most_samples = most_samples};
    // What the base method finds out about the image itself (its layer) holds for all noisy copies.
    const Base method = [&] {
      if constexpr (requires { Base(base.settled(model, subject)); })
        return base.settled(model, subject);
      else
        return base;
    }();
    const Average average =
        average_over(model, subject, plan, noisy.copies(subject),
                     [&](const M& m, const auto& part) { return Explanation(method(m, part)).attribution; });
    Explanation result = average.mean;
    result.standard_error = average.standard_error;
    result.samples = average.samples;
    return result;
  }
};

}  // namespace pellucid
