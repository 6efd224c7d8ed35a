#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/model/modules.hpp>
#include <pellucid/model/recording.hpp>

namespace pellucid {

/// Modules run one after another, each a layer by its place: `features.0`, `features.1`, … What
/// torch::nn::Sequential is, with marks. Who runs it marks the whole.
class StepsImpl : public torch::nn::Module {
 public:
  /// path: the full name of this place in the network, such as `features.1.0.block`; empty for the network.
  explicit StepsImpl(std::string path = "") : path_(std::move(path)) {}

  /// The next step, named by its number.
  template <class Module>
  void push_back(torch::nn::ModuleHolder<Module> step) {
    push_back(std::to_string(steps_.size()), std::move(step));
  }

  /// The next step, with a name of its own. A name may come again: the same module (a ReLU, which has no
  /// parameters) in several places.
  template <class Module>
  void push_back(const std::string& name, torch::nn::ModuleHolder<Module> step) {
    if (!named_children().contains(name))
      register_module(name, std::shared_ptr<torch::nn::Module>(step.ptr()));
    steps_.push_back({full_name(name), step.ptr(), [](void* module, const Tensor& x) -> Tensor {
                        return static_cast<Module*>(module)->forward(x);
                      }});
  }

  /// The full name of a part of this place.
  std::string full_name(const std::string& name) const { return path_.empty() ? name : path_ + "." + name; }

  /// The full name that the next numbered step will have.
  std::string next() const { return full_name(std::to_string(steps_.size())); }

  Tensor forward(Tensor x) {
    for (const Step& step : steps_) x = mark(step.name, step.forward(step.module.get(), x));
    return x;
  }

 private:
  /// A module without its type. (torch::nn::AnyModule is one, too, and takes LibTorch a second to compile.)
  struct Step {
    std::string name;
    std::shared_ptr<void> module;
    Tensor (*forward)(void* module, const Tensor& x);
  };

  std::string path_;
  std::vector<Step> steps_{};
};

/// Holds a StepsImpl as LibTorch holds its own modules.
class Steps : public torch::nn::ModuleHolder<StepsImpl> {
 public:
  using torch::nn::ModuleHolder<StepsImpl>::ModuleHolder;
};

}  // namespace pellucid
