// A model of your own type: several networks that answer together, with all their layers.
#include <iostream>

#include <pellucid/pellucid.hpp>

using namespace pellucid;

/// The mean of the scores of several models. Layer features.3 of the second is called 1/features.3.
class Ensemble {
 public:
  explicit Ensemble(std::vector<AnyModel> members) : members_(std::move(members)) {
    if (members_.empty()) throw Error("Ensemble: no model was given; give at least one");
  }

  Tensor operator()(const Images& images) const { return observe(images, {""})[0]; }

  /// All that is asked for, from one pass, so that the scores can be differentiated at each layer.
  std::vector<Tensor> observe(const Images& images, const std::vector<std::string>& layers) const {
    std::vector<Tensor> outputs(layers.size()), scores;
    for (std::size_t member = 0; member < members_.size(); ++member) {
      const std::string prefix = std::to_string(member) + "/";
      std::vector<std::string> wanted{""};
      std::vector<std::size_t> places;
      for (std::size_t i = 0; i < layers.size(); ++i) {
        if (!layers[i].starts_with(prefix)) continue;
        wanted.push_back(layers[i].substr(prefix.size()));
        places.push_back(i);
      }
      const std::vector<Tensor> seen = members_[member].observe(images, wanted);
      scores.push_back(seen[0]);
      for (std::size_t i = 0; i < places.size(); ++i) outputs[places[i]] = seen[i + 1];
    }
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (layers[i].empty()) outputs[i] = torch::stack(scores).mean(0);
      if (!outputs[i].defined())
        throw Error("Ensemble: there is no layer '" + layers[i] +
                    "'; give the number of a model and its layer, such as 0/features.3");
    }
    return outputs;
  }

  // The images are resized once, in front of all, as the first model wants it.
  Images fit(const Images& images) const { return members_[0].fit(images); }
  Preprocess preprocess() const { return members_[0].preprocess(); }
  Execution execution() const { return members_[0].execution(); }

 private:
  std::vector<AnyModel> members_;
};
static_assert(LayeredModel<Ensemble>);

int main() {
  // Two networks that score each colour by its mean, the second three times as high.
  const auto network = [](double factor) {
    return adapt([factor](const Tensor& x) { return mark("colours", factor * x).mean({2, 3}); });
  };
  const Ensemble model({network(1), network(3)});
  const Images images = torch::rand({2, 3, 10, 10});

  const Tensor map = Attribution<Gradient>()(model, images, Class{1}).attribution;
  const Tensor seen = Attribution<GradCAM>({.layer = "1/colours"})(model, images, Class{1}).attribution;
  std::cout << "gradient for green " << map[0][1][0][0].item<double>() << ", for red "
            << map[0][0][0][0].item<double>() << "\n";

  // Green's score is 2 × the mean of 100 values. The second's layer, 3 × green, has half a say in it.
  const Tensor expected = 0.5 / 100 * (3 * images.slice(1, 1, 2));
  const bool right = torch::allclose(map.select(1, 1), torch::full({2, 10, 10}, 0.02)) &&
                     map.select(1, 0).count_nonzero().item<std::int64_t>() == 0;
  return right && torch::allclose(seen, expected) ? 0 : 1;
}
