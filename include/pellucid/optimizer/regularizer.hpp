#pragma once
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

#include <pellucid/optimizer/step.hpp>

namespace pellucid {

/// What keeps a synthesised image natural: any parts, in any order, applied in that order.
///
///   using Natural = Regularizer<L2, Blur, ClipNorm>;
///   Natural({.decay = 1e-4}, {.width = 1.0, .every = 4}, {.percentile = 20})
///
/// A part of your own is an aggregate of its options with a member `after`, `penalty` or `shown` (see
/// Projection, Penalty and Transformation), or several of them.
template <class... Parts>
class Regularizer {
  static_assert(
      (RegularizerPart<Parts> && ...),
      "One of these is not a part of a regularizer: a part is a struct of options with a const member "
      "after(centered, step), penalty(centered) (images with the mean image taken off) or shown(images, "
      "step).");

 public:
  /// Whether some part changes the images after a step.
  static constexpr bool projects = (Projection<Parts> || ...);

  Regularizer() : Regularizer(std::in_place, Parts{}...) {}
  /// Throws Error on options of a part out of range.
  explicit Regularizer(Parts... parts) requires(sizeof...(Parts) > 0)
      : Regularizer(std::in_place, std::move(parts)...) {}

  /// The images that the network is shown.
  Images shown(Images images, const Step& step) const {
    each(
        [&](const auto& part, const Step& own) {
          if constexpr (Transformation<std::remove_cvref_t<decltype(part)>>) images = part.shown(images, own);
        },
        step);
    return images;
  }

  /// The sum of the penalties, N; undefined where no part has one.
  Tensor penalty(const Tensor& centered) const {
    Tensor sum;
    each(
        [&](const auto& part, const Step&) {
          if constexpr (Penalty<std::remove_cvref_t<decltype(part)>>) {
            const Tensor price = part.penalty(centered);
            sum = sum.defined() ? sum + price : price;
          }
        },
        {});
    return sum;
  }

  /// The images after a step.
  Tensor after(Tensor centered, const Step& step) const {
    each(
        [&](const auto& part, const Step& own) {
          if constexpr (Projection<std::remove_cvref_t<decltype(part)>>) centered = part.after(centered, own);
        },
        step);
    return centered;
  }

  /// The same with the prices that nobody gave as they were published for inversions (`part.fitted`).
  Regularizer fitted(const Inverted& inverted) const {
    Regularizer result = *this;
    const auto fit = [&](auto& part) {
      if constexpr (requires { part = part.fitted(inverted); }) part = part.fitted(inverted);
    };
    std::apply([&](Parts&... parts) { (fit(parts), ...); }, result.parts_);
    return result;
  }

  /// The parts, in their order.
  const std::tuple<Parts...>& parts() const { return parts_; }

 private:
  explicit Regularizer(std::in_place_t, Parts... parts) : parts_(std::move(parts)...) {
    each(
        [](const auto& part, const Step&) {
          if constexpr (requires { part.check(); }) part.check();
        },
        {});
  }

  /// Each part with the step as it sees it: what it draws is its own.
  template <class Visit>
  void each(const Visit& visit, const Step& step) const {
    std::uint64_t place = 0;
    const auto one = [&](const auto& part) {
      Step own = step;
      own.seed = mixed(step.seed + ++place);
      visit(part, own);
    };
    std::apply([&](const Parts&... parts) { (one(parts), ...); }, parts_);
  }

  std::tuple<Parts...> parts_{};
};

}  // namespace pellucid
