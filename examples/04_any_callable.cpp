// A function is a model too. The places it marks are its layers.
#include <iostream>

#include <pellucid/pellucid.hpp>

using namespace pellucid;

int main() {
  torch::manual_seed(1);
  const auto kernel = torch::randn({4, 3, 3, 3});
  auto model = adapt([&](const torch::Tensor& x) {
    const auto edges = mark("edges", torch::conv2d(x, kernel).relu());
    return edges.amax({2, 3});
  });
  const Images images = torch::rand({2, 3, 16, 16});

  std::cout << "edges: " << model.activation(images, "edges").sizes() << "\n";
  const auto why = Attribution<GradCAM>({.layer = "edges"})(model, images, Class{2});
  std::cout << "GradCAM: " << why.attribution.sizes() << "\n";
  const auto channel = Attribution<Gradient>()(model, images, Channel{"edges", 1});
  std::cout << "gradient of a channel: " << channel.attribution.sizes() << "\n";
}
