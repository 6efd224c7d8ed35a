#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/core/average.hpp>
#include <pellucid/core/execution.hpp>
#include <pellucid/model/recording.hpp>
#include <pellucid/model/script/graph.hpp>
#include <pellucid/model/script/prepare.hpp>

namespace pellucid::detail {

/// A TorchScript module as a network: what `Adapted` runs.
class ScriptNetwork {
 public:
  explicit ScriptNetwork(torch::jit::Module module)
      : module_(in_evaluation(std::move(module))), graph_(module_), arguments_(default_arguments(module_)) {
    for (const Tensor& parameter : module_.parameters()) {
      device_ = parameter.device();
      break;
    }
  }

  /// Where the network is; empty where that cannot be known.
  std::optional<torch::Device> device() const { return device_; }

  Tensor forward(const Tensor& input) const { return observe(input, {""})[0]; }

  /// The network with its constants as an execution wants them: in its layout, of its precision, folded.
  ScriptNetwork prepared(const Execution& how) const {
    ScriptNetwork result = *this;
    result.how_ = how;
    result.mutex_ = std::make_shared<std::mutex>();
    result.plans_ = std::make_shared<Plans>();
    return result;
  }

  /// Nothing: a batch norm is only folded where its convolution is not asked for.
  bool hides(const std::vector<std::string>&) const { return false; }

  std::vector<Tensor> observe(const Tensor& input, const std::vector<std::string>& layers) const {
    const bool converts = how_ && how_->precision == Precision::bfloat16;
    std::vector<c10::IValue> stack = inputs(converts ? input.to(torch::kBFloat16) : input);
    run(plan(layers), stack);
    // A graph with several outputs leaves them one by one on the stack.
    std::vector<Tensor> outputs;
    for (std::size_t i = 0; i < layers.size(); ++i) outputs.push_back(first_tensor(stack[i]));
    return outputs;
  }

  std::vector<LayerInfo> layers(const Tensor& input) const {
    std::vector<LayerInfo> result;
    if (graph_.layers().empty()) return result;
    std::vector<c10::IValue> stack = inputs(input);
    run(torch::jit::Code(graph_.shapes(), "forward"), stack);
    for (std::size_t i = 0; i < graph_.layers().size(); ++i)
      result.push_back({graph_.layers()[i].name, graph_.layers()[i].kind, stack[i].toIntVector(), 0});
    for (const auto& parameter : module_.named_parameters())
      for (LayerInfo& layer : result)
        if (parameter.name.starts_with(without_call(layer.name) + "."))
          layer.parameters += parameter.value.numel();
    return result;
  }

  /// The layers that have weights, in the order in which they run (last).
  std::vector<std::string> weighted_layers(const Tensor&) const {
    std::vector<std::string> result = graph_.weighted_layers();
    if (result.empty()) throw Error("no weights can be found in this TorchScript module: nothing to shuffle");
    return result;
  }

  /// All tensors that the graph computes with, in the order in which they come.
  NamedTensors state() const { return graph_.state(); }

  /// The network with the weights of these layers shuffled: a copy, which shares all others.
  ScriptNetwork shuffled(const std::vector<std::string>& layers, std::uint64_t seed) const {
    ScriptNetwork result = *this;
    result.graph_ = graph_.shuffled(layers, seed);
    result.mutex_ = std::make_shared<std::mutex>();
    result.plans_ = std::make_shared<Plans>();
    return result;
  }

  /// The names that `observe` takes, known without a forward pass.
  std::vector<std::string> names(const Tensor&) const {
    std::vector<std::string> result;
    for (const auto& layer : graph_.layers()) result.push_back(layer.name);
    return result;
  }

 private:
  using Plans = std::map<std::vector<std::string>, torch::jit::Code>;

  static torch::jit::Module in_evaluation(torch::jit::Module module) {
    module.eval();
    return module;
  }

  /// What `forward` takes: the module itself, the images, and the rest.
  std::vector<c10::IValue> inputs(const Tensor& input) const {
    std::vector<c10::IValue> stack{module_._ivalue(), input};
    stack.insert(stack.end(), arguments_.begin(), arguments_.end());
    return stack;
  }

  /// The values of what `forward` takes beyond the images, which must have defaults.
  static std::vector<c10::IValue> default_arguments(const torch::jit::Module& module) {
    std::vector<c10::IValue> values;
    const auto& arguments = module.get_method("forward").function().getSchema().arguments();
    for (std::size_t i = 2; i < arguments.size(); ++i) {
      if (!arguments[i].default_value())
        throw Error("the TorchScript module's forward takes a second input, '" + arguments[i].name() +
                    "'; a model here takes images alone: export a module whose forward has one input");
      values.push_back(*arguments[i].default_value());
    }
    return values;
  }

  /// The scores of a network that gives several things (torchvision's GoogLeNet) are the first of them.
  static Tensor first_tensor(const c10::IValue& value) {
    if (value.isTensor()) return value.toTensor();
    if (value.isTuple() && !value.toTupleRef().elements().empty())
      return first_tensor(value.toTupleRef().elements()[0]);
    if (value.isGenericDict() && !value.toGenericDict().empty())
      return first_tensor(value.toGenericDict().begin()->value());
    throw Error("the TorchScript module gives a " + value.tagKind() +
                "; a model here gives scores, a tensor N×K");
  }

  static void run(const torch::jit::Code& code, std::vector<c10::IValue>& stack) {
    try {
      torch::jit::InterpreterState(code).run(stack);
    } catch (const c10::Error&) {
      throw;
    } catch (const std::exception& error) {
      // The interpreter tells the reason at the end of a trace of the module's own source.
      if (is_out_of_memory(error)) throw;
      const std::string what = error.what();
      const std::size_t reason = what.rfind("Error: ");
      TORCH_CHECK(false, reason == std::string::npos ? what : what.substr(reason + 7));
    }
  }

  torch::jit::Code plan(const std::vector<std::string>& layers) const {
    const std::lock_guard lock(*mutex_);
    const auto found = plans_->find(layers);
    if (found != plans_->end()) return found->second;
    // Each is a copy of the graph; with the values of its own, where they are prepared.
    const std::size_t most_plans = how_ ? 4 : 64;
    if (plans_->size() >= most_plans) plans_->clear();
    const c10::InferenceMode off(false);  // what is made now is there for later passes, too
    const torch::NoGradGuard no_grad;
    const auto graph = graph_.cut(layers);
    if (how_) prepare(graph, *how_);
    return plans_->emplace(layers, torch::jit::Code(graph, "forward")).first->second;
  }

  torch::jit::Module module_;
  ScriptGraph graph_;
  std::optional<Execution> how_{};  ///< it was prepared for
  std::vector<c10::IValue> arguments_;
  std::optional<torch::Device> device_{};
  std::shared_ptr<std::mutex> mutex_ = std::make_shared<std::mutex>();
  std::shared_ptr<Plans> plans_ = std::make_shared<Plans>();
};

}  // namespace pellucid::detail
