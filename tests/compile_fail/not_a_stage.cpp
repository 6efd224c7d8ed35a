// expect: One side of | is not a stage: a stage is a callable that takes a model and a subject and returns a subject, such as pellucid::Attribution<Method> or a lambda.
#include <pellucid/attribution/methods/gradient.hpp>

auto why() {
  return pellucid::Attribution<pellucid::Gradient>() | 5;
}
