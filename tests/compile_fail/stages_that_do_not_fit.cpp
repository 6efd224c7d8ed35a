// expect: These two stages do not fit: the stage on the right of | cannot take what the stage on the left gives (both are named in this message).
// expect (GNU): Left = pellucid::Attribution<pellucid::Gradient>
// expect (GNU): Right = Compare
#include <pellucid/attack/attack.hpp>
#include <pellucid/attribution/methods/gradient.hpp>

/// Needs the images from before an attack.
struct Compare : pellucid::Stage<Compare> {
  template <class S>
  static constexpr bool takes = std::derived_from<S, pellucid::AttackRecord>;
  template <class S>
  using Gives = S;

  template <class M, class S>
  S run(const M&, S subject) const {
    return subject;
  }
};

auto compared() {
  return pellucid::Attribution<pellucid::Gradient>() | Compare{};
}
