// Methods of your own: an attribution and an attack that the library does not have, in one pipeline.
#include <iomanip>
#include <iostream>

#include <pellucid/pellucid.hpp>

using namespace pellucid;

/// Gradient × sign, A = ∂S/∂x ⊙ (1 where x ≥ middle, −1 where x is darker): black counts as white does.
/// Gumpfer et al., "SIGNed explanations: unveiling relevant features by reducing bias", 2023.
struct GradientXSign {
  double middle = 0.5;

  template <class M, class S>
  Tensor operator()(const M& model, const S& subject) const {
    const Tensor gradient = Gradient{}(model, subject);
    return torch::where(subject.images < middle, -gradient, gradient);
  }
};

/// MI-FGSM, which follows a running sum of gradients:
///   g ← momentum · g + ∇/‖∇‖₁,   x ← clamp(x + ε/steps · sign g) to within ε of the image and to [0, 1]
/// Dong et al., "Boosting adversarial attacks with momentum", 2018.
struct MomentumFGSM {
  double epsilon = 4.0 / 255;
  std::int64_t steps = 10;
  double momentum = 1;

  void check() const {
    if (!(epsilon >= 0) || steps < 1 || !(momentum >= 0))
      throw Error("MomentumFGSM: epsilon " + std::to_string(epsilon) + ", steps " + std::to_string(steps) +
                  " and momentum " + std::to_string(momentum) +
                  " were given; give an epsilon and a momentum of 0 or more, and 1 step or more");
  }

  template <class M, class S>
  Adversarial operator()(const M& model, const S& subject) const {
    const Images low = (subject.images - epsilon).clamp_min(0),
                 high = (subject.images + epsilon).clamp_max(1);
    Images x = subject.images;
    Tensor sum = torch::zeros_like(x);
    for (std::int64_t step = 0; step < steps; ++step) {
      // The subject as it is, but asked how wrong the model is about the label, and at x.
      auto here = subject.about(CrossEntropy{subject.objective.label}, subject.report.part(step, 1, steps));
      here.images = x;
      const Tensor gradient = Gradient{}(model, here);
      const Tensor size = gradient.abs().sum({1, 2, 3}, true).clamp_min(1e-30);
      sum = momentum * sum + gradient / size;
      x = torch::clamp(x + epsilon / double(steps) * sum.sign(), low, high);
    }
    return {x};
  }
};

int main() {
  // Two classes and four pixels: the scores are linear, so all numbers can be worked out by hand.
  const Tensor weights = torch::tensor({{2.0F, 1.0F, -1.0F, 0.5F}, {-1.0F, 2.0F, 1.0F, 0.25F}});
  auto model = adapt([&](const Tensor& x) { return x.flatten(1).mm(weights.t()); });
  const Images images = torch::tensor({0.8F, 0.4F, 0.2F, 0.6F}).view({1, 1, 2, 2});

  auto fooled =
      Attack<MomentumFGSM>({.epsilon = 0.35}) | Attribution<Smoothed<GradientXSign>>({.noise = 0.01});
  const auto found = fooled(model, images, Class{0});
  std::cout << "class " << found.before[0].label << " before, class " << found.after[0].label << " after\n"
            << std::fixed << std::setprecision(2);
  const Tensor before = images.flatten(), after = found.images.flatten(),
               counts = found.attribution.flatten();
  for (std::int64_t i = 0; i < 4; ++i)
    std::cout << "pixel " << i << ": from " << before[i].item<double>() << " to " << after[i].item<double>()
              << ", counts " << counts[i].item<double>() << "\n";

  // Away from class 0 is −, +, +, −. Then the first and the last pixel are dark, the others bright.
  const bool attacked = torch::allclose(after, torch::tensor({0.45F, 0.75F, 0.55F, 0.25F}));
  const Tensor expected = torch::tensor({-2.0F, 1.0F, -1.0F, -0.5F});
  return attacked && torch::allclose(counts, expected) ? 0 : 1;
}
