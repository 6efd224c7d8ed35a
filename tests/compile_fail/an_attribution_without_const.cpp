// expect: The call operator of this method is not const: write `operator()(const M& model, const S& subject) const`.
#include <pellucid/attribution/attribution.hpp>

struct Brightness {
  template <class M, class S>
  pellucid::Tensor operator()(const M&, const S& subject) {
    return subject.images;
  }
};

auto why() {
  return pellucid::Attribution<Brightness>();
}
