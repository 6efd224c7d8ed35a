#pragma once
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/core/execution.hpp>
#include <pellucid/model/observer.hpp>
#include <pellucid/model/recording.hpp>
#include <pellucid/model/shuffle.hpp>
#include <pellucid/model/weights/checkpoint.hpp>

namespace pellucid::detail {

/// Evaluation mode and no weight gradients, and back.
class ModuleState {
 public:
  explicit ModuleState(torch::nn::Module& module) {
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
  void restore() {
    for (const auto& [part, training] : modes_)
      part->train(training);  // parents first: train() reaches children
    for (Tensor& parameter : trained_) parameter.requires_grad_(true);
  }

 private:
  std::vector<std::pair<std::shared_ptr<torch::nn::Module>, bool>> modes_{};
  std::vector<Tensor> trained_{};
};

/// Keeps a module in evaluation mode and without weight gradients while any of these lives, in whatever
/// thread; then everything is as it was.
class Frozen {
 public:
  explicit Frozen(torch::nn::Module& module) : module_(&module) {
    const std::lock_guard lock(mutex());
    auto [entry, first] = all().try_emplace(module_, Entry{});
    if (first) entry->second.state.emplace(module);
    ++entry->second.users;
  }
  ~Frozen() {
    const std::lock_guard lock(mutex());
    const auto entry = all().find(module_);
    if (--entry->second.users > 0) return;
    entry->second.state->restore();
    all().erase(entry);
  }
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;

 private:
  struct Entry {
    int users = 0;
    std::optional<ModuleState> state{};
  };
  static std::mutex& mutex() {
    static std::mutex one;
    return one;
  }
  static std::map<const torch::nn::Module*, Entry>& all() {
    static std::map<const torch::nn::Module*, Entry> entries;
    return entries;
  }

  const torch::nn::Module* module_;
};

/// A forward pass without its type, so that all C++ models are one type.
struct ForwardPass {
  std::function<Tensor(const Tensor&)> run;
  std::shared_ptr<torch::nn::Module> module{};  ///< that it runs; null: a function
  std::function<ForwardPass()> another{};       ///< the pass of one more module of the build, where told
};

/// A forward pass as a network: what `Adapted` runs. Its marks are its layers; of a module, what nobody
/// marked is seen by an Observer.
class EagerNetwork {
 public:
  explicit EagerNetwork(ForwardPass pass) : pass_(std::move(pass)) {}

  /// Where the network is; empty where that cannot be known.
  std::optional<torch::Device> device() const {
    if (pass_.module != nullptr)
      for (const Tensor& parameter : pass_.module->parameters()) return parameter.device();
    return {};
  }

  Tensor forward(const Tensor& input) const {
    std::optional<Frozen> frozen;
    if (pass_.module != nullptr) {
      OtherValues::check(*pass_.module, values_.get());
      frozen.emplace(*pass_.module);
    }
    return pass_.run(type_ ? input.to(*type_) : input);
  }

