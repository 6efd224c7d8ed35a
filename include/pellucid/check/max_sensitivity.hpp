#pragma once
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <pellucid/attribution/attribution.hpp>
#include <pellucid/core/noise.hpp>
#include <pellucid/objective/average_over.hpp>

namespace pellucid {

/// How max_sensitivity() draws neighbours of an image.
struct MaxSensitivityOptions {
  double radius = 0.02;       ///< r: no pixel changes by more; above 0
  std::int64_t samples = 10;  ///< n, at least 1
  std::uint64_t seed = 0;     ///< the same seed gives the same number

  void check() const {
    if (!(radius > 0) || !std::isfinite(radius))
      throw Error("MaxSensitivityOptions: radius is " + std::to_string(radius) +
                  "; give the largest change of a pixel, above 0 (0.02 is usual)");
    if (samples < 1)
      throw Error("MaxSensitivityOptions: samples is " + std::to_string(samples) +
                  "; at least 1 is needed (10 is usual)");
  }
};

/// Max-sensitivity: how much the attribution changes, at most, when the image hardly does,
///   max_i ‖A(x + δᵢ) − A(x)‖₂ / ‖A(x)‖₂,   δᵢ uniform in [−r, r] for each value
/// over n draws: N. 0 is best; 1 is a map that changes by as much as itself. The objective is settled on the
/// image; what is random in the method is drawn alike for all, so that only its input differs. Infinite where
/// the attribution is zero everywhere, and that of a neighbour is not.
///
///   Tensor s = max_sensitivity(SmoothGrad{.samples = 20}, model, images, Class{281});
///
/// Runs the method n + 1 times an image. Throws Error for an attribution that holds NaN or infinity.
///
/// Yeh, Hsieh, Suggala, Inouye & Ravikumar, "On the (in)fidelity and sensitivity of explanations", 2019.
template <class Method, Model M, class Objective = TopClass, class Callback = Silent>
Tensor max_sensitivity(const Method& method, const M& model, const Images& images,
                       const Objective& objective = {}, const MaxSensitivityOptions& options = {},
                       Callback&& callback = {}) {
  options.check();
  if constexpr (requires { method.check(); }) method.check();
  const Subject begun = begin(model, images, objective, callback);
  const auto report = begun.report;
  Subject subject =
      begun.about(resolve(objective, model, begun.images), report.part(0, 1, options.samples + 1));
  const Images& x = subject.images;
  const auto explain = [&](const M& m, const auto& part) {
    const Tensor map = Explanation(method(m, part)).attribution.detach();
    detail::check_map(map, part.numbers);
    return map.to(torch::kDouble);
  };
  const Tensor here = explain(model, subject);
  subject.report = report.rest(1, options.samples + 1);

  const auto make = [&](const std::vector<Variant>& variants) {
    const torch::NoGradGuard no_grad;
    std::vector<Tensor> rows;
    for (const Variant& v : variants) {
      const Tensor z =
          gaussian(x.sizes().slice(1), subject.draw(mixed(options.seed), std::size_t(v.image), v.sample));
      // Φ of a normal number is uniform in [0, 1].
      rows.push_back(x[v.image] +
                     torch::special_ndtr(z).mul_(2).sub_(1).mul_(options.radius).to(x.options()));
    }
    return torch::stack(rows);
  };
  const auto ask = [&](const M& m, const auto& part, const std::vector<Variant>& variants) {
    const Tensor there = explain(m, part);  // a method may want its own gradients
    const torch::NoGradGuard no_grad;
    std::vector<Tensor> distances;
    for (std::size_t i = 0; i < variants.size(); ++i)
      distances.push_back((there[std::int64_t(i)] - here[variants[i].image]).norm());
    return torch::stack(distances);
  };
  const Tensor furthest = ask_about_each(model, subject, options.samples, make, ask).amax(1).to(torch::kCPU);
  // 0/0 is no change.
  return torch::where(furthest == 0, torch::zeros_like(furthest),
                      furthest / here.flatten(1).norm(2, 1).cpu());
}

}  // namespace pellucid
