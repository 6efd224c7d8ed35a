// expect: The weights of this model cannot be shuffled: it has no members weighted_layers(images) and shuffled(layers, seed); pellucid::adapt(), load() and load_script() make models that have.
#include <pellucid/attribution/methods/gradient.hpp>
#include <pellucid/check/randomization.hpp>

auto check(const pellucid::Images& images) {
  const auto model = [](const torch::Tensor& x) { return x.flatten(1).sum(1, true); };
  return pellucid::randomization(pellucid::Gradient{}, model, images);
}
