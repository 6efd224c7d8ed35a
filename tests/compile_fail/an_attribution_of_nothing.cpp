// expect: Images are missing: only a pipeline that begins with pellucid::Optimizer makes them; give them between the model and the objective.
#include <pellucid/attribution/methods/gradient.hpp>

void explain() {
  const auto model = [](const pellucid::Tensor& x) { return x.flatten(1); };
  pellucid::Attribution<pellucid::Gradient>()(model, pellucid::Class{3});
}
