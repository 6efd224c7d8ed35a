// expect: This is not a frame callback: it takes a const pellucid::Frame& and returns nothing, or a bool where false ends the optimization. Its call operator is const (no mutable lambda).
#include <pellucid/optimizer/presets.hpp>

void film() {
  int frames = 0;
  pellucid::Optimizer<pellucid::Ascent>().every(10, [frames](const pellucid::Frame&) mutable { ++frames; });
}
