#pragma once
#include <string>

#include <pellucid/attribution/class_activation.hpp>

namespace pellucid {

/// Grad-CAM++: Grad-CAM whose channels are weighted by the places that speak for the objective, so that
/// several objects of a class, or a small one, count as much as one large one:
///   A = ReLU(Σ_c w_c a_c),   w_c = Σ_yx α_cyx ReLU(g_cyx),   α_cyx = g²_cyx / (2 g²_cyx + g³_cyx Σ_ij a_cij)
/// with g = ∂S/∂a; α is 0 where there is 0 below the line. The α are those of the score's exponential, whose
/// own factor e^S is the same for all places of an image and is left out. N×1×H×W, or N×1×h×w of the layer,
/// which is as for GradCAM. Meant for a layer behind a ReLU: where Σ a is negative the fraction can be of any
/// size and sign.
///
/// Chattopadhay, Sarkar, Howlader & Balasubramanian, "Grad-CAM++: generalized gradient-based visual
/// explanations for deep convolutional networks", 2018.
struct GradCAMPlusPlus {
  std::string layer{};   ///< whose channels are looked at
  bool relu = true;      ///< keep only what speaks for the objective
  bool upsample = true;  ///< to the size of the image
  LayerLayout layout{};  ///< of the layer's values over the image

  void check() const { layout.check("GradCAMPlusPlus"); }

  /// With the layer that is looked at, for these images.
  template <class M, class S>
  GradCAMPlusPlus settled(const M& model, const S& subject) const {
    return its().settled(*this, model, subject);
  }

  template <class M, class S>
  Tensor operator()(const M& model, const S& subject) const {
    if constexpr (detail::about_a_layer<S>()) {
      const detail::ClassActivation cam = its();
      return cam.from_gradients(model, subject, [](const Tensor& a, const Tensor& g) {
        // α ReLU(g) is g / (2 + g Σ a) where g is above 0: g² has no room for small gradients in a float.
        const Tensor under = 2 + g * a.sum({2, 3}, true);
        const Tensor counted = torch::where((g > 0).logical_and(under != 0), g / under, torch::zeros_like(g));
        return (counted.sum({2, 3}, true) * a).sum(1, true);
      });
    }
  }

 private:
  detail::ClassActivation its() const { return {"GradCAMPlusPlus", layer, relu, upsample, layout}; }
};

}  // namespace pellucid
