#pragma once
#include <concepts>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include <pellucid/attribution/explanation.hpp>
#include <pellucid/core/pipeline.hpp>
#include <pellucid/objective/objective.hpp>
#include <pellucid/objective/top_class.hpp>

namespace pellucid {

namespace detail {

/// Refuses an attribution that has not a row for each image.
inline void check_rows_of(const Tensor& attribution, const Images& images) {
  if (attribution.defined() && attribution.dim() >= 2 && attribution.size(0) == images.size(0)) return;
  throw Error(c10::str("the method gives ",
                       attribution.defined() ? c10::str("a map ", attribution.sizes()) : "no map",
                       " for images ", images.sizes(), "; it must give ", images.size(0),
                       " rows, one map for each image, such as N×C×H×W or N×1×H×W"));
}

/// What there is to say of images of three channels that cannot be pixels in [0, 1].
inline void notice_bytes(const Images& images, std::multimap<std::int64_t, std::string>& notices) {
  if (images.dim() != 4 || images.size(1) != 3) return;
  const Tensor most = images.flatten(1).amax(1).to(torch::kCPU, torch::kDouble);
  for (std::int64_t row = 0; row < most.size(0); ++row) {
    const double value = most[row].item<double>();
    if (value > 2)
      notices.emplace(row, c10::str("the image has values up to ", value,
                                    ", and pixels in [0, 1] are expected (bytes: .to(torch::kFloat) / 255; "
                                    "normalised images: only for a model that is given no mean and std)"));
  }
}

/// Stands for any model where a method is looked at before there is one.
struct AnyModel {
  Tensor operator()(const Images&) const;
  std::vector<Tensor> observe(const Images&, const std::vector<std::string>&) const;
};
}  // namespace detail

/// A method of attribution: an aggregate of its options, callable with a model and a subject, that gives an
/// Explanation (or just the attribution, a tensor). A member `check()`, where it has one, is called when the
/// stage is made, and throws Error on options out of range.
template <class Method>
concept AttributionMethod = std::copy_constructible<Method> &&
    requires(const Method& method, const detail::AnyModel& model, const Subject<Class>& subject) {
  { method(model, subject) } -> std::convertible_to<Explanation>;
};

/// The stage that explains: adds the attribution of the objective to the subject.
///
///   auto why = Attribution<SmoothGrad>({.samples = 50});
///   Tensor attribution = why(model, images, Class{281}).attribution;
///
/// Images of three channels with values above 2, as bytes have, get a notice.
///
/// Options are checked here, at construction. Throws Error on images that are none (`check_images`), for an
/// attribution that has not a row for each image, or holds NaN or infinity, for a method that overwrites the
/// images, and, where the method differentiates, when no path leads from the
/// objective to what is explained.
template <class Method>
class Attribution : public Stage<Attribution<Method>> {
  static constexpr bool copies = std::copy_constructible<Method>;
  static_assert(copies, "This method cannot be copied: a stage keeps a copy of it.");
  static_assert(
      !copies || detail::Asked<Method, detail::AnyModel>,
      "This is not an attribution method: a method is a struct of options with a const call operator that "
      "takes a model and a subject and returns an attribution (a torch::Tensor or pellucid::Explanation).");
  static_assert(
      !copies || !detail::OnlyMutable<Method, detail::AnyModel>,
      "The call operator of this method is not const: write `operator()(const M& model, const S& subject) "
      "const`.");
  static_assert(
      !copies || !detail::Asked<const Method, detail::AnyModel> || AttributionMethod<Method>,
      "The call operator of this method returns something else than an attribution: a torch::Tensor "
      "or pellucid::Explanation is expected.");

 public:
  template <class S>
  static constexpr bool takes = AboutImages<S>;
  template <class S>
  using Gives = Explained<S>;
  static constexpr std::int64_t work = 1;

  Attribution() : Attribution(Method{}) {}
  /// Throws Error on options out of range.
  explicit Attribution(Method method) : method_(std::move(method)) {
    if constexpr (requires { method_.check(); }) method_.check();
  }

  template <class M, class S>
  Explained<S> run(const M& model, S subject) const {
    // The objective is settled here, on the image itself; a stage behind this one settles it anew on its own.
    const Subject settled =
        subject.about(resolve(subject.objective, model, subject.images), subject.report.part(0, 1, 1));
    const detail::Untouched images(subject.images);
    Explanation explanation = method_(model, settled);
    images.check("the method");
    subject.report(1, 1);
    detail::check_rows_of(explanation.attribution, subject.images);
    explanation.attribution = explanation.attribution.contiguous();
    detail::notice_bytes(subject.images, explanation.notices);
    detail::check_map(explanation.attribution);
    const Tensor most = detail::largest_magnitudes(explanation.attribution);
    for (std::int64_t row = 0; row < most.size(0); ++row) {
      if (most[row].template item<double>() == 0)
        explanation.notices.emplace(
            row,
            "the attribution is zero everywhere, and the picture black: the method found nothing that counts "
            "(as behind a ReLU that is off, for a score that is saturated or that nothing changes, and where "
            "all is negative and the method leaves that out)");
    }
    return add(std::move(subject), std::move(explanation));
  }

 private:
  Method method_;
};

}  // namespace pellucid
