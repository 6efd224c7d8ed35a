// expect: The call operator of this method returns something else than an attribution: a torch::Tensor or pellucid::Explanation is expected.
// expect: pellucid::FGSM
#include <pellucid/attack/methods/fgsm.hpp>
#include <pellucid/attribution/attribution.hpp>

void explain(const pellucid::Images& images) {
  const auto model = [](const pellucid::Tensor& x) { return x.flatten(1); };
  pellucid::Attribution<pellucid::FGSM>()(model, images);
}
