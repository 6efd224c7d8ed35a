// A stage of your own: covers what counts most, and asks the model again.
#include <iostream>

#include <pellucid/pellucid.hpp>

using namespace pellucid;

/// What the stage finds, and what the subject has more behind it.
struct Covering {
  Tensor whole{};  ///< N: the objective of the images
  Tensor drop{};   ///< N: how much of it is lost
};

/// Covers the share of the pixels that count most with black.
class CoverStrongest : public Stage<CoverStrongest> {
 public:
  template <class S>
  static constexpr bool takes = std::derived_from<S, Explanation>;  // an attribution
  template <class S>
  using Gives = Adding<S, Covering>;
  static constexpr std::int64_t work = 1;  // it asks the model, which takes time

  explicit CoverStrongest(double share) : share_(share) {
    if (!(share > 0 && share < 1))
      throw Error("CoverStrongest: a share of " + std::to_string(share) +
                  " was given; give one between 0 and 1");
  }

  template <class M, class S>
  Adding<S, Covering> run(const M& model, S subject) const {
    const torch::NoGradGuard no_grad;
    const Tensor worth = subject.attribution.abs().sum(1, true);  // N×1×H×W
    const std::int64_t pixels = worth[0].numel(), covered = std::int64_t(share_ * double(pixels));
    const Tensor least = std::get<0>(worth.flatten(1).kthvalue(pixels - covered, 1));
    const Images rest = subject.images * (worth <= least.view({-1, 1, 1, 1}));

    const auto objective = resolve(subject.objective, model, subject.images);
    const Tensor whole = evaluate(objective, model, subject.images);
    const Tensor drop = whole - evaluate(objective, model, rest);
    subject.report(1, 1);
    return add(std::move(subject), Covering{whole, drop});
  }

 private:
  double share_;
};

int main() {
  // One score: the sum of the picture's values, those of the first of ten rows counted ten times.
  Tensor weights = torch::ones({3, 10, 10});
  weights.select(1, 0).fill_(10);
  auto model = adapt([&](const Tensor& x) { return (x * weights).sum({1, 2, 3}).unsqueeze(1); });

  auto lost = Attribution<InputXGradient>() | CoverStrongest{0.1} | [](const auto&, auto subject) {
    std::cout << "covering 10 % of the pixels takes " << subject.drop[0].template item<double>() << " of "
              << subject.whole[0].template item<double>() << "\n";
    return subject;
  };
  const auto found = lost(model, torch::ones({1, 3, 10, 10}), Class{0});
  return found.drop[0].item<double>() == 300 ? 0 : 1;  // the first row: 3 channels × 10 pixels × 10
}
