#pragma once
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/attack/step.hpp>
#include <pellucid/core/pipeline.hpp>
#include <pellucid/model/predict.hpp>
#include <pellucid/objective/objective.hpp>
#include <pellucid/objective/top_class.hpp>

namespace pellucid {

/// What an attack method gives: the images changed, in [0, 1], and how it went. A method of your own may
/// leave out all but the images.
struct Adversarial {
  Images images{};                      ///< the changed ones, in the place of the given ones
  std::vector<std::int64_t> unmoved{};  ///< rows whose gradient is zero everywhere: no way to go was found
  std::vector<std::vector<AttackStep>> steps{};  ///< of each image: its table, whose last row is about
                                                 ///< `images`
  std::vector<Passes> passes{};                  ///< of each image
  std::vector<std::optional<double>> minimal_epsilon{};  ///< of each image, by methods that look for it: the
                                                         ///< smallest ε found that reaches the aim, if any
};

/// What an attack did to a subject, whose images are now the changed ones.
struct AttackRecord {
  Images original{};                    ///< the images as they were
  std::vector<std::int64_t> labels{};   ///< of each image: the class to get away from
  std::vector<Prediction> before{};     ///< what the model said of each image…
  std::vector<Prediction> after{};      ///< …and what it says now
  std::vector<std::int64_t> unmoved{};  ///< rows for which no way to go was found: the gradient is zero
                                        ///< everywhere (a saturated score, a ReLU that is off). They are as
                                        ///< they were, or where a random start put them
  std::vector<std::vector<AttackStep>> steps{};  ///< of each image: what the model said step by step
  std::vector<Passes> passes{};  ///< of each image, that which settles the label (TopClass) included; empty
                                 ///< for a method that does not count
  std::vector<std::optional<double>> minimal_epsilon{};  ///< of each image, by `MinimalEpsilon`
};

/// A subject that was attacked.
template <class S>
using Attacked = Adding<S, AttackRecord>;

/// A method of attack: an aggregate of its options, callable with a model and a subject about a class (the
/// label to get away from), that gives Adversarial images. A member `check()`, where it has one, is called
/// when the stage is made, and throws Error on options out of range.
template <class Method>
concept AttackMethod = std::copy_constructible<Method> &&
    requires(const Method& method, Tensor (*const& model)(const Images&), const Subject<Class>& subject) {
  { method(model, subject) } -> std::same_as<Adversarial>;
};

/// "values from … to …" for images that lie outside of [0, 1] by more than rounding, which no attack starts
/// from; "" for pixels.
inline std::string values_beyond_pixels(const Images& images) {
  constexpr double rounding = 0.01;
  const double least = images.min().item<double>(), most = images.max().item<double>();
  if (least >= -rounding && most <= 1 + rounding) return "";
  return c10::str("values from ", least, " to ", most);
}

namespace detail {

/// The table of a method that keeps none: the images before and behind it, and how far they went (L∞).
template <class M>
std::vector<std::vector<AttackStep>> table_of_ends(const M& model, const Class& label, const Images& before,
                                                   const Images& after) {
  const Aim aim{.label = label.label};
  std::vector<std::vector<AttackStep>> table;
  for (const AttackStep& step : aim.steps(probabilities_of(model, before))) table.push_back({step});
  const Tensor way = largest_magnitudes(after - before);
  const std::vector<AttackStep> last = aim.steps(probabilities_of(model, after));
  for (std::size_t row = 0; row < table.size(); ++row) {
    table[row].push_back(last[row]);
    table[row].back().step = 1;
    table[row].back().epsilon = way[std::int64_t(row)].template item<double>();
  }
  return table;
}

/// Refuses images that are no pixels: an attack would take the way into [0, 1] for its own change.
inline void check_pixels(const Images& images) {
  if (const std::string range = values_beyond_pixels(images); !range.empty())
    throw Error(
        "images: " + range +
        " were given; an attack clamps to [0, 1] (bytes: .to(torch::kFloat) / 255; normalised images: "
        "give pixels, and mean and std to adapt())");
}

/// Refuses what a method gives in another number or shape than the images have.
inline void check_found(const Adversarial& found, const Images& images) {
  if (!found.images.defined() || found.images.sizes() != images.sizes())
    throw Error(c10::str("the attack gives ",
                         found.images.defined() ? c10::str("images ", found.images.sizes()) : "no images",
                         " for images ", images.sizes(), "; it must give as many of the same shape"));
  if (!all_finite(found.images)) {
    const std::int64_t bad = found.images.numel() - found.images.isfinite().sum().item<std::int64_t>();
    throw Error(c10::str("the attack gives images in which ", bad, " of ", found.images.numel(),
                         " values are NaN or infinite; finite values in [0, 1] are expected"),
                Fault::failure);
  }
  const auto each = [&](const char* what, std::size_t given) {
    if (given != 0 && given != std::size_t(images.size(0)))
      throw Error("the attack gives " + std::to_string(given) + " " + what + " for " +
                  std::to_string(images.size(0)) + " images; give one for each, or none");
  };
  each("tables", found.steps.size());
  each("counts of passes", found.passes.size());
  each("smallest epsilons", found.minimal_epsilon.size());
  for (std::size_t row = 0; row < found.steps.size(); ++row)
    if (found.steps[row].empty())
      throw Error("the attack gives an empty table for image " + std::to_string(row) +
                  "; its last row is about the attacked image (or give no tables at all)");
}

}  // namespace detail

/// The stage that attacks: puts images close by, which the model gets wrong, in the place of the images.
///
/// The objective is the label to get away from: a Class, or TopClass (left out), what the model says. A later
/// stage asks about the same objective: TopClass is then what the model says of the attacked images.
///
///   auto fooled = Attack<FGSM>({.epsilon = 4.0 / 255});
///   Images changed = fooled(model, images, Class{207}).images;
///
/// Throws Error on images that are none (`check_images`) or lie outside [0, 1] by more than 0.01, on a label
/// that the model does not have, and where the method gives other images than it was given, in number or in
/// shape, or NaN, or overwrites those that it was given.
template <class Method>
class Attack : public Stage<Attack<Method>> {
  using AnyModel = Tensor (*)(const Images&);
  static constexpr bool copies = std::copy_constructible<Method>;
  static_assert(copies, "This method cannot be copied: a stage keeps a copy of it.");
  static_assert(
      !copies || detail::Asked<Method, AnyModel>,
      "This is not an attack method: a method is a struct of options with a const call operator that "
      "takes a model and a subject and returns pellucid::Adversarial images.");
  static_assert(
      !copies || !detail::OnlyMutable<Method, AnyModel>,
      "The call operator of this method is not const: write `operator()(const M& model, const S& subject) "
      "const`.");
  static_assert(
      !copies || !detail::Asked<const Method, AnyModel> || AttackMethod<Method>,
      "The call operator of this method returns something else than pellucid::Adversarial: give the "
      "images that it found as Adversarial{images}.");

