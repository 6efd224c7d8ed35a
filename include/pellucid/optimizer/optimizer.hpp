#pragma once
#include <concepts>
#include <cstdint>
#include <string>
#include <utility>

#include <pellucid/core/pipeline.hpp>
#include <pellucid/objective/top_class.hpp>
#include <pellucid/optimizer/pixels.hpp>
#include <pellucid/optimizer/regularizer.hpp>
#include <pellucid/optimizer/synthesis.hpp>

namespace pellucid {

/// A subject whose images were synthesised.
template <class S>
using Synthesized = Adding<S, Synthesis>;

namespace detail {
/// Whether the parts of a regularizer that change pixels have pixels to change.
template <class Method, class Parts>
constexpr bool projections_fit() {
  if constexpr (requires { typename Method::Parameterization; }) {
    return !Parts::projects || std::same_as<typename Method::Parameterization, Pixels>;
  } else {
    return true;
  }
}
}  // namespace detail

/// The stage that synthesises images: from nothing, for an objective; or from the images of the subject.
///
///   auto dream = Optimizer<Ascent, Regularizer<L2, Blur>>({.steps = 500}, Regularizer<L2, Blur>());
///   Images seen = dream(model, Channel{"features.28", 42});       // from noise
///   Images more = dream(model, images, Layer{"features.28"});     // from images: DeepDream
///
/// A method is a struct of options with a const call operator (model, subject, regularizer, frame callback,
/// steps between frames) → Synthesis, and, to begin from nothing, a member start(model, objective) → Images.
/// Options are checked here, at construction.
template <class Method, class Parts = Regularizer<>, FrameCallback OnFrame = NoFrames>
class Optimizer : public Stage<Optimizer<Method, Parts, OnFrame>> {
  static_assert(
      detail::projections_fit<Method, Parts>(),
      "These two do not fit: a part of the regularizer changes pixels after each step (such as "
      "pellucid::Blur), and the method has none to change: take Pixels as its parameters, or leave the "
      "part out.");

 public:
  template <class S>
  static constexpr bool takes = AboutImages<S>;
  template <class S>
  using Gives = Synthesized<S>;
  static constexpr std::int64_t work = 1;

  Optimizer() : Optimizer(Method{}) {}
  /// Throws Error on options of the method out of range.
  explicit Optimizer(Method method, Parts regularizer = {})
      : Optimizer(std::move(method), std::move(regularizer), 1, {}) {}

  /// The same optimizer, telling `callback` every `steps` steps how it stands (see Frame).
  template <class F>
  auto every(std::int64_t steps, F callback) const {
    static_assert(
        FrameCallback<F>,
        "This is not a frame callback: it takes a const pellucid::Frame& and returns nothing, or a bool "
        "where false ends the optimization. Its call operator is const (no mutable lambda).");
    if constexpr (FrameCallback<F>) {
      if (steps < 1)
        throw Error("Optimizer: a frame every " + std::to_string(steps) +
                    " steps was asked for; give 1 or more");
      return Optimizer<Method, Parts, F>(method_, regularizer_, steps, std::move(callback));
    }
  }

  /// The images that a synthesis from nothing begins with.
  template <class M, class O>
  Images start(const M& model, const O& objective) const {
    return method_.start(model, objective);
  }

  template <class M, class S>
  Synthesized<S> run(const M& model, S subject) const {
    const Subject settled = subject.about(subject.objective, subject.report.part(0, 1, 1));
    const detail::Untouched images(subject.images);
    Synthesis found = method_(model, settled, regularizer_, on_frame_, every_);
    images.check("the optimizer");
    if (!found.stopped) subject.report(1, 1);
    subject.images = found.synthesized;
    return add(std::move(subject), std::move(found));
  }

  /// The method, with its options.
  const Method& method() const { return method_; }
  /// The regularizer, with its parts.
  const Parts& regularizer() const { return regularizer_; }

 private:
  template <class, class, FrameCallback>
  friend class Optimizer;

  Optimizer(Method method, Parts regularizer, std::int64_t every, OnFrame on_frame)
      : method_(std::move(method)),
        regularizer_(std::move(regularizer)),
        on_frame_(std::move(on_frame)),
        every_(every) {
    if constexpr (requires { method_.check(); }) method_.check();
  }

  Method method_;
  Parts regularizer_;
  OnFrame on_frame_;
  std::int64_t every_;
};

}  // namespace pellucid
