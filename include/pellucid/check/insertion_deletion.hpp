#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <pellucid/attribution/baseline.hpp>
#include <pellucid/check/pixels.hpp>
#include <pellucid/objective/average_over.hpp>
#include <pellucid/objective/probability.hpp>

namespace pellucid {

/// How insertion_deletion() takes pixels away.
struct CurveOptions {
  std::int64_t steps = 50;                ///< at least 1; never more than there are pixels
  PixelRank rank = PixelRank::magnitude;  ///< which pixels come first
  Baseline deleted = Baseline::mean();    ///< what a deleted pixel becomes
  std::optional<Baseline> canvas{};       ///< what pixels are inserted on; left out: the image blurred by 10
                                          ///< pixels, and black where the images are not N×C×H×W

  void check() const {
    if (steps < 1)
      throw Error("CurveOptions: steps is " + std::to_string(steps) + "; at least 1 is needed (50 is usual)");
  }
};

/// The objective of each image while its pixels come and go.
struct Curves {
  Tensor fractions{};       ///< of the pixels, steps+1, from 0 to 1
  Tensor insertion{};       ///< N×(steps+1): with this fraction, those that count most, on the canvas
  Tensor deletion{};        ///< N×(steps+1): without it
  Tensor insertion_area{};  ///< N: under the curve; large is good
  Tensor deletion_area{};   ///< N: small is good
};

/// Insertion and deletion curves: what the model says while the pixels that an attribution ranks highest come
/// first, or go first,
///   insertion(f) = S(x where the pixel's rank < f·P, canvas elsewhere)
///   deletion(f) = S(deleted where the pixel's rank < f·P, x elsewhere),   P pixels
/// and the areas under both (trapezoids). Of a good map the first pixels make the answer, and their loss
/// destroys it. The objective is best the probability of the class (left out: of the class that the model
/// says), so that areas lie in [0, 1]. Of equal pixels the one further up and left comes first.
///
/// attribution: N×C×H×W, N×1×H×W or a smaller N×1×h×w of the images at the size that the model sees. Takes
/// 2·steps + 1 forward passes an image. Throws Error for an attribution of another shape, and where the
/// objective is NaN or infinite.
///
/// Petsiuk, Das & Saenko, "RISE: randomized input sampling for explanation of black-box models", 2018.
template <Model M, class Objective = Probability, class Callback = Silent>
Curves insertion_deletion(const M& model, const Images& images, const Tensor& attribution,
                          const Objective& objective = {}, const CurveOptions& options = {},
                          Callback&& callback = {}) {
  options.check();
  const torch::NoGradGuard no_grad;
  const Subject begun = begin(model, images, objective, callback);
  const Subject subject = begun.about(resolve(objective, model, begun.images), begun.report);
  const Images& x = subject.images;
  detail::check_attribution(attribution, x, "insertion_deletion");

  const Tensor order = std::get<1>(
      torch::sort(detail::of_pixels(detail::at_size_of(x, attribution), options.rank).to(torch::kDouble),
                  /*stable=*/true, /*dim=*/1, /*descending=*/true));
  const Tensor rank = std::get<1>(order.sort(1)).to(x.device());
  const std::int64_t pixels = rank.size(1), steps = std::min(options.steps, pixels);
  const auto count = [&](std::int64_t step) { return (step * pixels + steps / 2) / steps; };

  const Tensor deleted = options.deleted.of(subject);
  const Tensor canvas = options.canvas ? options.canvas->of(subject)
                                       : (x.dim() == 4 ? Baseline::blur() : Baseline::black()).of(subject);
  // Sample k ≤ steps: without the first count(k) pixels; behind, with the first 0 … count(steps − 1). With
  // all of them it is the image itself, which deletion begins with.
  const auto make = [&](const std::vector<Variant>& variants) {
    std::vector<Tensor> rows;
    for (const Variant& v : variants) {
      const bool deletes = v.sample <= steps;
      const std::int64_t first = count(deletes ? v.sample : v.sample - steps - 1);
      Tensor chosen = rank[v.image] < first;
      if (x.dim() > 2) chosen = chosen.view(x.sizes().slice(2)).unsqueeze(0);
      rows.push_back(deletes ? torch::where(chosen, deleted[v.image], x[v.image])
                             : torch::where(chosen, x[v.image], canvas[v.image]));
    }
    return torch::stack(rows);
  };
  const Tensor values =
      ask_about_each(model, subject, 2 * steps + 1, make,
                     [](const M& m, const auto& part, const auto&) { return detail::answers(m, part); });

  Curves curves;
  std::vector<double> fractions;
  for (std::int64_t step = 0; step <= steps; ++step)
    fractions.push_back(double(count(step)) / double(pixels));
  curves.fractions = torch::tensor(fractions, torch::kDouble);
  const Tensor known = values.to(torch::kCPU, torch::kDouble);
  curves.deletion = known.narrow(1, 0, steps + 1);
  curves.insertion = torch::cat({known.narrow(1, steps + 1, steps), known.narrow(1, 0, 1)}, 1);
  curves.insertion_area = torch::trapezoid(curves.insertion, curves.fractions, 1);
  curves.deletion_area = torch::trapezoid(curves.deletion, curves.fractions, 1);
  return curves;
}

}  // namespace pellucid
