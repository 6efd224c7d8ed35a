#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <pellucid/attribution/baseline.hpp>
#include <pellucid/attribution/class_activation.hpp>
#include <pellucid/model/predict.hpp>

namespace pellucid {

/// Score-CAM: where a layer's channels respond, each weighted by what the score is of the image seen through
/// it, without gradients:
///   A = ReLU(Σ_c α_c a_c),   α = softmax_c(S(x_c) − S(b)),   x_c = b + m_c ⊙ (x − b)
/// where the mask m_c is channel c upsampled to the image and brought to [0, 1]; one that is the same
/// everywhere shows nothing of the image. S(b) is the same for all channels, so softmax does not need it.
/// N×1×H×W, or N×1×h×w of the layer, which is as for GradCAM. One forward pass for each channel of the layer:
/// hundreds for each image; memory is that of a micro-batch.
///
/// Masks are held over pixels. The paper's code holds them over the normalised image, where 0 is the mean
/// colour of the training set: a baseline of that colour, in place of black, gives the same.
///
/// Wang, Wang, Du, Yang, Zhang, Ding, Mardziel & Hu, "Score-CAM: score-weighted visual explanations for
/// convolutional neural networks", 2020.
struct ScoreCAM {
  std::string layer{};                    ///< whose channels are looked at
  bool relu = true;                       ///< keep only what speaks for the objective
  bool upsample = true;                   ///< the map, to the size of the image
  Baseline baseline = Baseline::black();  ///< b, what is seen where the mask is 0
  LayerLayout layout{};                   ///< of the layer's values over the image

  void check() const { layout.check("ScoreCAM"); }

  /// With the layer that is looked at, for these images.
  template <class M, class S>
  ScoreCAM settled(const M& model, const S& subject) const {
    return its().settled(*this, model, subject);
  }

  template <class M, class S>
  Tensor operator()(const M& model, const S& subject) const {
    const torch::NoGradGuard no_grad;
    const Tensor& images = subject.images;
    if (images.dim() != 4)
      throw Error(c10::str("ScoreCAM: inputs of shape ", images.sizes(),
                           " were given; images N×C×H×W are needed, to lay the channels of a layer over"));
    const detail::ClassActivation cam = its();
    const std::string at = cam.place(model, subject);
    const Tensor from = baseline.of(subject);
    std::vector<Tensor> sums;
    for (std::int64_t n = 0; n < images.size(0); ++n) {  // one by one: a layer may be larger than the image
      const Images image = images.narrow(0, n, 1), base = from.narrow(0, n, 1);
      const Tensor seen = ask_in_parts(model, image, [&](const M& m, const Images& part, const auto&) {
        return output_of(m, part, at).detach().to(part.device());
      });
      const Tensor maps = cam.maps(seen, image, at);
      const Tensor scores =
          average(
              {.images = maps.size(1), .micro_batch = execution_of(model, image).micro_batch},
              [&](const std::vector<Variant>& channels) {
                const auto count = std::int64_t(channels.size());
                const Tensor mask = masks(maps.narrow(1, channels.front().image, count), image);
                const std::vector<std::int64_t> rows(channels.size(), n);
                return evaluate(select(subject.objective, rows), model, base + mask * (image - base));
              },
              subject.report.part(n, 1, images.size(0)))
              .mean;
      sums.push_back((torch::softmax(scores, 0).view({1, -1, 1, 1}) * maps).sum(1, true));
      subject.report(n + 1, images.size(0));
    }
    return cam.finished(torch::cat(sums), images);
  }

 private:
  detail::ClassActivation its() const { return {"ScoreCAM", layer, relu, upsample, layout}; }

  /// Channels 1×C×h×w as masks C×1×H×W in [0, 1].
  static Tensor masks(const Tensor& channels, const Images& image) {
    const Tensor large = resize(channels, image.size(2), image.size(3)).transpose(0, 1);
    const Tensor least = large.amin({2, 3}, true), range = large.amax({2, 3}, true) - least;
    return torch::where(range > 0, (large - least) / range, torch::zeros_like(large));
  }
};

}  // namespace pellucid
