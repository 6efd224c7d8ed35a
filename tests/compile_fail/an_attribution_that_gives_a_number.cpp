// expect: The call operator of this method returns something else than an attribution: a torch::Tensor or pellucid::Explanation is expected.
#include <pellucid/attribution/attribution.hpp>

struct Brightness {
  template <class M, class S>
  double operator()(const M&, const S& subject) const {
    return subject.images.mean().template item<double>();
  }
};

auto why() {
  return pellucid::Attribution<Brightness>();
}
