#pragma once
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include <pellucid/core/concepts.hpp>
#include <pellucid/image/resize.hpp>
#include <pellucid/objective/objective.hpp>
#include <pellucid/optimizer/fourier.hpp>
#include <pellucid/optimizer/pixels.hpp>
#include <pellucid/optimizer/start.hpp>
#include <pellucid/optimizer/synthesis.hpp>

namespace pellucid {

/// Activation maximisation: images that an objective likes,
///   x ← x + rate · ∂(objective(image(x)) − penalties)/∂x
/// from noise, from grey (noise = 0), or from images that are given. Images of several objectives, such as
/// Channel{layer, {3, 5, 8}}, are made at once.
///
/// With `octaves` above 1 it is DeepDream: the same steps at sizes that grow by `octave_scale` up to the
/// whole; what was added at one size is enlarged to the next, while the image itself is taken at each size
/// anew.
///
/// An objective about a layer is asked at each step: the strongest neuron is the one that is strongest then.
///
/// Erhan et al., "Visualizing higher-layer features of a deep network", 2009; Simonyan, Vedaldi & Zisserman,
/// "Deep inside convolutional networks", 2013; Mordvintsev, Olah & Tyka, "Inceptionism", 2015.
template <class Parameters = Pixels>
struct AscentIn {
  using Parameterization = Parameters;

  std::int64_t steps = 500;                       ///< at each octave, 1 or more
  LearningRate learning_rate = NormalizedRate{};  ///< how far a step goes
  Update update = PlainUpdate{};                  ///< how the gradient becomes a step
  double noise = 0.04;        ///< standard deviation of the start, in units of the parameters; 0: grey
  std::int64_t height = 0;    ///< of images that are made from nothing, in pixels; 0: as the model crops
  std::int64_t width = 0;     ///< likewise
  std::int64_t octaves = 1;   ///< sizes, the last of which is the whole
  double octave_scale = 1.4;  ///< from one size to the next, above 1
  std::uint64_t seed = 0;  ///< of the start and of what the regularizer draws: the same gives the same images
  Parameters parameters{};  ///< what of an image is changed: Pixels, or Fourier

  void check() const {
    if (steps < 1) throw Error("Ascent: " + std::to_string(steps) + " steps were asked for; give 1 or more");
    if (!(noise >= 0) || !std::isfinite(noise))
      throw Error("Ascent: noise of " + std::to_string(noise) + " was given; give 0 (none) or more");
    if (height < 0 || width < 0)
      throw Error("Ascent: a size of " + std::to_string(height) + "×" + std::to_string(width) +
                  " was given; give pixels, or 0 for the model's own");
    if (octaves < 1 || !(octave_scale > 1))
      throw Error("Ascent: " + std::to_string(octaves) + " octaves of scale " + std::to_string(octave_scale) +
                  " were asked for; give 1 or more, of a scale above 1");
    learning_rate.check();
    std::visit([](const auto& kind) { kind.check(); }, update);
    parameters.check();
  }

  /// The images that a synthesis from nothing begins with.
  template <class M, class O>
  Images start(const M& model, const O& objective) const {
    const auto size = detail::start_size(model, height, width);
    const Tensor center = detail::mean_image(model);
    const Tensor from = detail::start_noise(detail::count_of(objective), center.size(0), size, seed);
    const Tensor x = parameters.start(from) * noise;
    return parameters.image(x, center, from.sizes()).clamp(0, 1);
  }

  template <class M, class S, class... Parts, class F>
  Synthesis operator()(const M& model, const S& subject, const Regularizer<Parts...>& regularizer,
                       const F& on_frame, std::int64_t every) const {
    const auto objective = settled(model, subject);
    const Tensor center = detail::mean_image(model, subject.images.size(1)).to(subject.images.options());
    const SynthesisPlan<Parameters> plan{parameters, steps, learning_rate, update, seed, every};
    const auto any_size = at_any_size(model);
    if (octaves == 1)
      return synthesize(any_size, subject.about(objective, subject.report), plan, center, regularizer,
                        on_frame);

    Synthesis result;
    Tensor added;
    for (std::int64_t octave = octaves; octave-- > 0 && !result.stopped;) {
      const double factor = std::pow(octave_scale, -double(octave));
      const auto side = [&](std::int64_t whole) {
        return std::max<std::int64_t>(1, std::llround(double(whole) * factor));
      };
      const std::int64_t rows = side(subject.images.size(2)), columns = side(subject.images.size(3));
      const Images base = resize(subject.images, rows, columns);
      auto part = subject.about(objective, subject.report.part(octaves - 1 - octave, 1, octaves));
      part.images = added.defined() ? (base + resize(added, rows, columns)).clamp(0, 1) : base;
      result = synthesize(any_size, part, plan, center, regularizer, on_frame);
      added = result.synthesized - base;
    }
    if (result.synthesized.sizes() != subject.images.sizes())
      result.synthesized =
          (subject.images + resize(added, subject.images.size(2), subject.images.size(3))).clamp(0, 1);
    return result;
  }

 private:
  /// What is asked of every image on the way: objectives about a layer as they are, others settled on the
  /// start.
  template <class M, class S>
  static auto settled(const M& model, const S& subject) {
    using Objective = decltype(subject.objective);
    if constexpr (LayerObjective<Objective>) {
      if constexpr (requires { subject.objective.check(subject.images.size(0)); })
        subject.objective.check(subject.images.size(0));
      return subject.objective;
    } else {
      return resolve(subject.objective, model, subject.images);
    }
  }
};

/// Activation maximisation by pixels: see AscentIn.
///
///   auto dream = Optimizer<Ascent, Regularizer<L2, Blur>>({.steps = 500});
///   Images seen = dream(model, Channel{"features.28", 42});
using Ascent = AscentIn<Pixels>;

}  // namespace pellucid
