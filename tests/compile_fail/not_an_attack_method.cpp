// expect: This is not an attack method: a method is a struct of options with a const call operator that takes a model and a subject and returns pellucid::Adversarial images.
#include <pellucid/attack/attack.hpp>

struct Darker {
  double scale = 0.5;
};

auto attack() {
  return pellucid::Attack<Darker>();
}
