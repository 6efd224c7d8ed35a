#include <pellucid/attribution/attribution.hpp>
#include <pellucid/attribution/methods/smoothgrad.hpp>
#include <pellucid/model/adapt.hpp>

using namespace pellucid;

// A pipeline with a stage of one's own. The model is linear: its gradient is its weights, whatever the noise.
int main() {
  const Tensor weights = torch::arange(12.0).view({12, 1}).to(torch::kFloat);
  const auto model = adapt([&](const Tensor& x) { return x.flatten(1).mm(weights); });

  const auto darken = [](const auto&, auto subject) {
    subject.images = subject.images / 2;
    return subject;
  };
  const auto why = darken | Attribution<SmoothGrad>({.samples = 4, .noise = 0.1});
  const auto found = why(model, torch::ones({1, 3, 2, 2}), Class{0});
  const bool darkened = torch::equal(found.images, torch::full({1, 3, 2, 2}, 0.5));
  return darkened && torch::allclose(found.attribution.flatten(), weights.flatten()) ? 0 : 1;
}
