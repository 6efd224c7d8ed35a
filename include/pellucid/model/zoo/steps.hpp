#pragma once
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/model/recording.hpp>

namespace pellucid {

/// Modules run one after another, each a layer by its place: `features.0`, `features.1`, … What
/// torch::nn::Sequential is, with marks. Who runs it marks the whole.
class StepsImpl : public torch::nn::Module {
 public:
  /// path: the full name of this place in the network, such as `features.1.0.block`.
  explicit StepsImpl(std::string path = "") : path_(std::move(path)) {}

  template <class Module>
  void push_back(torch::nn::ModuleHolder<Module> step) {
    register_module(std::to_string(steps_.size()), step.ptr());
    steps_.emplace_back(step);
  }

  /// The full name that the next step will have.
  std::string next() const { return path_ + "." + std::to_string(steps_.size()); }

  Tensor forward(Tensor x) {
    for (std::size_t i = 0; i < steps_.size(); ++i)
      x = mark(path_ + "." + std::to_string(i), steps_[i].forward(x));
    return x;
  }

 private:
  std::string path_;
  std::vector<torch::nn::AnyModule> steps_{};
};

class Steps : public torch::nn::ModuleHolder<StepsImpl> {
 public:
  using torch::nn::ModuleHolder<StepsImpl>::ModuleHolder;
};

}  // namespace pellucid
