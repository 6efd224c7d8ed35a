// expect: This is not a model: a model is a callable that takes images (a torch::Tensor) and returns scores (a torch::Tensor); pellucid::adapt() makes one of a module or a function.
// expect: shared_ptr<torch::nn::LinearImpl>
#include <pellucid/attribution/methods/gradient.hpp>

#include <torch/nn.h>

void explain(const pellucid::Images& images) {
  pellucid::Attribution<pellucid::Gradient>()(std::make_shared<torch::nn::LinearImpl>(3, 2), images);
}
