// Attack an image, then look again; and a stage of your own between the two.
#include <iostream>

#include <pellucid/pellucid.hpp>

using namespace pellucid;

int main() {
  torch::manual_seed(1);
  torch::nn::Sequential network(torch::nn::Conv2d(3, 8, 5), torch::nn::ReLU(),
                                torch::nn::AdaptiveAvgPool2d(4), torch::nn::Flatten(),
                                torch::nn::Linear(128, 10));
  auto model = adapt(network);
  const Images images = torch::rand({1, 3, 64, 64});

  // The objective is the class to get away from, and then the class that is explained.
  auto fooled = Attack<FGSM>({.epsilon = 4.0 / 255}) | Attribution<SmoothGrad>() | Overlay{};
  Picture p = fooled(model, images, Class{7});
  write_png("fooled.png", p);

  // Any callable with a stage's shape is a stage. This one tells what the attack did.
  auto mine = Attack<FGSM>() | [](auto&, auto subject) {
    std::cout << "before: class " << subject.before[0].label << ", after: class " << subject.after[0].label
              << "\n";
    return subject;
  } | Attribution<GradCAM>({.layer = "0"});
  const auto explained = mine(model, images);
  std::cout << "attribution " << explained.attribution.sizes() << "\n";
}
