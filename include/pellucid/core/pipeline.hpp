#pragma once
#include <algorithm>
#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <pellucid/core/subject.hpp>

namespace pellucid {

struct TopClass;

/// A stage that says what it takes and gives: `takes<S>` (a bool) and `Gives<S>` (a type), for a subject S.
template <class Stage>
concept DeclaredStage = requires {
  { Stage::template takes<Undeclared> } -> std::convertible_to<bool>;
  typename Stage::template Gives<Undeclared>;
};

namespace detail {

template <class Stage, class S>
struct Outcome {
  using type = Undeclared;
};
template <DeclaredStage Stage, class S>
struct Outcome<Stage, S> {
  using type = typename Stage::template Gives<S>;
};
template <class Stage, class S>
using OutcomeOf = typename Outcome<Stage, S>::type;

template <class Stage, class S>
constexpr bool accepts() {
  if constexpr (!DeclaredStage<Stage> || std::same_as<S, Undeclared>) {
    return true;
  } else {
    return Stage::template takes<S>;
  }
}

/// How many of the stages in it ask the model, and so take the time that progress tells of.
template <class Stage>
constexpr std::int64_t work() {
  if constexpr (requires { std::integral_constant<std::int64_t, Stage::work>{}; }) {
    return Stage::work;
  } else {
    return 0;
  }
}

/// What a stage is probed with: the subject that begins a pipeline, or nothing known for a stage from the
/// middle.
template <class Stage>
using ProbeFor = std::conditional_t<accepts<Stage, Subject<TopClass>>(), Subject<TopClass>, Undeclared>;

}  // namespace detail

namespace detail {

/// What a pipeline gives back: its images in LibTorch's own order in memory, whatever the model's is.
template <class Result>
Result given_back(Result result) {
  const auto in_order = [](Tensor& images) {
    if (images.defined()) images = images.contiguous();
  };
  if constexpr (requires { in_order(result.images); }) in_order(result.images);
  if constexpr (requires { in_order(result.original); }) in_order(result.original);
  if constexpr (requires { in_order(result.synthesized); }) in_order(result.synthesized);
  return result;
}

}  // namespace detail

/// Whether `left | right` can work, as far as the two have declared themselves.
template <class Left, class Right>
concept Fits = detail::accepts<Right, detail::OutcomeOf<Left, detail::ProbeFor<Left>>>();

template <class Left, class Right>
class Pipeline;

/// The base of everything that `|` composes. One operator for all, found through this base.
struct Composable {
  /// The two stages, one after the other: a Pipeline, which is a stage again.
  template <class Left, class Right>
  friend constexpr auto operator|(Left left, Right right) {
    static_assert(std::is_class_v<Left> && std::is_class_v<Right>,
                  "One side of | is not a stage: a stage is a callable that takes a model and a subject and "
                  "returns a subject, such as pellucid::Attribution<Method> or a lambda.");
    static_assert(
        Fits<Left, Right>,
        "These two stages do not fit: the stage on the right of | cannot take what the stage on the "
        "left gives (both are named in this message).");
    return Pipeline<Left, Right>(std::move(left), std::move(right));
  }
};

/// The base of a stage `Self`, which has a member `run(model, subject)`. Calling a stage on a model and
/// images begins with them; calling it on a model and a subject goes on from there.
template <class Self>
struct Stage : Composable {
  /// Runs on images N×…, about an objective (left out: the top class), telling a callback how far it is.
  template <class M, class Objective = TopClass, class Callback = Silent>
  auto operator()(const M& model, const Images& images, const Objective& objective = {},
                  Callback&& callback = {}) const {
    static_assert(
        Model<M>,
        "This is not a model: a model is a callable that takes images (a torch::Tensor) and returns "
        "scores (a torch::Tensor); pellucid::adapt() makes one of a module or a function. Its call operator "
        "is const (no mutable lambda; capture a torch::jit::Module by reference).");
    static_assert(
        ProgressCallback<std::remove_reference_t<Callback>>,
        "This is not a progress callback: it takes a const pellucid::Progress& and returns nothing, or "
        "a bool where false cancels the work.");
    static_assert(
        ObjectiveOf<Objective, M>,
        "This is not an objective: an objective is one of pellucid's (TopClass, Class, Channel, ...), a "
        "struct with a member `layer` and a const member of(output), or a callable that takes a model and "
        "images and returns one number per image.");
    if constexpr (Model<M> && ProgressCallback<std::remove_reference_t<Callback>> &&
                  ObjectiveOf<Objective, M>) {
      return whole(model, begin(model, images, objective, callback));
    }
  }

