// expect: a struct with a member `layer` and a const member of(output), or a callable
// expect: Brightness
#include <pellucid/attribution/methods/gradient.hpp>

struct Brightness {
  pellucid::Tensor of(const pellucid::Tensor& scores) const { return scores.sum(1); }
};

void explain(const pellucid::Images& images) {
  const auto model = [](const pellucid::Tensor& x) { return x.flatten(1); };
  pellucid::Attribution<pellucid::Gradient>()(model, images, Brightness{});
}
