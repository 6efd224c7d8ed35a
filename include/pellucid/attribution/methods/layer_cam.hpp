#pragma once
#include <string>

#include <pellucid/attribution/class_activation.hpp>

namespace pellucid {

/// LayerCAM: where a layer's channels respond, each place weighted by its own gradient where that is above 0:
///   A = ReLU(Σ_c ReLU(∂S/∂a_cyx) a_cyx)
/// Unlike Grad-CAM's, its maps of early layers are of use, too: they are fine, and not smeared by channels
/// that count elsewhere. N×1×H×W, or N×1×h×w of the layer, which is as for GradCAM.
///
/// Jiang, Zhang, Hou, Cheng & Wei, "LayerCAM: exploring hierarchical class activation maps for localization",
/// 2021.
struct LayerCAM {
  std::string layer{};   ///< whose channels are looked at
  bool relu = true;      ///< keep only what speaks for the objective
  bool upsample = true;  ///< to the size of the image
  LayerLayout layout{};  ///< of the layer's values over the image

  void check() const { layout.check("LayerCAM"); }

  /// With the layer that is looked at, for these images.
  template <class M, class S>
  LayerCAM settled(const M& model, const S& subject) const {
    return its().settled(*this, model, subject);
  }

  template <class M, class S>
  Tensor operator()(const M& model, const S& subject) const {
    if constexpr (detail::about_a_layer<S>()) {
      const detail::ClassActivation cam = its();
      return cam.from_gradients(model, subject, [](const Tensor& a, const Tensor& gradient) {
        return (gradient.relu() * a).sum(1, true);
      });
    }
  }

 private:
  detail::ClassActivation its() const { return {"LayerCAM", layer, relu, upsample, layout}; }
};

}  // namespace pellucid
