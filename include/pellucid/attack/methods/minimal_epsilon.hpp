#pragma once
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <pellucid/attack/iterative.hpp>
#include <pellucid/attack/methods/fgsm.hpp>
#include <pellucid/attack/search.hpp>

namespace pellucid {

/// The smallest ε found at which an attack reaches its aim: away from the label, or to the target of `base`.
///
/// The method is run at `most`; where it succeeds there, the range is halved until it is no wider than
/// `tolerance`: its lower end is an ε at which the method failed (or 0), its upper end one at which it
/// succeeded, and that is the answer, with the image of that run. Success need not be monotone in ε, so this
/// is an ε that was found; there may be a smaller one. An image whose answer is as wished without a change
/// has ε = 0. Where even `most` does not do there is no ε, and the image is that of the run at `most`.
///
/// The epsilon of `base` is of no account; its runs stop early where the method can. The table has the image
/// as it was, then the ends of the runs up to the answer (all, where there is none), by ε.
template <class Base = FGSM>
struct MinimalEpsilon {
  static_assert(
      AttackMethod<Base> &&
          requires(Base base) {
            base.epsilon = 0.5;
            base.target = PerImage(0);
          },
      "MinimalEpsilon looks for the epsilon of an attack: its method needs members epsilon and target, as "
      "pellucid::FGSM, IFGSM and PGD have them.");

  double most = 0.5;        ///< the largest ε that is tried, in the unit of the method's
  double tolerance = 1e-4;  ///< of the answer, 1e-7 or more
  Base base{};  ///< leave its step_size at 0: with a fixed one it gets steps · step_size from where it starts
                ///< at most, however large ε is

  void check() const {
    detail::SearchRange{most, tolerance}.check();
    if constexpr (requires { base.check(); }) base.check();
  }

  template <class M, class S>
  Adversarial operator()(const M& model, const S& subject) const {
    const std::int64_t rounds = detail::SearchRange{most, tolerance}.halvings() + 1;
    std::vector<detail::Search> searches(subject.numbers.size());
    Adversarial found{.images = subject.images.clone(), .passes = std::vector<Passes>(searches.size())};

    // Images that are at the same ε go together.
    std::map<double, detail::Rows> next;
    for (std::size_t row = 0; row < searches.size(); ++row) next[most].push_back(std::int64_t(row));
    for (std::int64_t round = 0; !next.empty(); ++round) {
      std::int64_t group = 0;
      for (const auto& [epsilon, rows] : next) {
        auto part = subject.only(rows);
        part.report = subject.report.part(round, 1, rounds).part(group++, 1, std::int64_t(next.size()));
        const Adversarial there = at(epsilon, rows)(model, part);
        detail::check_found(there, part.images);
        if (there.steps.size() != rows.size() || there.passes.size() != rows.size())
          throw Error("MinimalEpsilon: the method gives " + std::to_string(there.steps.size()) +
                      " tables and counts the passes of " + std::to_string(there.passes.size()) +
                      " images for " + std::to_string(rows.size()) + "; it needs both for each image");
        for (std::size_t i = 0; i < rows.size(); ++i) {
          const auto row = std::size_t(rows[i]);
          detail::Search& search = searches[row];
          found.passes[row].forward += there.passes[i].forward;
          found.passes[row].backward += there.passes[i].backward;
          search.clean = there.steps[i].front();
          if (search.clean.reached) {
            search.high = 0;
          } else if (search.add(there.steps[i].back(), epsilon) || round == 0) {
            found.images[rows[i]].copy_(there.images[std::int64_t(i)]);
          }
        }
        for (const std::int64_t row : there.unmoved)
          if (round == 0) found.unmoved.push_back(rows[std::size_t(row)]);
      }
      subject.report(round + 1, rounds);
      next.clear();
      for (std::size_t row = 0; row < searches.size(); ++row)
        if (searches[row].goes_on(tolerance)) next[searches[row].middle()].push_back(std::int64_t(row));
    }
    detail::note(found, searches);
    return found;
  }

 private:
  /// The method at an ε, for a choice of the images.
  Base at(double epsilon, const detail::Rows& rows) const {
    Base method = base;
    method.epsilon = epsilon;
    method.target = base.target.select(rows);
    if constexpr (requires { method.stop_early = true; }) method.stop_early = true;
    return method;
  }
};

/// The smallest ε found at which one step of FGSM reaches its aim. The gradient does not depend on ε, so it
/// is asked for once. Then one batch of values of ε, each a constant factor above the one before,
///   tolerance, …, most      n values, n − 1 = ⌈ln(most/tolerance) / ln(factor)⌉: 40 as it stands
/// finds the first that succeeds, and the range between it and the one before is halved until it is no wider
/// than `tolerance`. Its upper end is the answer. The images of a batch are halved together.
///
/// Success need not be monotone in ε: a stretch of ε in which the image falls is seen where it holds one of
/// the coarse values, so always where its end is more than `factor` times its beginning. Of those seen the
/// first is taken. An image whose answer is as wished without a change has ε = 0. Where no coarse value does
/// there is no ε, and the image is that at `most`.
///
/// For each image 1 backward pass and at most 2 + ⌈log₂(most · (1 − 1/factor)/tolerance)⌉ forward, the coarse
/// batch counted as one: 12 as it stands, with 51 variants of the image. The table has the image as it was,
/// then the values tried up to the answer (all, where there is none), by ε.
template <>
struct MinimalEpsilon<FGSM> {
  double most = 0.5;        ///< the largest ε that is tried, in pixels
  double tolerance = 1e-4;  ///< of the answer, 1e-7 or more, and the smallest ε that is tried
  double factor = 1.25;     ///< from one coarse value of ε to the next, at most; 1.001 or more
  FGSM base{};              ///< for its target; its epsilon is of no account

