// expect: An inversion needs a representation: give pellucid::Representation{layer, image} as the objective.
#include <pellucid/optimizer/inversion.hpp>
#include <pellucid/optimizer/optimizer.hpp>

void invert() {
  const auto model = [](const pellucid::Tensor& x) { return x.flatten(1); };
  pellucid::Optimizer<pellucid::Inversion>()(model, pellucid::Class{3});
}
