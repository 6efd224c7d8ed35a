// expect: MinimalEpsilon looks for the epsilon of an attack: its method needs members epsilon and target, as pellucid::FGSM, IFGSM and PGD have them.
#include <pellucid/attack/methods/minimal_epsilon.hpp>

struct Brighter {
  double by = 0.1;

  template <class M, class S>
  pellucid::Adversarial operator()(const M&, const S& subject) const {
    return {(subject.images + by).clamp(0, 1)};
  }
};

void attack(const pellucid::Images& images) {
  const auto model = [](const pellucid::Tensor& x) { return x.flatten(1); };
  pellucid::Attack<pellucid::MinimalEpsilon<Brighter>>()(model, images);
}
