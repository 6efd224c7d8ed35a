// expect: This is not an attribution method: a method is a struct of options with a const call operator that takes a model and a subject and returns an attribution (a torch::Tensor or pellucid::Explanation).
// expect: Nothing
#include <pellucid/attribution/attribution.hpp>

struct Nothing {
  int samples = 50;
};

auto why() {
  return pellucid::Attribution<Nothing>();
}
