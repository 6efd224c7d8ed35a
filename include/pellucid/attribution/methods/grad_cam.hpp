#pragma once
#include <string>

#include <pellucid/attribution/class_activation.hpp>

namespace pellucid {

/// Grad-CAM: where a layer's channels respond, each weighted by how much it counts for the objective,
///   A = ReLU(Σ_c α_c a_c),   α_c = 1/hw Σ_yx ∂S/∂a_cyx
/// upsampled to the image (bilinearly): N×1×H×W, or N×1×h×w of the layer. The layer gives N×C×h×w, N×h×w×C or
/// tokens N×T×C; left out, it is `last_spatial_layer`. Throws Error when no layer does.
///
/// Selvaraju, Cogswell, Das, Vedantam, Parikh & Batra, "Grad-CAM: visual explanations from deep networks",
/// 2017.
struct GradCAM {
  std::string layer{};   ///< whose channels are looked at
  bool relu = true;      ///< keep only what speaks for the objective
  bool upsample = true;  ///< to the size of the image
  LayerLayout layout{};  ///< of the layer's values over the image

  void check() const { layout.check("GradCAM"); }

  /// With the layer that is looked at, for these images.
  template <class M, class S>
  GradCAM settled(const M& model, const S& subject) const {
    return its().settled(*this, model, subject);
  }

  template <class M, class S>
  Tensor operator()(const M& model, const S& subject) const {
    if constexpr (detail::about_a_layer<S>()) {
      const detail::ClassActivation cam = its();
      return cam.from_gradients(model, subject, [](const Tensor& a, const Tensor& gradient) {
        return (gradient.mean({2, 3}, true) * a).sum(1, true);
      });
    }
  }

 private:
  detail::ClassActivation its() const { return {"GradCAM", layer, relu, upsample, layout}; }
};

}  // namespace pellucid
