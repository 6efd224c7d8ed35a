#include <pellucid/attribution/attribution.hpp>
#include <pellucid/attribution/methods/smoothgrad.hpp>
#include <pellucid/model/adapt.hpp>

using namespace pellucid;

// Explains f = Σx², whose gradient is 2x. The noise comes in pairs, so that it leaves nothing behind.
int main() {
  const auto model = adapt([](const Tensor& x) { return x.square().sum({1, 2, 3}).unsqueeze(1); });
  const auto mirror = [](const auto&, auto subject) {
    subject.images = subject.images.flip(3);
    return subject;
  };
  const auto why = mirror | Attribution<SmoothGrad>({.samples = 4, .noise = 0.1});
  const Images image = torch::rand({1, 3, 2, 2});
  const Tensor map = why(model, image, Class{0}).attribution;
  return torch::allclose(map, 2 * image.flip(3)) ? 0 : 1;
}
