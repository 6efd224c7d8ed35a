// expect: The call operator of this method returns something else than pellucid::Adversarial: give the images that it found as Adversarial{images}.
// expect: pellucid::Smoothed<pellucid::Gradient>
#include <pellucid/attack/attack.hpp>
#include <pellucid/attribution/methods/smoothgrad.hpp>

void attack(const pellucid::Images& images) {
  const auto model = [](const pellucid::Tensor& x) { return x.flatten(1); };
  pellucid::Attack<pellucid::SmoothGrad>()(model, images);
}
