// Objectives of your own: one that holds something of each image, one about a layer, and both together.
#include <iostream>

#include <pellucid/pellucid.hpp>

using namespace pellucid;

/// Why this class and not that one? S_this − S_that, two classes of each image.
struct Versus {
  static constexpr const char* layer = "";  // the scores
  Tensor classes{};                         // N×2

  Tensor of(const Tensor& scores) const {
    const Tensor two = scores.gather(1, classes.to(scores.device()));
    return two.select(1, 0) - two.select(1, 1);
  }

  /// The same of a choice of the images.
  Versus select(const std::vector<std::int64_t>& rows) const {
    return {classes.index_select(0, torch::tensor(rows, torch::kLong).to(classes.device()))};
  }
};

/// Why what the model says, and not what it says next?
struct VersusNext {
  static constexpr const char* layer = "";

  Tensor of(const Tensor& scores) const {
    const Tensor two = std::get<0>(scores.topk(2, 1));
    return two.select(1, 0) - two.select(1, 1);
  }

  /// Settled on the images themselves, so that noise does not choose other classes.
  template <class M>
  Versus resolve(const M& model, const Images& images) const {
    return {std::get<1>(scores_of(model, images).topk(2, 1))};
  }
};

/// How much more does a channel of a layer respond than another?
struct Contrast {
  std::string layer{};
  std::int64_t more = 0, less = 1;

  Tensor of(const Tensor& output) const {
    const Tensor channels = output.flatten(2).mean(2);
    return channels.select(1, more) - channels.select(1, less);
  }
};

int main() {
  // Three classes, scored by the mean colour: by red, by red and twice green, by blue.
  const Tensor weights = torch::tensor({{3.0F, 0.0F, 0.0F}, {1.0F, 2.0F, 0.0F}, {0.0F, 0.0F, 1.0F}});
  auto model = adapt([&](const Tensor& x) { return mark("colours", x).mean({2, 3}).mm(weights.t()); });
  const Images images =
      torch::tensor({{0.9F, 0.1F, 0.2F}, {0.1F, 0.2F, 0.9F}}).view({2, 3, 1, 1}).expand({2, 3, 4, 4});

  const auto why = Attribution<SmoothGrad>()(model, images, VersusNext{});
  const Tensor counts = why.attribution.sum({2, 3});  // of red, green and blue
  for (std::int64_t n = 0; n < 2; ++n)
    std::cout << "image " << n << ": red " << counts[n][0].item<float>() << ", green "
              << counts[n][1].item<float>() << ", blue " << counts[n][2].item<float>() << "\n";

  const auto both = [](const auto& m, const Images& x) {
    return evaluate(Contrast{"colours", 0, 2}, m, x) + evaluate(Class{1}, m, x);
  };
  const auto dream = Optimizer<Ascent>({.steps = 200, .noise = 0, .height = 4, .width = 4});
  const Images seen = dream(model, both);
  const Tensor color = seen[0].mean({1, 2});
  std::cout << "the dream: red " << color[0].item<float>() << ", green " << color[1].item<float>()
            << ", blue " << color[2].item<float>() << "\n";

  // Image 0 is of class 0, and 1 is next; image 1 of class 2, and 1 is next. Of the dream S = 2 red + 2 green
  // − blue.
  const bool right =
      torch::allclose(counts, torch::tensor({{2.0F, -2.0F, 0.0F}, {-1.0F, -2.0F, 1.0F}}), 1e-4, 1e-5);
  return right && torch::allclose(color, torch::tensor({1.0F, 1.0F, 0.0F})) ? 0 : 1;
}
