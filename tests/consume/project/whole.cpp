#include <pellucid/pellucid.hpp>

using namespace pellucid;

// Explains an image, draws the explanation, writes it and reads it back.
int main() {
  auto model = adapt([](const Tensor& x) { return x.mean({2, 3}); });
  const Images image = torch::rand({1, 3, 16, 16});
  const Tensor map = Attribution<Gradient>()(model, image, Class{1}).attribution;
  write_png("why.png", overlay(image, map));
  return read_image("why.png").sizes() == image.sizes() ? 0 : 1;
}
