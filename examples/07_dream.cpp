// What does a channel look for? What does a layer still know of an image?
#include <iostream>

#include <pellucid/pellucid.hpp>

using namespace pellucid;

int main(int count, char** arguments) {
  torch::manual_seed(1);
  // A checkpoint and a photo from the command line, or a network without training and two colours.
  const bool given = count > 2;
  SqueezeNet untrained{};
  const auto model =
      given ? AnyModel(load_any(arguments[1], imagenet())) : AnyModel(adapt(untrained, {.crop = 64}));
  const Images image = given ? read_image(arguments[2])
                             : torch::tensor({0.9F, 0.5F, 0.1F}).view({1, 3, 1, 1}).expand({1, 3, 64, 64});

  // Yosinski's regularizers, in any choice and order.
  using Natural = Regularizer<L2, Blur, ClipNorm, ClipContribution>;
  const auto dream = Optimizer<Ascent, Natural>(
      {.steps = 20},
      Natural({.decay = 1e-4}, {.width = 1.0, .every = 4}, {.percentile = 0}, {.percentile = 0}));
  const Images seen = dream(model, Channel{"features.3", 4});
  write_png("channel.png", to_picture(seen));

  // Several at once, as a film, in Fourier space.
  const auto film = natural(20).every(10, [](const Frame& frame) {
    std::cout << "step " << frame.step << ": " << frame.values.mean().item<double>() << '\n';
  });
  const Images many = film(model, Channel{"features.3", {1, 2, 3}});

  // An image that layer features.4 cannot tell from the given one.
  const auto invert =
      Optimizer<Inversion, Regularizer<AlphaNorm, TotalVariation>>({.learning_rate = {{{20, 0.004}}}});
  const Images again = invert(model, Representation{"features.4", image});
  write_png("known.png", to_picture(again));
  for (const Diagnosis& one : diagnose(torch::cat({seen, again})))
    std::cout << "high frequencies " << one.high_frequencies << ", repetition " << one.repetition << '\n';
}
