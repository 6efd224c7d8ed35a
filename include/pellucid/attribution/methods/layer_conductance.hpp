#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <pellucid/attribution/baseline.hpp>
#include <pellucid/attribution/layer_values.hpp>
#include <pellucid/core/average.hpp>
#include <pellucid/core/execution.hpp>
#include <pellucid/objective/differentiate.hpp>

namespace pellucid {

/// Conductance: how much of the score flows through each value a of a layer on the straight line γ from a
/// baseline b to the image,
///   A = ∫₀¹ ∂S(γ(t))/∂a · da(γ(t))/dt dt ≈ Σₖ ½ (gₖ + gₖ₊₁)(aₖ₊₁ − aₖ),   γ(t) = b + t (x − b)
/// with a and g = ∂S/∂a at t = k/steps: the trapezoidal rule in a, which needs no derivative along the line
/// and one pass for each point. Complete: for a layer that everything passes, Σ A = S(x) − S(b), whose gap is
/// reported for each image. The sum is exact for any number of steps where S is quadratic in a, whatever lies
/// below; the error falls as 1/steps² where S is smooth in a, and as 1/steps where a ReLU above switches on
/// the way. That is said of the sum: the parts have errors of their own, which may cancel, so
/// that the gap does not bound them. In the layer's shape N×… and in units of score; upsampled: summed over
/// channels, N×1×H×W, the score of a place of the layer at each of the pixels that it is enlarged to, so that
/// their sum is about HW/hw times that of the layer. The gap is the layer's.
///
/// Dhamdhere, Sundararajan & Yan, "How important is a neuron?", 2018; Shrikumar, Su & Kundaje,
/// "Computationally efficient measures of internal neuron importance", 2018, for the form without the
/// derivative.
struct LayerConductance {
  std::string layer{};                    ///< any that can be observed and that the objective depends on
  std::int64_t steps = 50;                ///< of the line, at least 1
  Baseline baseline = Baseline::black();  ///< b
  bool upsample = false;  ///< lay the layer over the image: its channels' sum at each place, N×1×H×W
  LayerLayout layout{};   ///< of the layer's values over the image, for that

  void check() const {
    of().check();
    if (steps < 1)
      throw Error("LayerConductance: steps is " + std::to_string(steps) +
                  "; at least 1 is needed (50 is usual)");
  }

  template <class M, class S>
  Explanation operator()(const M& model, const S& subject) const {
    if constexpr (detail::about_a_layer<S>()) {
      const detail::LayerValues its = of();
      const Tensor from = baseline.of(subject);
      const std::int64_t images = subject.images.size(0), points = steps + 1;
      // `average` asks in order, image by image and sample by sample: what a step begins with is at hand.
      struct Point {
        Tensor output{}, gradient{};
      } before;
      std::vector<double> at_start(std::size_t(images), 0), at_end(at_start);
      const auto ask = [&](const std::vector<Variant>& variants) -> Tensor {
        std::vector<std::int64_t> rows;
        std::vector<Tensor> on_the_way;
        for (const Variant& v : variants) {
          rows.push_back(v.image);
          on_the_way.push_back(
              torch::lerp(from[v.image], subject.images[v.image], double(v.sample) / double(steps)));
        }
        const Images asked = torch::stack(on_the_way);
        const LayerDerivative d = differentiate_at(layer, select(subject.objective, rows), model, asked);
        its.check(d.output, asked);
        Point last = before;
        std::vector<Tensor> flows;
        for (std::size_t i = 0; i < variants.size(); ++i) {
          const Variant& v = variants[i];
          const Point here{d.output[std::int64_t(i)], d.gradient[std::int64_t(i)]};
          flows.push_back(v.sample == 0 ? torch::zeros_like(here.output)
                                        : (last.gradient + here.gradient) * (here.output - last.output) / 2);
          const double value = d.value[std::int64_t(i)].template item<double>();
          if (v.sample == 0) at_start[std::size_t(v.image)] = value;
          if (v.sample == steps) at_end[std::size_t(v.image)] = value;
          last = here;
        }
        before = last;  // only now: memory may run out before, and the same is asked again
        return torch::stack(flows);
      };
      const Tensor flow = points * average({.images = images,
                                            .samples = points,
                                            .micro_batch = execution_of(model, subject.images).micro_batch},
                                           ask, subject.report)
                                       .mean;
      Explanation result = its.finished(flow, subject.images);
      result.completeness_whole =
          torch::tensor(at_end, flow.options()) - torch::tensor(at_start, flow.options());
      result.completeness_gap = flow.flatten(1).sum(1) - result.completeness_whole;
      return result;
    }
  }

 private:
  detail::LayerValues of() const { return {"LayerConductance", layer, upsample, layout}; }
};

}  // namespace pellucid