  /// Goes on from a subject; or, for a pipeline that begins with an optimizer, begins with nothing but an
  /// objective.
  template <class M, class S>
  requires(!std::derived_from<S, Tensor>) auto operator()(const M& model, S given) const {
    if constexpr (ObjectiveOf<S, M>) {
      Silent nobody;
      return from_nothing(model, given, nobody);
    } else {
      constexpr bool taken = detail::accepts<Self, S>();
      static_assert(taken,
                    "This stage cannot take what it is given: it needs what an earlier stage of the pipeline "
                    "finds, such as an attribution; put that stage before it. (SavePng writes a Picture: put "
                    "Overlay{} between it and an attribution.)");
      if constexpr (taken) return static_cast<const Self&>(*this).run(model, std::move(given));
    }
  }

  /// Begins with nothing but an objective, telling a callback how far it is.
  template <class M, class Objective, class Callback>
  requires(ObjectiveOf<Objective, M> && !std::convertible_to<Objective, Tensor>) auto operator()(
      const M& model, const Objective& objective, Callback&& callback) const {
    return from_nothing(model, objective, callback);
  }

 private:
  template <class M, class Objective, class Callback>
  auto from_nothing(const M& model, const Objective& objective, Callback& callback) const {
    constexpr bool begins = requires {
      static_cast<const Self&>(*this).start(model, objective);
    };
    static_assert(
        begins,
        "Images are missing: only a pipeline that begins with pellucid::Optimizer makes them; give them "
        "between the model and the objective.");
    if constexpr (begins)
      return whole(model,
                   begin(static_cast<const Self&>(*this).start(model, objective), objective, callback));
  }

  /// The whole pipeline, from its beginning.
  template <class M, class S>
  auto whole(const M& model, S subject) const {
    if constexpr (requires { (*this)(model, std::move(subject)).report.silence(); }) {
      auto result = (*this)(model, std::move(subject));
      result.report.silence();  // the callback may live no longer than this call
      return detail::given_back(std::move(result));
    } else {
      return (*this)(model, std::move(subject));
    }
  }
};

/// Two stages, one after the other; itself a stage.
template <class Left, class Right>
class Pipeline : public Stage<Pipeline<Left, Right>> {
 public:
  template <class S>
  static constexpr bool takes =
      detail::accepts<Left, S>() && detail::accepts<Right, detail::OutcomeOf<Left, S>>();
  template <class S>
  using Gives = detail::OutcomeOf<Right, detail::OutcomeOf<Left, S>>;

  static constexpr std::int64_t work = detail::work<Left>() + detail::work<Right>();

  /// `left | right` makes it.
  constexpr Pipeline(Left left, Right right) : left_(std::move(left)), right_(std::move(right)) {}

  /// The images that a pipeline which begins with an optimizer begins with.
  template <class M, class O>
  requires requires(const Left& left, const M& model, const O& objective) { left.start(model, objective); }
  Images start(const M& model, const O& objective) const { return left_.start(model, objective); }

  template <class M, class S>
  auto run(const M& model, S subject) const {
    using Middle = std::invoke_result_t<const Left&, const M&, S>;
    constexpr bool fits = accepts<M, Middle>();
    static_assert(fits || !is_a_method<Left, Middle>(),
                  "The left side of | is a method and no stage: write pellucid::Attack<Method>(...) or "
                  "pellucid::Attribution<Method>(...).");
    static_assert(
        fits,
        "These two stages do not fit: the stage on the right of | cannot take what the stage on the "
        "left gives (both are named in this message).");
    if constexpr (fits && requires { subject.report; }) {
      // Each of the two tells of its share of the work.
      constexpr std::int64_t left = detail::work<Left>(), all = std::max<std::int64_t>(work, 1);
      const auto report = subject.report;
      subject.report = report.part(0, left, all);
      auto middle = left_(model, std::move(subject));
      if (left > 0) report(left, all);
      if constexpr (requires { middle.report = report; }) middle.report = report.rest(left, all);
      return right_(model, std::move(middle));
    } else if constexpr (fits) {
      return right_(model, left_(model, std::move(subject)));
    }
  }

 private:
  /// Whether a struct of options that gives this is a method: it finds something out about a subject, and
  /// hands none on.
  template <class Side, class Found>
  static constexpr bool is_a_method() {
    constexpr bool attacks = requires(const Found& found) {
      found.images;
    };
    constexpr bool explains = requires(const Found& found) {
      found.attribution;
    };
    return std::is_aggregate_v<Side> && !std::derived_from<Side, Composable> && !AboutImages<Found> &&
           (attacks || explains || std::convertible_to<Found, Tensor>);
  }

  /// A stage that has declared itself is asked; a lambda is tried.
  template <class M, class Middle>
  static constexpr bool accepts() {
    if constexpr (DeclaredStage<Right>) {
      return detail::accepts<Right, Middle>();
    } else {
      return std::invocable<const Right&, const M&, Middle>;
    }
  }

  Left left_;
  Right right_;
};

}  // namespace pellucid