  void check() const {
    detail::SearchRange{most, tolerance}.check();
    if (!(factor >= 1.001) || !std::isfinite(factor))
      throw Error("MinimalEpsilon: factor is " + std::to_string(factor) +
                  "; give how many times the one before each coarse epsilon may be, 1.001 or more (1.25 is "
                  "usual)");
    base.check();
  }

  template <class M, class S>
  Adversarial operator()(const M& model, const S& subject) const {
    using detail::Rows;
    const std::vector<double> grid = coarse_grid();
    const std::int64_t coarse = std::int64_t(grid.size());
    const std::int64_t all = 3 + coarse + detail::SearchRange{most, tolerance}.halvings();  // forward passes
    auto aimed = subject.about(Aim{subject.objective.label, base.target}, subject.report.part(0, 3, all));
    aimed.objective.check(subject.images.size(0));
    const detail::LossPass clean = detail::loss_pass(model, aimed, true);
    subject.report(3, all);  // a backward pass takes about as long as two forward
    const Tensor way = clean.gradient.sign() * aimed.objective.direction();
    const auto at = [&](const Rows& rows, std::vector<double> epsilons) {
      for (double& epsilon : epsilons) epsilon = detail::rounded_down(epsilon, way.scalar_type());
      const Images from = detail::of_rows(subject.images, rows);
      const Tensor size = torch::tensor(epsilons, torch::kDouble).to(from.device());
      return detail::moved(from, detail::of_rows(way, rows) * detail::beside(size, from));
    };

    std::vector<detail::Search> searches(clean.steps.size());
    Adversarial found{.images = subject.images.clone(),
                      .passes = std::vector<Passes>(searches.size(), Passes{.forward = 1, .backward = 1})};
    const auto attempt = [&](const Rows& rows, std::int64_t each, std::int64_t done, const auto& epsilon_of) {
      auto part = aimed.only(rows);
      part.report = subject.report.part(done, each, all);
      const auto make = [&](const std::vector<Variant>& variants) {
        Rows chosen;
        std::vector<double> epsilons;
        for (const Variant& variant : variants) {
          chosen.push_back(rows[std::size_t(variant.image)]);
          epsilons.push_back(epsilon_of(variant));
        }
        return at(chosen, epsilons);
      };
      detail::LossPass said = detail::loss_pass(model, part, false, {.samples = each}, make);
      for (const std::int64_t row : rows) ++found.passes[std::size_t(row)].forward;
      subject.report(done + each, all);
      return std::move(said.steps);
    };

    Rows moving, falling;
    for (std::size_t row = 0; row < searches.size(); ++row) {
      searches[row].clean = clean.steps[row];
      if (clean.steps[row].reached) {
        searches[row].high = 0;
      } else if (clean.steepest[row] == 0) {
        found.unmoved.push_back(std::int64_t(row));
      } else {
        moving.push_back(std::int64_t(row));
      }
    }
    if (!moving.empty()) {
      const auto said =
          attempt(moving, coarse, 3, [&](const Variant& v) { return grid[std::size_t(v.sample)]; });
      for (std::size_t i = 0; i < moving.size(); ++i)
        for (std::size_t k = 0; k < grid.size(); ++k)
          if (searches[std::size_t(moving[i])].add(said[i * grid.size() + k], grid[k])) break;
    }
    for (std::int64_t done = 3 + coarse;; ++done) {
      falling.clear();
      for (const std::int64_t row : moving)
        if (searches[std::size_t(row)].goes_on(tolerance)) falling.push_back(row);
      if (falling.empty()) break;
      const auto middle = [&](std::int64_t i) {
        return searches[std::size_t(falling[std::size_t(i)])].middle();
      };
      const auto said = attempt(falling, 1, done, [&](const Variant& v) { return middle(v.image); });
      for (std::size_t i = 0; i < falling.size(); ++i)
        searches[std::size_t(falling[i])].add(said[i], middle(std::int64_t(i)));
    }
    std::vector<double> epsilons;
    for (const std::int64_t row : moving) epsilons.push_back(searches[std::size_t(row)].high.value_or(most));
    if (!moving.empty()) detail::put_rows(found.images, moving, at(moving, epsilons));
    detail::note(found, searches);
    return found;
  }

 private:
  std::vector<double> coarse_grid() const {
    std::vector<double> grid;
    const double ways = std::ceil(std::log(most / tolerance) / std::log(factor));
    for (double way = ways; way >= 0; --way) grid.push_back(most * std::pow(tolerance / most, way / ways));
    return grid;
  }
};

}  // namespace pellucid
