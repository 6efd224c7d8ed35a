#pragma once
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/model/observer.hpp>
#include <pellucid/model/recording.hpp>

namespace pellucid::detail {

/// Evaluation mode and no weight gradients while it lives; then everything as it was.
class Frozen {
 public:
  explicit Frozen(torch::nn::Module& module) {
    bool training = false;
    for (const auto& part : module.modules()) {
      modes_.emplace_back(part, part->is_training());
      training |= part->is_training();
    }
    if (training) {
      module.eval();
    } else {
      modes_.clear();
    }
    for (Tensor& parameter : module.parameters()) {
      if (!parameter.requires_grad()) continue;
      parameter.requires_grad_(false);
      trained_.push_back(parameter);
    }
  }
  ~Frozen() {
    for (const auto& [part, training] : modes_)
      part->train(training);  // parents first: train() reaches children
    for (Tensor& parameter : trained_) parameter.requires_grad_(true);
  }
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;

 private:
  std::vector<std::pair<std::shared_ptr<torch::nn::Module>, bool>> modes_{};
  std::vector<Tensor> trained_{};
};

/// A function of a tensor as a network: what `Adapted` runs. Its marks are its layers; of a module, what
/// nobody marked is seen by an Observer.
template <class Forward>
class EagerNetwork {
 public:
  explicit EagerNetwork(Forward forward, std::shared_ptr<torch::nn::Module> module = nullptr)
      : forward_(std::move(forward)), module_(std::move(module)) {
    if (module_ != nullptr) owners_ = std::make_shared<const ParameterNames>(*module_);
  }

  Tensor forward(const Tensor& input) const {
    std::optional<Frozen> frozen;
    if (module_ != nullptr) frozen.emplace(*module_);
    return forward_(input);
  }

  std::vector<LayerInfo> layers(const Tensor& input) const {
    Recording recording;
    record(recording, input);
    return recording.list();
  }

  std::vector<std::string> names(const Tensor& input) const {
    const torch::NoGradGuard no_grad;
    std::vector<std::string> result;
    for (const LayerInfo& layer : layers(input)) result.push_back(layer.name);
    return result;
  }

  std::vector<Tensor> observe(const Tensor& input, const std::vector<std::string>& layers) const {
    Recording recording(layers);
    const Tensor scores = record(recording, input);
    std::vector<Tensor> outputs;
    for (const std::string& layer : layers)
      outputs.push_back(layer.empty() ? scores : recording.output(layer));
    return outputs;
  }

  /// Why a name that is not a layer is none, if there is more to say.
  std::string about(const std::string& name) const {
    if (module_ == nullptr)
      return " Only marked places of a function are layers: x = pellucid::mark(\"name\", x);";
    for (const auto& part : module_->named_modules("", false))
      if (part.key() == name)
        return " It is a module of the network, but one without parameters of its own (a container, an "
               "activation), and the output of such a C++ module cannot be seen from outside. One line in "
               "the "
               "forward that calls it makes it a layer: x = pellucid::mark(\"" +
               name + "\", x);";
    return "";
  }

 private:
  Tensor record(Recording& recording, const Tensor& input) const {
    if (module_ == nullptr) return recording.run([&] { return forward(input); });
    const Observer observer(*owners_, recording);
    const Tensor scores = recording.run([&] { return forward(input); });
    if (!observer.saw_operators())
      throw Error(
          "no operator of this module could be seen: include pellucid's headers before LibTorch's, or "
          "compile with NDEBUG",
          Fault::failure);
    return scores;
  }

  Forward forward_;
  std::shared_ptr<torch::nn::Module> module_;
  std::shared_ptr<const ParameterNames> owners_;
};

}  // namespace pellucid::detail
