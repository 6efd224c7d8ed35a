// expect: An attack asks about a class: give pellucid::Class (the label to get away from) or pellucid::TopClass as the objective.
#include <pellucid/attack/methods/fgsm.hpp>
#include <pellucid/objective/channel.hpp>

void attack(const pellucid::Images& images) {
  const auto model = [](const pellucid::Tensor& x) { return x.flatten(1); };
  pellucid::Attack<pellucid::FGSM>()(model, images, pellucid::Channel{"", 3});
}
