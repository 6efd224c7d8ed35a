#pragma once
#include <string>

#include <pellucid/attribution/layer_values.hpp>
#include <pellucid/objective/average_over.hpp>
#include <pellucid/objective/differentiate.hpp>

namespace pellucid {

/// A layer's values times the gradient of the objective with respect to them:
///   A = a ⊙ ∂S/∂a
/// What each value of the layer contributes, where what lies above it is linear. In the layer's shape N×… and
/// in units of score; upsampled: summed over channels, N×1×H×W, the score of a place of the layer at each of
/// the pixels that it is enlarged to, so that their sum is about HW/hw times that of the layer.
///
/// Shrikumar, Greenside, Shcherbina & Kundaje, "Not just a black box", 2016, at a layer.
struct LayerGradientXActivation {
  std::string layer{};    ///< any that can be observed and that the objective depends on
  bool upsample = false;  ///< lay the layer over the image: its channels' sum at each place, N×1×H×W
  LayerLayout layout{};   ///< of the layer's values over the image, for that

  void check() const { of().check(); }

  template <class M, class S>
  Tensor operator()(const M& model, const S& subject) const {
    if constexpr (detail::about_a_layer<S>()) {
      const detail::LayerValues its = of();
      const Tensor values =
          average_over(model, subject, {}, as_it_is(subject), [&](const M& m, const auto& part) {
            const LayerDerivative d = differentiate_at(layer, part.objective, m, part.images);
            its.check(d.output, part.images);
            return d.output * d.gradient;
          }).mean;
      return its.finished(values, subject.images);
    }
  }

 private:
  detail::LayerValues of() const { return {"LayerGradientXActivation", layer, upsample, layout}; }
};

}  // namespace pellucid
