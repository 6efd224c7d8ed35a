#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/attribution/attribution.hpp>
#include <pellucid/check/pixels.hpp>
#include <pellucid/check/similarity.hpp>

namespace pellucid {

/// How randomization() shuffles a network.
struct RandomizationOptions {
  std::int64_t steps = 0;  ///< 0: a step for each layer; otherwise no more steps than this, of about as many
                           ///< layers each
  std::uint64_t seed = 0;  ///< the same seed gives the same shuffles
  bool keep = false;       ///< keep the attributions

  void check() const {
    if (steps < 0)
      throw Error("RandomizationOptions: steps is " + std::to_string(steps) +
                  "; give how many there may be, or 0 for one for each layer");
  }
};

/// How much an attribution stays the same while the network loses what it learnt.
struct Randomization {
  std::vector<std::vector<std::string>> layers{};  ///< shuffled in each step, beside those before it: the
                                                   ///< last of the network first
  Tensor rank_correlation{};           ///< N×steps: Spearman's, of the pixels' Σ_c |a_c| before and after;
                                       ///< of a map of another shape (a layer's) of all |a|
  Tensor cosine{};                     ///< N×steps: of the attributions with their signs
  std::vector<Tensor> attributions{};  ///< kept: the network's own, then one for each step
};

namespace detail {

/// The layers, the last first, in no more groups than `steps` of about one size.
inline std::vector<std::vector<std::string>> cascade(const std::vector<std::string>& layers,
                                                     std::int64_t steps) {
  const std::int64_t count = std::int64_t(layers.size());
  const std::int64_t groups = steps == 0 ? count : std::min(steps, count);
  std::vector<std::vector<std::string>> result;
  for (std::int64_t g = 0; g < groups; ++g)
    result.emplace_back(layers.rbegin() + g * count / groups, layers.rbegin() + (g + 1) * count / groups);
  return result;
}

}  // namespace detail

/// The model-randomisation check: a map that shows what the network learnt must change when that is
/// destroyed. Layer by layer, from the last to the first, the values of each weight are put into another
/// order, and the attribution of what was asked about is compared with the network's own: by Spearman's rank
/// correlation of the pixels' magnitudes (of what is bright in the picture) and by the cosine (with signs).
/// Both must fall to about 0; a map that stays shows the image, not the network.
///
///   Randomization r = randomization(GuidedBackprop{}, model, images, Class{281});
///
/// The model is left as it is: a copy is shuffled (see `shuffled` of Adapted). The objective is settled on
/// the model as it was. Running means and variances stay. Runs the method once for each step and once more.
/// Throws Error for a model without weights, and for an attribution that holds NaN or infinity.
///
/// Adebayo, Gilmer, Muelly, Goodfellow, Hardt & Kim, "Sanity checks for saliency maps", 2018 (cascading
/// randomisation, with shuffled weights in the place of new ones).
template <class Method, Model M, class Objective = TopClass, class Callback = Silent>
Randomization randomization(const Method& method, const M& model, const Images& images,
                            const Objective& objective = {}, const RandomizationOptions& options = {},
                            Callback&& callback = {}) {
  static_assert(ShufflableModel<M>,
                "The weights of this model cannot be shuffled: it has no members weighted_layers(images) and "
                "shuffled(layers, seed); pellucid::adapt(), load() and load_script() make models that have.");
  if constexpr (ShufflableModel<M>) {
    options.check();
    if constexpr (requires { method.check(); }) method.check();
    const Subject begun = begin(model, images, objective, callback);
    const std::vector<std::string> layers = model.weighted_layers(begun.images.narrow(0, 0, 1));
    if (layers.empty()) throw Error("randomization: this model has no weights: nothing to shuffle");
    Randomization result{.layers = detail::cascade(layers, options.steps)};
    const std::int64_t passes = std::int64_t(result.layers.size()) + 1;
    const auto settled = resolve(objective, model, begun.images);
    const auto explain = [&](const M& m, std::int64_t pass) {
      const Subject subject = begun.about(settled, begun.report.part(pass, 1, passes));
      Tensor attribution = Explanation(method(m, subject)).attribution.detach();
      detail::check_map(attribution);
      if (options.keep) result.attributions.push_back(attribution);
      begun.report(pass + 1, passes);
      return attribution;
    };
    const auto magnitude = [&](const Tensor& attribution) {
      return detail::magnitudes(attribution, begun.images);
    };

    const Tensor own = explain(model, 0);
    std::vector<Tensor> correlations, cosines;
    std::optional<M> shuffled;
    for (std::size_t step = 0; step < result.layers.size(); ++step) {
      M further = (shuffled ? *shuffled : model).shuffled(result.layers[step], options.seed);
      shuffled.emplace(std::move(further));
      const Tensor now = explain(*shuffled, std::int64_t(step) + 1);
      correlations.push_back(rank_correlation(magnitude(now), magnitude(own)));
      cosines.push_back(cosine_between(now, own));
    }
    result.rank_correlation = torch::stack(correlations, 1);
    result.cosine = torch::stack(cosines, 1);
    return result;
  }
}

}  // namespace pellucid
