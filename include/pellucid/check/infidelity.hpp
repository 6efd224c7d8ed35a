#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <pellucid/attribution/methods/smoothed.hpp>
#include <pellucid/check/pixels.hpp>
#include <pellucid/objective/average_over.hpp>
#include <pellucid/objective/top_class.hpp>

namespace pellucid {

struct InfidelityOptions {
  std::int64_t samples = 100;  ///< n, at least 1
  double noise = 0.02;         ///< σ as a share of the image's range, above 0
  std::uint64_t seed = 0;      ///< the same seed gives the same number

  void check() const {
    detail::Noisy{samples, noise, seed}.check("InfidelityOptions");
    if (noise == 0)
      throw Error(
          "InfidelityOptions: noise is 0, which changes nothing; give a share of the image's range "
          "above it (0.02 is usual)");
  }
};

/// How far an attribution is from telling what changes of the image do to the objective. Each N.
struct Infidelity {
  Tensor value{};  ///< E[(IᵀA − Δ)²], in squares of the objective's unit; 0 is best
  Tensor scaled{};  ///< min_β E[(β IᵀA − Δ)²]: of the best multiple of the attribution, whose unit is then
                    ///< of no account
  Tensor unexplained{};  ///< scaled / E[Δ²], the share of the changes that no multiple explains: 0 is best, 1
                         ///< is what a map of nothing gets. 0 where the objective does not change at all
};

/// Infidelity: does the attribution predict how the objective changes when the image does?
///   E[(IᵀA − Δ)²],   I ~ N(0, σ²),   Δ = S(x) − S(x − I),   σ = noise · (max x − min x)
/// over n draws of I, the same for all attributions of an image. 0 for a linear model and its gradient. Ask
/// about what was explained (the score). An attribution N×1×h×w counts for each channel of its pixel.
///
/// Takes n + 1 forward passes an image. Throws Error for an attribution of another shape.
///
/// Yeh, Hsieh, Suggala, Inouye & Ravikumar, "On the (in)fidelity and sensitivity of explanations", 2019.
template <Model M, class Objective = TopClass, class Callback = Silent>
Infidelity infidelity(const M& model, const Images& images, const Tensor& attribution,
                      const Objective& objective = {}, const InfidelityOptions& options = {},
                      Callback&& callback = {}) {
  options.check();
  const torch::NoGradGuard no_grad;
  const Subject begun = begin(model, images, objective, callback);
  const auto report = begun.report;
  Subject subject =
      begun.about(resolve(objective, model, begun.images), report.part(0, 1, options.samples + 1));
  const Images& x = subject.images;
  detail::check_attribution(attribution, x, "infidelity");
  const Tensor a = detail::at_size_of(x, attribution).expand_as(x).to(torch::kDouble);

  const Tensor here = average_over(model, subject, {}, as_it_is(subject), [](const M& m, const auto& part) {
                        return evaluate(part.objective, m, part.images).detach();
                      }).mean.to(torch::kDouble);
  subject.report = report.rest(1, options.samples + 1);
  // Not the noise that a method of the same seed averaged over.
  const detail::Noisy noisy{options.samples, options.noise, mixed(options.seed)};
  const auto ask = [&](const M& m, const auto& part, const std::vector<Variant>& variants) {
    std::vector<std::int64_t> of;
    for (const Variant& variant : variants) of.push_back(variant.image);
    const Tensor rows = torch::tensor(of, torch::kLong).to(x.device());
    const Tensor change = x.index_select(0, rows).to(torch::kDouble) - part.images.to(torch::kDouble);
    const Tensor predicted = (change * a.index_select(0, rows)).flatten(1).sum(1);
    const Tensor there = evaluate(part.objective, m, part.images).detach().to(torch::kDouble);
    return torch::stack({predicted, here.index_select(0, rows) - there}, 1);
  };
  const Tensor pairs =  // N×n×2: IᵀA and Δ
      ask_about_each(model, subject, options.samples, noisy.copies(subject), ask).to(torch::kCPU);
  const Tensor predicted = pairs.select(2, 0), actual = pairs.select(2, 1);

  const auto share = [](const Tensor& part, const Tensor& whole) {
    return torch::where(whole > 0, part / whole, torch::zeros_like(whole));
  };
  const Tensor beta = share((predicted * actual).mean(1), predicted.square().mean(1));
  Infidelity result;
  result.value = (predicted - actual).square().mean(1);
  result.scaled = (beta.unsqueeze(1) * predicted - actual).square().mean(1);
  result.unexplained = share(result.scaled, actual.square().mean(1));
  return result;
}

}  // namespace pellucid
