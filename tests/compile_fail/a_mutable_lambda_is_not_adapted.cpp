// expect: This function cannot be adapted: its call operator must be const (no mutable lambda; capture a torch::jit::Module by reference, or give the module itself to pellucid::adapt()).
#include <pellucid/model/adapt.hpp>

void make() {
  int passes = 0;
  pellucid::adapt([passes](const pellucid::Tensor& x) mutable { return x.flatten(1) * ++passes; });
}
