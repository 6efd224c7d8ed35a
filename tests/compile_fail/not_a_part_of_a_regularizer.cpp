// expect: One of these is not a part of a regularizer: a part is a struct of options with a const member after(centered, step), penalty(centered) (images with the mean image taken off) or shown(images, step).
#include <pellucid/optimizer/presets.hpp>

void dream() {
  pellucid::Regularizer<pellucid::L2, pellucid::Ascent>();
}
