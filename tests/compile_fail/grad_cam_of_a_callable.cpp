// expect: GradCAM, and every method that differentiates at a layer, needs an objective about a layer or the scores (TopClass, Class, Channel, Neuron, Layer, ...): a plain callable runs the model itself, and the layer of that pass cannot be seen.
#include <pellucid/attribution/methods/grad_cam.hpp>

void explain(const pellucid::Images& images) {
  const auto model = [](const pellucid::Tensor& x) { return x.flatten(1); };
  const auto sum = [](const auto& m, const pellucid::Images& x) { return m(x).sum(1); };
  pellucid::Attribution<pellucid::GradCAM>()(model, images, sum);
}
