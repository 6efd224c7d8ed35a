#pragma once
#include <cmath>
#include <string>
#include <variant>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>

namespace pellucid {

/// Plain gradient ascent: x ← x + rate · g
struct PlainUpdate {
  struct State {};

  void check() const {}

  Tensor step(const Tensor& gradient, const Tensor& rate, State&) const { return gradient * rate; }
};

/// Ascent with momentum: v ← momentum · v + rate · g;  x ← x + v
struct Momentum {
  double momentum = 0.9;  ///< 0 or more, below 1

  struct State {
    Tensor velocity{};
  };

  void check() const {
    if (!(momentum >= 0 && momentum < 1))
      throw Error("Momentum: " + std::to_string(momentum) + " was given; give 0 or more, below 1");
  }

  Tensor step(const Tensor& gradient, const Tensor& rate, State& state) const {
    const Tensor step = gradient * rate;
    state.velocity = state.velocity.defined() ? state.velocity * momentum + step : step;
    return state.velocity;
  }
};

/// Adam: x ← x + rate · m̂ / (√v̂ + ε), with m and v the running means of g and g², corrected for their start.
///
/// Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015.
struct Adam {
  double beta1 = 0.9;     ///< β₁, of the mean of g: 0 or more, below 1
  double beta2 = 0.999;   ///< β₂, of the mean of g²: 0 or more, below 1
  double epsilon = 1e-8;  ///< ε, above 0

  struct State {
    Tensor mean{};
    Tensor square{};
    double decay1 = 1;  ///< β₁ to the power of the steps made
    double decay2 = 1;
  };

  void check() const {
    for (const double beta : {beta1, beta2})
      if (!(beta >= 0 && beta < 1))
        throw Error("Adam: a beta of " + std::to_string(beta) + " was given; give 0 or more, below 1");
    if (!(epsilon > 0)) throw Error("Adam: epsilon is " + std::to_string(epsilon) + "; give more than 0");
  }

  Tensor step(const Tensor& gradient, const Tensor& rate, State& state) const {
    if (!state.mean.defined()) {
      state.mean = torch::zeros_like(gradient);
      state.square = torch::zeros_like(gradient);
    }
    state.mean.mul_(beta1).add_(gradient, 1 - beta1);
    state.square.mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
    state.decay1 *= beta1;
    state.decay2 *= beta2;
    const Tensor mean = state.mean / (1 - state.decay1);
    return mean * rate / ((state.square / (1 - state.decay2)).sqrt_().add_(epsilon));
  }
};

/// How the gradient becomes a step.
using Update = std::variant<PlainUpdate, Momentum, Adam>;

/// An update in the course of a run.
class Updating {
 public:
  /// Begins without a step.
  explicit Updating(const Update& update) : update_(update) { restart(); }

  /// Forgets the steps made.
  void restart() {
    std::visit([&](const auto& kind) { state_ = typename std::remove_cvref_t<decltype(kind)>::State{}; },
               update_);
  }

  /// What is added to x.
  Tensor step(const Tensor& gradient, const Tensor& rate) {
    return std::visit(
        [&](const auto& kind) {
          using State = typename std::remove_cvref_t<decltype(kind)>::State;
          return kind.step(gradient, rate, std::get<State>(state_));
        },
        update_);
  }

 private:
  Update update_;
  std::variant<PlainUpdate::State, Momentum::State, Adam::State> state_{};
};

}  // namespace pellucid
