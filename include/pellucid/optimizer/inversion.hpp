#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <pellucid/model/recording.hpp>
#include <pellucid/objective/objective.hpp>
#include <pellucid/optimizer/pixels.hpp>
#include <pellucid/optimizer/start.hpp>
#include <pellucid/optimizer/synthesis.hpp>

namespace pellucid {

/// How deep a layer lies: the share of the network's layers that come no later, 0 to 1; 1 where the model
/// does not list its layers.
template <class M>
double layer_depth(const M& model, const std::string& layer, const Images& images) {
  if constexpr (requires { std::vector<LayerInfo>(model.layers(images)); }) {
    const std::vector<LayerInfo> layers = model.layers(images.slice(0, 0, 1));
    const auto found =
        std::find_if(layers.begin(), layers.end(), [&](const auto& l) { return l.name == layer; });
    if (found != layers.end()) return double(found - layers.begin() + 1) / double(layers.size());
  }
  return 1;
}

/// Inverts a representation: an image that a layer cannot tell from the given one,
///   minimise ‖Φ(σx) − Φ₀‖² / ‖Φ₀‖² + λ_α R_α(x) + λ_V R_V(x)
/// over x of norm about 1 with the mean image taken off (the distance is that of the Representation, the
/// penalties are those of the Regularizer). Gradient descent with momentum, which begins anew when the rate
/// drops, from noise of norm 1. What the image lacks, the layer no longer knows.
///
/// σ is the norm of a usual image: 27098/255 for 227×227×3, in proportion to √values.
///
/// Mahendran & Vedaldi, "Understanding deep image representations by inverting them", CVPR 2015.
struct Inversion {
  ScheduledRate learning_rate{{{100, 0.004}, {200, 0.0004}, {100, 0.00004}}};  ///< its steps are all steps
  double momentum = 0.9;                                                       ///< 0 or more, below 1
  double norm = 0;         ///< σ, in pixels of [0, 1]; 0: of a usual image of that size
  std::uint64_t seed = 0;  ///< of the start and of what the regularizer draws

  void check() const {
    LearningRate(learning_rate).check();
    Momentum{momentum}.check();
    if (!(norm >= 0) || !std::isfinite(norm))
      throw Error("Inversion: a norm of " + std::to_string(norm) +
                  " was given; give more than 0, or 0 for usual");
  }

  /// Noise of norm σ around the mean image.
  template <class M, class O>
  Images start(const M& model, const O& objective) const {
    static_assert(
        requires { objective.image; },
        "An inversion needs a representation: give pellucid::Representation{layer, image} as the "
        "objective.");
    if constexpr (requires { objective.image; }) {
      const Images image = objective.fitted(model).image;
      const Tensor noise =
          detail::start_noise(image.size(0), image.size(1), {image.size(2), image.size(3)}, seed)
              .to(image.options());
      const double values = double(noise[0].numel());
      return detail::mean_image(model, image.size(1)).to(image.options()) +
             noise * (usual_norm(values) / std::sqrt(values));
    }
  }

  template <class M, class S, class... Parts, class F>
  Synthesis operator()(const M& model, const S& subject, const Regularizer<Parts...>& regularizer,
                       const F& on_frame, std::int64_t every) const {
    const auto objective = resolve(subject.objective, model, subject.images);
    const std::int64_t values = subject.images[0].numel();
    // The α-norm keeps values in their range; where a step throws one far beyond, its sixth power would
    // throw it back further.
    SynthesisPlan<Pixels> plan{.parameters = {.unit = usual_norm(double(values)), .beyond = 1},
                               .learning_rate = learning_rate,
                               .update = Momentum{momentum},
                               .seed = seed,
                               .every = every};
    plan.steps = 0;
    for (const auto& phase : learning_rate.phases) plan.steps += phase.steps;
    const Tensor center = detail::mean_image(model, subject.images.size(1)).to(subject.images.options());
    return synthesize(model, subject.about(objective, subject.report), plan, center,
                      regularizer.fitted({layer_depth(model, objective.layer, subject.images), values}),
                      on_frame);
  }

 private:
  double usual_norm(double values) const {
    constexpr double published = 27098.0 / 255, published_values = 227 * 227 * 3;
    return norm > 0 ? norm : published * std::sqrt(values / published_values);
  }
};

}  // namespace pellucid
