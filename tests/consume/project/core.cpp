#include <pellucid/attribution/attribution.hpp>
#include <pellucid/attribution/methods/smoothgrad.hpp>
#include <pellucid/model/adapt.hpp>

using namespace pellucid;

// A linear model: its gradient is its weights, whatever the noise.
int main() {
  const Tensor weights = torch::arange(12.0).view({12, 1}).to(torch::kFloat);
  auto model = adapt([&](const Tensor& x) { return x.flatten(1).mm(weights); });
  auto why = Attribution<SmoothGrad>({.samples = 4, .noise = 0.1});
  const Tensor map = why(model, torch::rand({1, 3, 2, 2}), Class{0}).attribution;
  return torch::allclose(map.flatten(), weights.flatten()) ? 0 : 1;
}
