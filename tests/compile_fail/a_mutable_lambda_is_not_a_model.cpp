// expect: This is not a model: a model is a callable that takes images (a torch::Tensor) and returns scores (a torch::Tensor); pellucid::adapt() makes one of a module or a function. Its call operator is const (no mutable lambda; capture a torch::jit::Module by reference).
#include <pellucid/attribution/methods/gradient.hpp>

void explain(const pellucid::Images& images) {
  int passes = 0;
  const auto model = [passes](const pellucid::Tensor& x) mutable { return x.flatten(1) * ++passes; };
  pellucid::Attribution<pellucid::Gradient>()(model, images);
}
