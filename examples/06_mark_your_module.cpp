// A module of your own can name its places; a pass that needs nothing behind a mark ends there.
#include <iostream>

#include <pellucid/pellucid.hpp>

#include <torch/nn.h>

using namespace pellucid;

struct NetworkImpl : torch::nn::Module {
  NetworkImpl() {
    stem = register_module("stem", torch::nn::Sequential(torch::nn::Conv2d(3, 8, 3), torch::nn::ReLU()));
    body = register_module("body", torch::nn::Sequential(torch::nn::Conv2d(8, 8, 3), torch::nn::ReLU()));
    head = register_module("head", torch::nn::Linear(8, 5));
  }
  torch::Tensor forward(torch::Tensor x) {
    x = mark("stem", stem->forward(x));
    x = mark("body", body->forward(x));
    return head->forward(x.mean({2, 3}));
  }
  torch::nn::Sequential stem{nullptr}, body{nullptr};
  torch::nn::Linear head{nullptr};
};
TORCH_MODULE(Network);

int main() {
  Network network;
  auto model = adapt(network);
  const Images images = torch::rand({1, 3, 32, 32});
  for (const LayerInfo& layer : model.layers(images)) std::cout << layer.name << " (" << layer.kind << ")\n";

  const auto outputs = model.observe(images, {"stem", "body"});  // the head does not run
  std::cout << outputs[0].sizes() << " " << outputs[1].sizes() << "\n";
}
