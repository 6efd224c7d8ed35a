// expect: This is not a network that load can make for a checkpoint: it must be a ModuleHolder of a module that takes a tensor and gives one, made from its Options, which Options::of(checkpoint, what) reads off a checkpoint's shapes; pellucid::load_into() fills a module that you made yourself.
// expect (GNU): Network = torch::nn::Linear
#include <pellucid/model/load.hpp>

#include <torch/nn.h>

void load_linear() {
  pellucid::load<torch::nn::Linear>("linear.pth");
}
