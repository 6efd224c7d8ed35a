#include <pellucid/pellucid.hpp>

using namespace pellucid;

// Attacks an image, explains it, draws the explanation, writes the picture and reads it back.
int main() {
  const auto model = adapt([](const Tensor& x) { return x.mean({2, 3}); });
  const Images image = torch::rand({1, 3, 16, 16});
  const auto why =
      Attack<FGSM>({.epsilon = 4.0 / 255}) | Attribution<Gradient>() | Overlay{} | SavePng{"why.png"};
  why(model, image, Class{1});
  return read_image("why.png").sizes() == image.sizes() ? 0 : 1;
}
