#pragma once
#include <string>

#include <pellucid/attribution/layer_values.hpp>
#include <pellucid/objective/average_over.hpp>

namespace pellucid {

/// What a layer gives for the image:
///   A = a(x)
/// whatever is asked about. In the layer's shape N×…; upsampled: summed over channels, N×1×H×W, where
/// channels of unlike sign cancel (behind a LayerNorm nearly all do). It tells what the layer saw, not what
/// of it counted.
struct LayerActivation {
  std::string layer{};    ///< any that can be observed
  bool upsample = false;  ///< lay the layer over the image: its channels' sum at each place, N×1×H×W
  LayerLayout layout{};   ///< of the layer's values over the image, for that

  void check() const { of().check(); }

  template <class M, class S>
  Tensor operator()(const M& model, const S& subject) const {
    const torch::NoGradGuard no_grad;
    const detail::LayerValues its = of();
    const Tensor values =
        average_over(model, subject, {}, as_it_is(subject), [&](const M& m, const auto& part) {
          const Tensor output = output_of(m, part.images, layer).detach();
          its.check(output, part.images);
          return output.to(part.images.device());
        }).mean;
    return its.finished(values, subject.images);
  }

 private:
  detail::LayerValues of() const { return {"LayerActivation", layer, upsample, layout}; }
};

}  // namespace pellucid
