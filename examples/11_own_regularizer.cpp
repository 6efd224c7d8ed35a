// Parts of a regularizer of your own, one of each kind: a price, a change after each step, another view.
#include <iomanip>
#include <iostream>

#include <pellucid/pellucid.hpp>

using namespace pellucid;

/// A price for what lies far from the middle: weight · Σ r² x², r = 1 at the middle of a side.
struct Middle {
  double weight = 1;

  void check() const {
    if (!(weight >= 0))
      throw Error("Middle: a weight of " + std::to_string(weight) + " was given; give 0 or more");
  }

  /// r² of each pixel, H×W.
  static Tensor square_distance(const Tensor& images) {
    const Tensor y = torch::linspace(-1, 1, images.size(2), images.options()).square();
    const Tensor x = torch::linspace(-1, 1, images.size(3), images.options()).square();
    return y.unsqueeze(1) + x;
  }

  Tensor penalty(const Tensor& centered) const {
    return weight * (square_distance(centered) * centered.square()).sum({1, 2, 3});
  }
};

/// No colours: what does the network look for if it must do without?
struct Grey {
  Tensor after(const Tensor& centered, const Step&) const {
    return centered.mean(1, true).expand_as(centered);
  }
};

/// Every second step the network sees the image mirrored: what is made then means the same either way.
struct Mirrored {
  Images shown(const Images& images, const Step& step) const {
    return step.number % 2 == 0 ? images.flip(3) : images;
  }
};

int main() {
  // A network that likes red, on the left: its score is 0.6 times the sum of red there.
  auto model = adapt([](const Tensor& x) {
    return 0.6 * x.select(1, 0).slice(2, 0, 4).sum({1, 2}).unsqueeze(1);
  });

  using Own = Regularizer<Middle, Grey, Mirrored>;
  const auto dream =
      Optimizer<Ascent, Own>({.steps = 3000, .learning_rate = 0.02, .noise = 0, .height = 8, .width = 8},
                             Own({.weight = 0.5}, {}, {}));
  const Images seen = dream(model, Class{0});
  std::cout << std::setprecision(2) << "corner " << seen[0][0][0][0].item<double>() << ", middle "
            << seen[0][0][4][4].item<double>() << "\n";

  // Grey makes of 0.6 red 0.2 of each colour, Mirrored 0.1 on both sides, and 0.1·x − 0.5·r²x² is largest
  // where x = 0.1/r², or at white. Seen every other step, an image moves by 0.002 to and fro.
  const Tensor expected = 0.5 + (0.1 / Middle::square_distance(seen)).clamp_max(0.5);
  return (seen - expected).abs().max().item<double>() < 0.003 ? 0 : 1;
}
