// expect: This is not a frame callback: it takes a const pellucid::Frame& and returns nothing, or a bool where false ends the optimization.
#include <pellucid/optimizer/presets.hpp>

void film() {
  pellucid::Optimizer<pellucid::Ascent>().every(10, [](int) {});
}
