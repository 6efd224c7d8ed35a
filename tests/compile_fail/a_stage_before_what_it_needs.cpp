// expect: This stage cannot take what it is given: it needs what an earlier stage of the pipeline finds, such as an attribution; put that stage before it.
// expect (GNU): Self = Paint
#include <pellucid/attribution/explanation.hpp>
#include <pellucid/core/pipeline.hpp>
#include <pellucid/objective/top_class.hpp>

/// Needs an attribution.
struct Paint : pellucid::Stage<Paint> {
  template <class S>
  static constexpr bool takes = std::derived_from<S, pellucid::Explanation>;
  template <class S>
  using Gives = S;

  template <class M, class S>
  S run(const M&, S subject) const {
    return subject;
  }
};

void paint(const pellucid::Images& images) {
  const auto model = [](const pellucid::Tensor& x) { return x.flatten(1); };
  Paint{}(model, images);
}
