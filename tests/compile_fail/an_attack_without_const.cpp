// expect: The call operator of this method is not const: write `operator()(const M& model, const S& subject) const`.
#include <pellucid/attack/attack.hpp>

struct Darker {
  template <class M, class S>
  pellucid::Adversarial operator()(const M&, const S& subject) {
    return {subject.images / 2};
  }
};

auto attack() {
  return pellucid::Attack<Darker>();
}
