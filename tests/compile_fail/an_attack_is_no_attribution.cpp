// expect: This is not an attribution method: a method is a struct of options with a const call operator that takes a model and a subject and returns an attribution (a torch::Tensor or pellucid::Explanation).
// expect: pellucid::FGSM
#include <pellucid/attack/methods/fgsm.hpp>
#include <pellucid/attribution/attribution.hpp>

void explain(const pellucid::Images& images) {
  const auto model = [](const pellucid::Tensor& x) { return x.flatten(1); };
  pellucid::Attribution<pellucid::FGSM>()(model, images);
}
