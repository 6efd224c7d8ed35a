#pragma once
#include <concepts>
#include <cstdint>
#include <numeric>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <pellucid/core/concepts.hpp>
#include <pellucid/core/execution.hpp>
#include <pellucid/core/images.hpp>
#include <pellucid/core/noise.hpp>
#include <pellucid/core/progress.hpp>
#include <pellucid/core/torch.hpp>

namespace pellucid {

struct Class;

/// The objective for a choice of images: what `rows[i]` asked about is asked about image i. An objective
/// whose answer depends on the image has a member `select(rows)`; the others ask the same of all.
template <class Objective>
Objective select(const Objective& objective, const std::vector<std::int64_t>& rows) {
  if constexpr (requires { Objective(objective.select(rows)); }) {
    return objective.select(rows);
  } else {
    return objective;
  }
}

namespace detail {
/// Refuses rows that are not among so many images.
inline void check_rows(const std::vector<std::int64_t>& rows, std::size_t images) {
  for (const std::int64_t row : rows)
    if (row < 0 || std::size_t(row) >= images)
      throw Error("image " + std::to_string(row) + " was asked for; there are " + std::to_string(images) +
                  ", 0 to " + std::to_string(images - 1));
}
}  // namespace detail

/// What goes through a pipeline: the images, what is asked about them, and whom to tell how far the work is.
/// A stage takes it by value and returns it, with what it found added.
template <class Objective, ProgressCallback Callback = Silent>
struct Subject {
  Images images;                        ///< N×…
  Objective objective;                  ///< what is asked about each of them
  std::vector<std::int64_t> numbers;    ///< of the images, which their noise depends on
  Reporter<Callback> report;            ///< tells how far the work is
  std::vector<std::uint64_t> nested{};  ///< of each image: which samples of methods around this one led to
                                        ///< it; empty: none

  /// Which noise belongs to an image of this subject.
  Draw draw(std::uint64_t seed, std::size_t row, std::int64_t sample) const {
    return {seed, numbers[row], sample, nested.empty() ? 0 : nested[row]};
  }

  /// The same images, asked about something else; what stages found out about them is kept.
  template <class Other>
  auto about(Other other) const {
    return about(std::move(other), report);
  }

  /// The same, telling of its progress through `part`, a part of this subject's report.
  template <class Other>
  Subject<Other, Callback> about(Other other, const Reporter<Callback>& part) const {
    return {images, std::move(other), numbers, part, nested};
  }

  /// The images of another call about the same objective, row i in the place of this subject's image
  /// `rows[i]`: with its noise. Throws Error for a row that is not there.
  Subject of_rows(Images others, const std::vector<std::int64_t>& rows,
                  const Reporter<Callback>& part) const {
    detail::check_rows(rows, numbers.size());
    std::vector<std::int64_t> chosen;
    std::vector<std::uint64_t> within;
    for (const std::int64_t row : rows) {
      chosen.push_back(numbers[std::size_t(row)]);
      if (!nested.empty()) within.push_back(nested[std::size_t(row)]);
    }
    return {std::move(others), pellucid::select(objective, rows), std::move(chosen), part, std::move(within)};
  }

  /// A choice of the images, each with its number and what is asked about it. Throws Error for a row that is
  /// not there.
  Subject only(const std::vector<std::int64_t>& rows) const {
    detail::check_rows(rows, numbers.size());
    return of_rows(images.index_select(0, torch::tensor(rows, torch::kLong).to(images.device())), rows,
                   report);
  }

  /// The images of another call about the same objective: row i is sample `samples[i]` of this subject's
  /// image `rows[i]`. Throws Error for a row that is not there.
  Subject with(Images variants, const std::vector<std::int64_t>& rows,
               const std::vector<std::int64_t>& samples, const Reporter<Callback>& part) const {
    detail::check_rows(rows, numbers.size());
    std::vector<std::int64_t> chosen;
    std::vector<std::uint64_t> within;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto row = std::size_t(rows[i]);
      chosen.push_back(numbers[row]);
      within.push_back(mixed((nested.empty() ? 0 : nested[row]) + std::uint64_t(samples[i]) + 1));
    }
    return {std::move(variants), pellucid::select(objective, rows), std::move(chosen), part,
            std::move(within)};
  }
};

/// What a stage that asks the model takes: images, and what is asked about them.
template <class S>
concept AboutImages = requires(const S& subject) {
  subject.images;
  subject.objective;
};

/// The type of a subject that is not known yet: what a stage gives that has not said so (a lambda).
struct Undeclared {};

namespace detail {

/// Whether a method can be called with a model and a subject.
template <class Method, class M>
concept Asked = requires(Method& method, const M& model, const Subject<Class>& subject) {
  method(model, subject);
};

/// Whether it can only where it may change itself.
template <class Method, class M>
concept OnlyMutable = Asked<Method, M> && !Asked<const Method, M>;

}  // namespace detail

/// A subject and what a stage found out about it.
template <class S, class Finding>
struct With : S, Finding {
  /// The same images and findings, asked about something else.
  template <class Other>
  auto about(Other other) const {
    return about(std::move(other), S::report);
  }

  /// The same, telling of its progress through `part`.
  template <class Other, class Part>
  auto about(Other other, const Part& part) const {
    auto same = S::about(std::move(other), part);
    return With<decltype(same), Finding>{std::move(same), static_cast<const Finding&>(*this)};
  }
};

/// The type of a subject S with a finding: a second finding of a kind takes the place of the first.
template <class S, class Finding>
using Adding =
    std::conditional_t<std::derived_from<S, Finding> || std::same_as<S, Undeclared>, S, With<S, Finding>>;

/// The subject with a finding.
template <class S, class Finding>
Adding<S, Finding> add(S subject, Finding finding) {
  if constexpr (std::derived_from<S, Finding>) {
    static_cast<Finding&>(subject) = std::move(finding);
    return subject;
  } else {
    return {std::move(subject), std::move(finding)};
  }
}

/// The subject that a pipeline starts with: the images as they are.
template <class Objective, ProgressCallback Callback>
Subject<Objective, Callback> begin(const Images& images, const Objective& objective, Callback& callback) {
  check_images(images);
  const torch::NoGradGuard no_grad;
  std::vector<std::int64_t> numbers(std::size_t(images.size(0)));
  std::iota(numbers.begin(), numbers.end(), 0);
  return {images.detach(), objective, std::move(numbers), Reporter<Callback>(callback)};
}

/// The subject that a pipeline starts with. A model that resizes (`fit`) does so here, once, so that noise, ε
/// and pictures are in the pixels that the network gets; and so for the layout that it wants.
template <Model M, class Objective, ProgressCallback Callback>
Subject<Objective, Callback> begin(const M& model, const Images& images, const Objective& objective,
                                   Callback& callback) {
  if constexpr (requires { Images(model.fit(images)); }) {
    check_images(images);  // before they are resized
    const torch::NoGradGuard no_grad;
    return begin(detail::laid_out(model, model.fit(images.detach())), objective, callback);
  } else {
    return begin(detail::laid_out(model, images), objective, callback);
  }
}

}  // namespace pellucid