 public:
  template <class S>
  static constexpr bool takes = AboutImages<S>;
  template <class S>
  using Gives = Attacked<S>;
  static constexpr std::int64_t work = 1;

  Attack() : Attack(Method{}) {}
  /// Throws Error on options out of range.
  explicit Attack(Method method) : method_(std::move(method)) {
    if constexpr (requires { method_.check(); }) method_.check();
  }

  template <class M, class S>
  Attacked<S> run(const M& model, S subject) const {
    detail::check_pixels(subject.images);
    const auto label = resolve(subject.objective, model, subject.images);
    constexpr bool asks_about_a_class = std::same_as<std::remove_cvref_t<decltype(label)>, Class>;
    static_assert(asks_about_a_class,
                  "An attack asks about a class: give pellucid::Class (the label to get away from) or "
                  "pellucid::TopClass as the objective.");
    const Subject settled = subject.about(label, subject.report.part(0, 1, 1));
    const detail::Untouched images(subject.images);
    Adversarial found = method_(model, settled);
    images.check("the attack");
    detail::check_found(found, subject.images);
    if (found.steps.empty()) found.steps = detail::table_of_ends(model, label, subject.images, found.images);
    AttackRecord record{.original = std::move(subject.images),
                        .unmoved = std::move(found.unmoved),
                        .steps = std::move(found.steps),
                        .passes = std::move(found.passes),
                        .minimal_epsilon = std::move(found.minimal_epsilon)};
    for (std::size_t row = 0; row < record.steps.size(); ++row)
      record.labels.push_back(label.label.of(std::int64_t(row)));
    constexpr bool asked = !std::same_as<decltype(subject.objective), Class>;  // what it says, in one pass
    for (Passes& passes : record.passes) passes.forward += asked;
    for (const std::vector<AttackStep>& table : record.steps) {
      record.before.push_back({table.front().predicted, table.front().probability});
      record.after.push_back({table.back().predicted, table.back().probability});
    }
    subject.images = std::move(found.images);
    subject.report(1, 1);
    return add(std::move(subject), std::move(record));
  }

 private:
  Method method_;
};

}  // namespace pellucid
