// LibTorch's own header first, as a program may that also trains.
#include <torch/torch.h>

#include <pellucid/pellucid.hpp>

using namespace pellucid;

// Attacks an image, explains it through a layer, draws the explanation, writes the picture and reads it back.
int main() {
  torch::nn::Sequential network(torch::nn::Conv2d(3, 4, 3), torch::nn::ReLU(), torch::nn::Flatten(),
                                torch::nn::Linear(4 * 14 * 14, 2));
  const auto model = adapt(network);
  const Images image = torch::rand({1, 3, 16, 16});
  const auto why = Attack<FGSM>({.epsilon = 4.0 / 255}) | Attribution<GradCAM>({.layer = "0"}) | Overlay{} |
                   SavePng{"why.png"};
  why(model, image, Class{1});
  return model.layers(image).size() == 2 && read_image("why.png").sizes() == image.sizes() ? 0 : 1;
}
