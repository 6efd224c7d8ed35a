// How small a change makes the model say something else? Attacks in steps, the smallest ε, and their tables.
#include <iostream>

#include <pellucid/pellucid.hpp>

#include <torch/nn.h>

using namespace pellucid;

int main(int count, char** arguments) {
  torch::manual_seed(1);
  // A checkpoint and a photo from the command line, or a network without training and noise.
  torch::nn::Sequential untrained(torch::nn::Conv2d(3, 8, 5), torch::nn::ReLU(),
                                  torch::nn::AdaptiveAvgPool2d(4), torch::nn::Flatten(),
                                  torch::nn::Linear(128, 10));
  const bool given = count > 2;
  const auto model = given ? AnyModel(load_any(arguments[1], imagenet())) : AnyModel(adapt(untrained));
  const Images images = given ? read_image(arguments[2]) : torch::rand({1, 3, 32, 32});

  // Ten small steps, each after a new look at the gradient. The table says what the model thought of each.
  const auto steps = Attack<IFGSM>({.epsilon = 4.0 / 255, .steps = 10})(model, images);
  for (const AttackStep& step : steps.steps[0])
    std::cout << "step " << step.step << ": class " << step.predicted << " with probability "
              << step.probability << ", the label has " << step.label_probability << "\n";

  // Towards a class, from three random points of an L2 ball; an image that is there goes no further.
  const PGD towards{
      .epsilon = 1.0, .steps = 20, .norm = Norm::two, .restarts = 3, .target = 7, .stop_early = true};
  const auto there = Attack{towards}(model, images);
  std::cout << (there.after[0].label == 7 ? "class 7" : "not class 7") << " after "
            << there.passes[0].backward << " backward passes, at a distance of "
            << (there.images - there.original).norm().item<double>() << "\n";

  // The smallest ε that was found: the gradient once, then forward passes alone.
  const auto least = Attack<MinimalEpsilon<FGSM>>()(model, images);
  if (const auto epsilon = least.minimal_epsilon[0])
    std::cout << "FGSM needs " << 255 * *epsilon << "/255: " << least.passes[0].forward
              << " forward passes\n";

  // Attack, then explain what the model sees now.
  const auto fooled = Attack<PGD>({.epsilon = 4.0 / 255}) | Attribution<GradCAM>() | Overlay{};
  write_png("fooled.png", fooled(model, images));

  // The accuracy of a batch against ε.
  const Images batch = given ? images : torch::rand({16, 3, 32, 32});
  for (const double epsilon : {0.0, 1.0 / 255, 2.0 / 255, 4.0 / 255}) {
    const auto found = Attack<PGD>({.epsilon = epsilon, .steps = 10})(model, batch);
    int still = 0;
    for (const auto& table : found.steps) still += !table.back().reached;
    std::cout << 255 * epsilon << "/255: " << still << " of " << found.steps.size() << " as before\n";
  }
}
