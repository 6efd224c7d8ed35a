#pragma once
#include <string>

#include <pellucid/attribution/methods/grad_cam.hpp>
#include <pellucid/attribution/methods/guided_backprop.hpp>

namespace pellucid {

/// Guided Grad-CAM: guided backpropagation where Grad-CAM saw the class,
///   A = Grad-CAM (upsampled, one map for all channels) ⊙ GuidedBackprop
/// N×C×H×W. Throws Error on a network without a ReLU, as GuidedBackprop does.
///
/// Selvaraju, Cogswell, Das, Vedantam, Parikh & Batra, "Grad-CAM: visual explanations from deep networks",
/// 2017.
struct GuidedGradCAM {
  std::string layer{};   ///< whose channels Grad-CAM looks at; left out: `last_spatial_layer`
  LayerLayout layout{};  ///< of the layer's values over the image

  void check() const { layout.check("GuidedGradCAM"); }

  /// With the layer that Grad-CAM looks at, for these images.
  template <class M, class S>
  GuidedGradCAM settled(const M& model, const S& subject) const {
    const detail::ClassActivation cam{"GuidedGradCAM", layer, true, true, layout};
    return cam.settled(*this, model, subject);
  }

  template <class M, class S>
  Tensor operator()(const M& model, const S& subject) const {
    if constexpr (detail::about_a_layer<S>()) {
      if (subject.images.dim() != 4)
        throw Error(c10::str("GuidedGradCAM: inputs of shape ", subject.images.sizes(),
                             " were given; images N×C×H×W are needed, to lay the map of a layer over"));
      const auto half = [&](std::int64_t first) {
        S part = subject;
        part.report = subject.report.part(first, 1, 2);
        return part;
      };
      const Tensor map = GradCAM{.layer = settled(model, subject).layer, .layout = layout}(model, half(0));
      return map * GuidedBackprop{}(model, half(1));
    }
  }
};

}  // namespace pellucid
