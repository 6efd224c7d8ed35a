#pragma once
#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <pellucid/core/subject.hpp>
#include <pellucid/objective/average_over.hpp>
#include <pellucid/objective/differentiate.hpp>
#include <pellucid/optimizer/learning_rate.hpp>
#include <pellucid/optimizer/regularizer.hpp>
#include <pellucid/optimizer/update.hpp>

namespace pellucid {

/// An optimization on its way: what a frame callback is told.
struct Frame {
  std::int64_t step = 0;   ///< how many steps were made
  std::int64_t steps = 0;  ///< of how many
  Images images{};         ///< N×C×H×W in [0, 1]
  Tensor values{};         ///< of the objective for these images, N
};

/// A callable that takes `const Frame&` and returns nothing, or a bool: false ends the optimization, whose
/// result is then that frame.
template <class F>
concept FrameCallback = std::invocable<const F&, const Frame&> &&
    (std::is_void_v<std::invoke_result_t<const F&, const Frame&>> ||
     std::same_as<std::invoke_result_t<const F&, const Frame&>, bool>);

/// The callback of those who want no frames.
struct NoFrames {
  void operator()(const Frame&) const {}
};

/// What an optimizer found.
struct Synthesis {
  Images synthesized{};  ///< N×C×H×W in [0, 1]
  Tensor values{};       ///< of the objective before the first step, … after the last: N×(steps + 1)
  std::vector<std::int64_t> unmoved{};  ///< rows whose objective did not move in the first 50 steps
  bool stopped = false;                 ///< by a callback, before the last step

  /// The images alone.
  operator Images() const { return synthesized; }  // NOLINT: what was synthesised are images
};

/// How a synthesis goes.
template <class Parameters>
struct SynthesisPlan {
  Parameters parameters{};         ///< what of an image is optimised: Pixels, Fourier
  std::int64_t steps = 1;          ///< 1 or more
  LearningRate learning_rate = 1;  ///< how far a step goes
  Update update{};                 ///< how the gradient becomes a step
  std::uint64_t seed = 0;          ///< of what parts of the regularizer draw
  std::int64_t every = 1;          ///< steps between frames
};

namespace detail {

/// Whether the callback lets the work go on.
template <FrameCallback F>
bool shown_to(const F& callback, const Frame& frame) {
  if constexpr (std::is_void_v<std::invoke_result_t<const F&, const Frame&>>) {
    callback(frame);
    return true;
  } else {
    return callback(frame);
  }
}

/// The values N of the objective, and its gradients N×C×H×W where they are wanted, in micro-batches.
template <class M, class S>
Derivative derivative_of(const M& model, const S& subject, bool with_gradient) {
  Derivative found;
  std::vector<Tensor> values;
  found.gradient = average_over(model, subject, {}, as_it_is(subject), [&](const M& m, const auto& part) {
                     if (!with_gradient) {
                       const torch::NoGradGuard no_grad;
                       return values.emplace_back(evaluate(part.objective, m, part.images).detach());
                     }
                     const Derivative of_part = differentiate(part.objective, m, part.images);
                     values.push_back(of_part.value);
                     return of_part.gradient;
                   }).mean;
  found.value = torch::cat(values);
  return found;
}

/// The rows whose values, N×T, stay at their first one.
inline std::vector<std::int64_t> rows_without_change(const Tensor& values) {
  constexpr double rounding = 1e-6;
  std::vector<std::int64_t> rows;
  const Tensor first = values.slice(1, 0, 1);
  const Tensor still = ((values - first).abs() <= first.abs() * rounding).all(1).cpu();
  for (std::int64_t row = 0; row < still.size(0); ++row)
    if (still[row].item<bool>()) rows.push_back(row);
  return rows;
}

}  // namespace detail

/// The one loop behind every optimizer: from the subject's images on, `plan.steps` times
///   bring x within its bounds;  image = parameters.image(x)
///   g = ∂ (objective(shown(image)) − penalty) / ∂x           shown, penalty: of the regularizer
///   x ← after(x + update(rate · g))                          after: of the regularizer
/// It runs the model no further than to the objective's layer. `center` is the mean image, C×1×1.
///
/// A progress callback that says stop, or a frame callback, ends it, and the image so far is the result; it
/// also ends where no row's objective moved in the first 50 steps. Throws Error when the gradient becomes
/// infinite or NaN.
template <class M, class S, class Parameters, class... Parts, FrameCallback F>
Synthesis synthesize(const M& model, const S& subject, const SynthesisPlan<Parameters>& plan,
                     const Tensor& center, const Regularizer<Parts...>& regularizer, const F& on_frame) {
  constexpr std::int64_t patience = 50;
  const detail::Recorded recorded;
  const Parameters& parameters = plan.parameters;
  Updating updating(plan.update);
  Tensor x = parameters.parameters(subject.images, center);
  Synthesis result;
  std::vector<Tensor> values;

  for (std::int64_t step = 0; step <= plan.steps; ++step) {
    x = parameters.bounded(x, center).detach().requires_grad_();
    const bool last = step == plan.steps;
    const Images image = parameters.image(x, center, subject.images.sizes());
    const Step now{.number = step + 1, .seed = plan.seed};
    const Images shown = last ? image : regularizer.shown(image, now);
    result.synthesized = image.detach();
    Derivative found;
    try {
      S asked = subject;
      asked.images = shown.detach();
      asked.report = subject.report.part(step, 1, plan.steps + 1);
      found = detail::derivative_of(model, asked, !last);
      subject.report(step + 1, plan.steps + 1);
    } catch (const Cancelled&) {
      result.stopped = true;
      break;
    }
    values.push_back(found.value);
    if constexpr (!std::same_as<F, NoFrames>)
      if (last || step % plan.every == 0)
        result.stopped =
            !detail::shown_to(on_frame, {step, plan.steps, result.synthesized.clamp(0, 1), found.value});
    if (step == std::min(patience, plan.steps)) {
      result.unmoved = detail::rows_without_change(torch::stack(values, 1));
      if (std::int64_t(result.unmoved.size()) == x.size(0)) break;
    }
    if (last || result.stopped) break;

    // What of the gradient at the shown image reaches x, less the price.
    std::vector<Tensor> ends{shown}, weights{found.gradient};
    if (const Tensor price = regularizer.penalty(parameters.centered(x, image, center)); price.defined()) {
      ends.push_back(price);
      weights.push_back(-torch::ones_like(price));
    }
    const Tensor gradient = torch::autograd::grad(ends, {x}, weights)[0];
    if (!detail::all_finite(gradient))
      throw Error("the gradient became infinite or NaN in step " + std::to_string(step + 1) +
                      ": lower the learning rate (or the weight of a penalty)",
                  Fault::failure);
    const torch::NoGradGuard no_grad;
    if (plan.learning_rate.drops_at(step + 1)) updating.restart();
    x = x.detach() + updating.step(gradient, plan.learning_rate.at(step + 1, gradient));
    x = regularizer.after(x, {.number = step + 1, .gradient = gradient, .seed = plan.seed});
  }
  result.synthesized = result.synthesized.clamp(0, 1);
  if (!values.empty()) result.values = torch::stack(values, 1);
  return result;
}

}  // namespace pellucid
