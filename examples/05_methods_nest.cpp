// SmoothGrad is Smoothed<Gradient>; any other method can be smoothed as well. Averages come with their error.
#include <iostream>

#include <pellucid/pellucid.hpp>

#include <torch/nn.h>

using namespace pellucid;

int main() {
  torch::manual_seed(1);
  torch::nn::Sequential network(torch::nn::Conv2d(3, 8, 5), torch::nn::ReLU(),
                                torch::nn::AdaptiveAvgPool2d(4), torch::nn::Flatten(),
                                torch::nn::Linear(128, 10));
  auto model = adapt(network);
  const Images images = torch::rand({1, 3, 32, 32});

  auto deep = Attribution<Smoothed<IntegratedGradients>>({.samples = 10, .base = {.steps = 20}});
  std::cout << "smoothed integrated gradients: " << deep(model, images).attribution.sizes() << "\n";

  // Go on until the standard error is 5 % of the attribution.
  auto exact = Attribution{SmoothGrad{.samples = 50, .until = 0.05}};
  const auto smooth = exact(model, images, TopClass{}, [](const Progress& progress) {
    if (progress.fraction == 1) std::cout << "done\n";
  });
  std::cout << "samples: " << smooth.samples[0] << ", relative standard error "
            << (smooth.standard_error.norm() / smooth.attribution.norm()).item<double>() << "\n";
}
