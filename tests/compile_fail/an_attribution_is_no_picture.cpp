// expect: These two stages do not fit
// expect: (SavePng writes a Picture: put Overlay{} between it and an attribution.)
#include <pellucid/attribution/methods/gradient.hpp>
#include <pellucid/render/stages.hpp>

void explain(const pellucid::Images& images) {
  const auto model = [](const pellucid::Tensor& x) { return x.flatten(1); };
  const auto why = pellucid::Attribution<pellucid::Gradient>() | pellucid::SavePng{"a.png"};
  why(model, images, pellucid::Class{0});
}
