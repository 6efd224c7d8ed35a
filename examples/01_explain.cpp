// Why did it say that? A C++ module, an image, a picture of the answer.
#include <iostream>

#include <pellucid/pellucid.hpp>

#include <torch/nn.h>

using namespace pellucid;

/// Any module will do; yours is trained.
struct NetworkImpl : torch::nn::Module {
  NetworkImpl() {
    features =
        register_module("features", torch::nn::Sequential(torch::nn::Conv2d(3, 8, 5), torch::nn::ReLU(),
                                                          torch::nn::MaxPool2d(4),
                                                          torch::nn::Conv2d(8, 16, 5), torch::nn::ReLU()));
    classifier = register_module("classifier", torch::nn::Linear(16, 10));
  }
  torch::Tensor forward(torch::Tensor x) { return classifier->forward(features->forward(x).mean({2, 3})); }

  torch::nn::Sequential features{nullptr};
  torch::nn::Linear classifier{nullptr};
};
TORCH_MODULE(Network);

int main(int count, char** arguments) {
  torch::manual_seed(1);
  // A photo from the command line, or colours from left to right and from top to bottom.
  const auto ramp = torch::linspace(0, 1, 224);
  const Images images = count > 1
                            ? read_image(arguments[1])
                            : torch::stack({ramp.view({1, -1}).expand({224, 224}),
                                            ramp.view({-1, 1}).expand({224, 224}), torch::zeros({224, 224})})
                                  .unsqueeze(0);

  Network network;
  auto model = adapt(network, imagenet());
  auto why = Attribution<SmoothGrad>({.samples = 50, .noise = 0.15}) | Overlay{} | SavePng{"why.png"};
  const Picture picture = why(model, images);  // the objective is left out: TopClass{}
  std::cout << "why.png: " << picture.width << "×" << picture.height << " pixels\n";
}
