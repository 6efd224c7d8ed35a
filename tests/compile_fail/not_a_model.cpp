// expect: This is not a model: a model is a callable that takes images (a torch::Tensor) and returns scores (a torch::Tensor); pellucid::adapt() makes one of a module or a function.
// expect: Sentence
#include <pellucid/attribution/methods/gradient.hpp>

#include <string>

struct Sentence {
  std::string operator()(const pellucid::Tensor&) const { return "a dog"; }
};

void explain(const pellucid::Images& images) {
  pellucid::Attribution<pellucid::Gradient>()(Sentence{}, images);
}
