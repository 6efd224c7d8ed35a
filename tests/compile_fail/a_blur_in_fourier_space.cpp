// expect: These two do not fit: a part of the regularizer changes pixels after each step (such as pellucid::Blur), and the method has none to change: take Pixels as its parameters, or leave the part out.
#include <pellucid/optimizer/presets.hpp>

void dream(const pellucid::Images& images) {
  const auto model = [](const pellucid::Tensor& x) { return x.flatten(1); };
  pellucid::Optimizer<pellucid::AscentIn<pellucid::Fourier>, pellucid::Regularizer<pellucid::Blur>>()(model,
                                                                                                      images);
}
