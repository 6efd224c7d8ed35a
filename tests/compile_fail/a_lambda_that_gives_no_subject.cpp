// expect: These two stages do not fit: the stage on the right of | cannot take what the stage on the left gives (both are named in this message).
#include <pellucid/attribution/methods/gradient.hpp>

auto explain(const pellucid::Images& images) {
  const auto model = [](const pellucid::Tensor& x) { return x.flatten(1); };
  const auto forgetful = [](const auto&, auto) { return 5; };
  const auto why = forgetful | pellucid::Attribution<pellucid::Gradient>();
  return why(model, images);
}
