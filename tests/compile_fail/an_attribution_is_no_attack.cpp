// expect: This is not an attack method: a method is a struct of options with a const call operator that takes a model and a subject and returns pellucid::Adversarial images.
// expect: pellucid::Smoothed<pellucid::Gradient>
#include <pellucid/attack/attack.hpp>
#include <pellucid/attribution/methods/smoothgrad.hpp>

void attack(const pellucid::Images& images) {
  const auto model = [](const pellucid::Tensor& x) { return x.flatten(1); };
  pellucid::Attack<pellucid::SmoothGrad>()(model, images);
}
