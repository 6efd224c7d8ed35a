#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/attack/attack.hpp>
#include <pellucid/attack/ball.hpp>
#include <pellucid/attack/loss_pass.hpp>

namespace pellucid::detail {

/// The settings of an attack in steps, as its method has settled them.
struct Iterations {
  double epsilon = 0;  ///< radius of the ball
  double step_size = 0;
  std::int64_t steps = 1;
  Norm norm = Norm::infinity;
  std::int64_t restarts = 1;
  bool random_start = false;
  std::uint64_t seed = 0;
  PerImage target{};
  bool stop_early = false;

  void check(const std::string& method) const {
    const auto refuse = [&](const char* what, const auto& given, const std::string& wanted) {
      throw Error(method + ": " + what + " is " + std::to_string(given) + "; " + wanted);
    };
    if (!(epsilon >= 0) || !std::isfinite(epsilon))
      refuse("epsilon", epsilon,
             norm == Norm::two ? "give the length of a change of the whole image, 0 or more"
                               : "give a change per pixel, 0 or more (4/255 is usual)");
    if (steps < 1) refuse("steps", steps, "at least 1 is needed (10 to 40 are usual)");
    if (!(step_size >= 0) || !std::isfinite(step_size))
      refuse("step_size", step_size, "give the length of one step, above 0, or 0 for the method's own");
    if (restarts < 1) refuse("restarts", restarts, "at least 1 is needed");
    if (restarts > 1 && !random_start)
      refuse("restarts", restarts,
             "without a random start all of them go the same way; give 1, or random_start = true");
  }

  /// How far from the original the image may be after a number of steps.
  double reach(std::int64_t step) const {
    return random_start ? epsilon : std::min(epsilon, double(step) * step_size);
  }
};

/// How one attempt at an image went.
struct Attempt {
  std::vector<AttackStep> steps{};
  double gain = -std::numeric_limits<double>::infinity();  ///< how far the loss went the wanted way

  bool reached() const { return !steps.empty() && steps.back().reached; }
  bool better_than(const Attempt& other) const {
    if (other.steps.empty()) return true;
    return reached() != other.reached() ? reached() : gain > other.gain;
  }
  void add(AttackStep step, std::int64_t number, double epsilon, double now) {
    step.step = number;
    step.epsilon = epsilon;
    steps.push_back(step);
    gain = now;
  }
};

/// The one loop behind IFGSM and PGD: from the image, or a random point of its ball, `steps` times
///   x ← into the ball of ε and into [0, 1](x + step_size · the steepest way that the norm knows)
/// (`Ball::step`), `restarts` times over. Of several restarts the best is kept: one that reached the aim,
/// then the one with the highest loss (towards a target: the lowest); of equal ones the first.
///
/// The model says what it thinks of an image in the pass that gives the gradient, so there is one pass more
/// than steps, and for a random start one about the image itself. With `stop_early` an image whose answer is
/// as wished goes no further: its row leaves the batch, and it takes part in no other restart. An image that
/// needs no step is handed back as it is, a random start that needs none as it starts.
template <class M, class S>
Adversarial iterate(const M& model, const S& given, const Iterations& plan) {
  const auto subject = given.about(Aim{given.objective.label, plan.target}, given.report);
  const std::int64_t count = subject.images.size(0), each = plan.steps + 1, first = plan.random_start ? 1 : 0;
  const double direction = subject.objective.direction();
  subject.objective.check(count);
  const Ball ball(subject.images, plan.epsilon, plan.norm);
  Rows everybody(std::size_t(count), 0);
  std::iota(everybody.begin(), everybody.end(), 0);
  std::vector<Passes> passes(everybody.size());
  std::vector<bool> stepped(everybody.size()), had_a_gradient(everybody.size());

  const auto pass = [&](const Images& x, const Rows& rows, std::int64_t number, bool with_gradient) {
    auto part = subject.only(rows);
    part.images = x;
    part.report = subject.report.part(number, 1, first + plan.restarts * each);
    for (const std::int64_t row : rows) {
      ++passes[std::size_t(row)].forward;
      passes[std::size_t(row)].backward += with_gradient;
    }
    LossPass said = loss_pass(model, part, with_gradient);
    subject.report(number + 1, first + plan.restarts * each);
    return said;
  };

  std::vector<Attempt> begun(everybody.size()), kept(everybody.size());
  if (plan.random_start) {
    const LossPass said = pass(subject.images, everybody, 0, false);
    for (std::size_t row = 0; row < begun.size(); ++row) {
      begun[row].add(said.steps[row], 0, 0, direction * said.losses[row]);
      if (plan.stop_early && begun[row].reached()) kept[row] = begun[row];
    }
  }
  Images images = subject.images.clone();
  for (std::int64_t restart = 0; restart < plan.restarts; ++restart) {
    Rows rows;
    for (const std::int64_t row : everybody)
      if (!plan.stop_early || !kept[std::size_t(row)].reached()) rows.push_back(row);
    if (rows.empty()) break;
    const Rows these = rows;
    std::vector<Attempt> attempts = begun;
    Images x = plan.random_start ? ball.start(subject, plan.seed, restart) : subject.images.clone();
    for (std::int64_t step = 0;; ++step) {
      const Images here = of_rows(x, rows);
      const LossPass said = pass(here, rows, first + restart * each + step, step < plan.steps);
      const bool made = step > 0 || !plan.random_start;  // a random start is no step
      Rows going, left;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        Attempt& attempt = attempts[std::size_t(rows[i])];
        if (made || (plan.stop_early && said.steps[i].reached))
          attempt.add(said.steps[i], step, plan.reach(step), direction * said.losses[i]);
        if (step == plan.steps || (plan.stop_early && attempt.reached())) continue;
        going.push_back(std::int64_t(i));
        left.push_back(rows[i]);
        stepped[std::size_t(rows[i])] = true;
        if (said.steepest[i] > 0) had_a_gradient[std::size_t(rows[i])] = true;
      }
      if (left.empty()) break;
      put_rows(x, left,
               ball.select(left).step(of_rows(here, going), of_rows(said.gradient, going),
                                      direction * plan.step_size));
      rows = std::move(left);
    }
    Rows better;
    for (const std::int64_t row : these)
      if (attempts[std::size_t(row)].better_than(kept[std::size_t(row)])) better.push_back(row);
    for (const std::int64_t row : better) kept[std::size_t(row)] = std::move(attempts[std::size_t(row)]);
    if (!better.empty()) put_rows(images, better, of_rows(x, better));
  }

  Adversarial found{.images = std::move(images), .passes = std::move(passes)};
  for (std::size_t row = 0; row < kept.size(); ++row) {
    if (stepped[row] && !had_a_gradient[row]) found.unmoved.push_back(std::int64_t(row));
    found.steps.push_back(std::move(kept[row].steps));
  }
  return found;
}

}  // namespace pellucid::detail
