#pragma once
#include <concepts>
#include <cstdint>
#include <utility>
#include <vector>

#include <pellucid/core/pipeline.hpp>
#include <pellucid/model/predict.hpp>
#include <pellucid/objective/objective.hpp>
#include <pellucid/objective/top_class.hpp>

namespace pellucid {

/// What an attack method gives: the images changed, in [0, 1].
struct Adversarial {
  Images images{};
  std::vector<std::int64_t> unmoved{};  ///< rows whose gradient is zero everywhere: no way to go was found
};

/// What an attack did to a subject, whose images are now the changed ones.
struct AttackRecord {
  Images original{};                    ///< the images as they were
  std::vector<Prediction> before{};     ///< what the model said of each image…
  std::vector<Prediction> after{};      ///< …and what it says now
  std::vector<std::int64_t> unmoved{};  ///< rows left as they were: their gradient is zero everywhere (a
                                        ///< saturated score, a ReLU that is off)
};

/// A subject that was attacked.
template <class S>
using Attacked = Adding<S, AttackRecord>;

/// A method of attack: an aggregate of its options, callable with a model and a subject about a class (the
/// label to get away from), that gives Adversarial images.
template <class Method>
concept AttackMethod = std::copy_constructible<Method> &&
    requires(const Method& method, Tensor (*const& model)(const Images&), const Subject<Class>& subject) {
  { method(model, subject) } -> std::same_as<Adversarial>;
};

/// The stage that attacks: puts images close by, which the model gets wrong, in the place of the images.
///
/// The objective is the label to get away from: a Class, or TopClass (left out), what the model says. A later
/// stage asks about the same objective: TopClass is then what the model says of the attacked images.
template <class Method>
class Attack : public Stage<Attack<Method>> {
  static_assert(
      AttackMethod<Method>,
      "This is not an attack method: a method is a struct of options with a const call operator that "
      "takes a model and a subject and returns pellucid::Adversarial images.");

 public:
  template <class S>
  static constexpr bool takes = AboutImages<S>;
  template <class S>
  using Gives = Attacked<S>;
  static constexpr std::int64_t work = 1;

  Attack() : Attack(Method{}) {}
  explicit Attack(Method method) : method_(std::move(method)) {
    if constexpr (requires { method_.check(); }) method_.check();
  }

  template <class M, class S>
  Attacked<S> run(const M& model, S subject) const {
    const auto label = resolve(subject.objective, model, subject.images);
    constexpr bool asks_about_a_class = std::same_as<std::remove_cvref_t<decltype(label)>, Class>;
    static_assert(asks_about_a_class,
                  "An attack asks about a class: give pellucid::Class (the label to get away from) or "
                  "pellucid::TopClass as the objective.");
    const Subject settled = subject.about(label, subject.report.part(0, 1, 1));
    AttackRecord record{.original = subject.images, .before = best(model, subject.images)};
    Adversarial found = method_(model, settled);
    subject.images = std::move(found.images);
    record.unmoved = std::move(found.unmoved);
    record.after = best(model, subject.images);
    subject.report(1, 1);
    return add(std::move(subject), std::move(record));
  }

 private:
  template <class M>
  static std::vector<Prediction> best(const M& model, const Images& images) {
    std::vector<Prediction> result;
    for (const auto& ranked : predict(model, images)) result.push_back(ranked.at(0));
    return result;
  }

  Method method_;
};

}  // namespace pellucid
