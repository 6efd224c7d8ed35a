#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <pellucid/attribution/methods/smoothed.hpp>
#include <pellucid/check/pixels.hpp>
#include <pellucid/objective/average_over.hpp>
#include <pellucid/objective/top_class.hpp>

namespace pellucid {

/// How infidelity() draws its changes.
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
                         ///< is what a map of nothing gets. NaN where there is nothing to explain: the
                         ///< objective does not change at all, or the image is of one colour, so that σ = 0
};

/// Infidelity: does the attribution predict how the objective changes when the image does?
///   E[(IᵀA − Δ)²],   I ~ N(0, σ²),   Δ = S(x) − S(x − I),   σ = noise · (max x − min x)
/// over n draws of I, the same for all attributions of an image. 0 for a linear model and its gradient. Ask
/// about what was explained (the score). An attribution N×1×h×w counts for each channel of its pixel.
///
/// Takes n + 1 forward passes an image. Throws Error for an attribution of another shape, and where the
/// objective is NaN or infinite.
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
  const Tensor a = detail::at_size_of(x, attribution).expand_as(x).to(x.device(), torch::kDouble);

  const Tensor here = average_over(model, subject, {}, as_it_is(subject), [](const M& m, const auto& part) {
                        return detail::answers(m, part);
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
    const Tensor there = detail::answers(m, part).to(torch::kDouble);
    return torch::stack({predicted, here.index_select(0, rows) - there}, 1);
  };
  const Tensor pairs =  // N×n×2: IᵀA and Δ
      ask_about_each(model, subject, options.samples, noisy.copies(subject), ask).to(torch::kCPU);
  const Tensor flat = (x.flatten(1).amax(1) == x.flatten(1).amin(1)).to(torch::kCPU);
  const Tensor predicted = pairs.select(2, 0);
  const Tensor actual = pairs.select(2, 1).masked_fill(flat.unsqueeze(1), 0);  // where σ = 0, Δ is rounding

  const Tensor square = predicted.square().mean(1);
  const Tensor beta =
      torch::where(square > 0, (predicted * actual).mean(1) / square, torch::zeros_like(square));
  Infidelity result;
  result.value = (predicted - actual).square().mean(1);
  result.scaled = (beta.unsqueeze(1) * predicted - actual).square().mean(1);
  result.unexplained = result.scaled / actual.square().mean(1);
  return result;
}

}  // namespace pellucid
