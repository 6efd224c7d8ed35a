// expect: The call operator of this method returns something else than pellucid::Adversarial: give the images that it found as Adversarial{images}.
#include <pellucid/attack/attack.hpp>

struct Darker {
  template <class M, class S>
  pellucid::Tensor operator()(const M&, const S& subject) const {
    return subject.images / 2;
  }
};

auto attack() {
  return pellucid::Attack<Darker>();
}
