// expect: This is not an objective: an objective is one of pellucid's (TopClass, Class, Channel, ...), a struct with a member `layer` and a const member of(output), or a callable that takes a model and images and returns one number per image.
// expect (GNU): Objective = int
#include <pellucid/attribution/methods/gradient.hpp>

void explain(const pellucid::Images& images) {
  const auto model = [](const pellucid::Tensor& x) { return x.flatten(1); };
  pellucid::Attribution<pellucid::Gradient>()(model, images, 281);
}
