// expect: This is not a progress callback: it takes a const pellucid::Progress& and returns nothing, or a bool where false cancels the work.
#include <pellucid/attribution/methods/gradient.hpp>

void explain(const pellucid::Images& images) {
  const auto model = [](const pellucid::Tensor& x) { return x.flatten(1); };
  const auto percent = [](const pellucid::Progress& progress) { return int(100 * progress.fraction); };
  pellucid::Attribution<pellucid::Gradient>()(model, images, pellucid::Class{1}, percent);
}