  std::vector<LayerInfo> layers(const Tensor& input) const {
    Recording recording;
    record(recording, input);
    std::vector<LayerInfo> list = recording.list();
    if (pass_.module != nullptr) describe(list);
    return list;
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

  /// The layers that have weights and take part in the pass, in the order in which they run (last).
  std::vector<std::string> weighted_layers(const Tensor& input) const {
    const torch::NoGradGuard no_grad;
    std::vector<std::string> result, taken;
    const std::vector<Weight> weights = this->weights();
    Recording recording;
    record(recording, input, &taken);
    std::reverse(taken.begin(), taken.end());
    for (const std::string& layer : taken) {
      const bool weighted =
          std::any_of(weights.begin(), weights.end(), [&](const auto& w) { return w.layer == layer; });
      if (weighted && std::find(result.begin(), result.end(), layer) == result.end()) result.push_back(layer);
    }
    std::reverse(result.begin(), result.end());
    return result;
  }

  /// All values of the module: its parameters, then its buffers.
  NamedTensors state() const {
    NamedTensors result;
    if (pass_.module == nullptr) return result;
    OtherValues::check(*pass_.module, values_.get());
    for (const auto& item : pass_.module->named_parameters()) result.emplace_back(item.key(), item.value());
    for (const auto& item : pass_.module->named_buffers()) result.emplace_back(item.key(), item.value());
    return result;
  }

  /// The network with the weights of these layers shuffled: another module, that shares all other values; or,
  /// where none can be made, the module itself, which has its own values again when the network is gone.
  EagerNetwork shuffled(const std::vector<std::string>& layers, std::uint64_t seed) const {
    const std::vector<Weight> weights = this->weights();
    check_weighted(layers, weights);
    OtherValues::Changes changes;
    for (const Weight& weight : weights)
      if (std::find(layers.begin(), layers.end(), weight.layer) != layers.end())
        changes.emplace_back(weight.value, detail::shuffled(weight.value, seed_of(weight.name, seed)));
    EagerNetwork result = *this;
    if (pass_.another) {
      result.pass_ = pass_.another();
      result.pass_.another = pass_.another;
      share_values(*result.pass_.module, *pass_.module, changes);
      return result;
    }
    result.values_ = std::make_shared<const OtherValues>(pass_.module, changes, values_);
    return result;
  }

  /// Another module with the network's values as an execution wants them: in its layout, of its precision,
  /// folded. All that is the same is shared. Where no other module can be made, the network as it is, and an
  /// Error for another precision.
  EagerNetwork prepared(const Execution& how) const {
    EagerNetwork result = *this;
    if (!pass_.another) {
      if (how.precision == Precision::bfloat16 && pass_.module == nullptr)
        throw Error("it is a function, whose weights cannot be known; give adapt() the module that it calls");
      if (how.precision == Precision::bfloat16)
        throw Error(
            "it takes another module with the same weights; tell adapt() how one is made, by its fourth "
            "argument");
      return result;
    }
    result.pass_ = pass_.another();
    torch::nn::Module& module = *result.pass_.module;
    module.eval();
    share_values(module, *pass_.module, {});
    if (how.folded)
      for (const auto& part : module.modules())
        if (auto* const foldable = dynamic_cast<Foldable*>(part.get()))
          for (const std::string& layer : foldable->fold()) result.hidden_.push_back(layer);
    for (Tensor& value : module.parameters()) {
      value.requires_grad_(false);
      value.set_data(converted(value, how));
    }
    for (Tensor& value : module.buffers()) value.set_data(converted(value, how));
    if (how.precision == Precision::bfloat16) result.type_ = torch::kBFloat16;
    return result;
  }

  /// Whether one of these layers is folded into another, and cannot be seen.
  bool hides(const std::vector<std::string>& layers) const {
    return std::any_of(layers.begin(), layers.end(), [&](const std::string& layer) {
      return std::find(hidden_.begin(), hidden_.end(), without_call(layer)) != hidden_.end();
    });
  }

  /// Why a name that is not a layer is none, if there is more to say.
  std::string about(const std::string& name) const {
    if (pass_.module == nullptr)
      return " Only marked places of a function are layers: x = pellucid::mark(\"name\", x);";
    for (const auto& part : pass_.module->named_modules("", false))
      if (part.key() == name)
        return " It is a module of the network, but one without parameters of its own (a container, an "
               "activation), and the output of such a C++ module cannot be seen from outside. One line in "
               "the "
               "forward that calls it makes it a layer: x = pellucid::mark(\"" +
               name + "\", x);";
    return "";
  }

 private:
  /// What the module itself knows of its layers: of marked places, too, that bear the name of a submodule.
  void describe(std::vector<LayerInfo>& list) const {
    const auto modules = pass_.module->named_modules("", false);
    const auto parameters = pass_.module->named_parameters();
    for (LayerInfo& layer : list) {
      const std::string name = without_call(layer.name);
      if (const auto* const part = modules.find(name)) {
        if (layer.kind == "mark") layer.kind = kind_of(**part);
        for (const Tensor& parameter : (*part)->parameters()) layer.parameters += parameter.numel();
      } else if (const auto* const parameter = parameters.find(name)) {
        if (layer.kind == "mark") layer.kind = "parameter";
        layer.parameters = parameter->numel();
      }
    }
  }

  std::vector<Weight> weights() const {
    if (pass_.module == nullptr)
      throw Error(
          "the weights of a function cannot be shuffled, because nothing tells where they are; give adapt() "
          "the module that it calls");
    std::vector<Weight> result;
    for (const auto& part : pass_.module->named_modules())
      for (const auto& parameter : part.value()->named_parameters(/*recurse=*/false))
        if (is_weight(parameter.value()))
          result.push_back(
              weight_of(part.key(), part.value()->children().empty(), parameter.key(), parameter.value()));
    return result;
  }

  Tensor record(Recording& recording, const Tensor& input, std::vector<std::string>* taken = nullptr) const {
    if (pass_.module == nullptr) return recording.run([&] { return forward(input); });
    // Made anew: loading weights may have replaced the parameters.
    const ParameterNames owners(*pass_.module);
    Observer observer(owners, recording);
    const Tensor scores = recording.run([&] { return forward(input); });
    observer.check();
    if (taken != nullptr) *taken = observer.taken();
    return scores;
  }

  ForwardPass pass_;
  std::shared_ptr<const OtherValues> values_{};  ///< null: the module's own
  std::optional<torch::ScalarType> type_{};      ///< that it computes in, where that is not the images'
  std::vector<std::string> hidden_{};            ///< layers that are folded into others
};

}  // namespace pellucid::detail
