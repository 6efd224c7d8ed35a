// expect: The left side of | is a method and no stage: write pellucid::Attack<Method>(...) or pellucid::Attribution<Method>(...).
// expect: pellucid::FGSM
#include <pellucid/attack/methods/fgsm.hpp>
#include <pellucid/attribution/methods/gradient.hpp>

void explain(const pellucid::Images& images) {
  const auto model = [](const pellucid::Tensor& x) { return x.flatten(1); };
  const auto fooled = pellucid::FGSM{} | pellucid::Attribution<pellucid::Gradient>();
  fooled(model, images, pellucid::Class{0});
}
