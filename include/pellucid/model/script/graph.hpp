#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/model/script/functional.hpp>
#include <pellucid/model/script/in_place.hpp>
#include <pellucid/model/script/torch.hpp>
#include <pellucid/model/script/weights.hpp>
#include <pellucid/model/weights/checkpoint.hpp>

namespace pellucid::detail {

/// The forward method of a TorchScript module as one flat graph, in which the outputs of its submodules are
/// known by name.
///
/// Every call of a submodule is replaced by its body, and a marker (`prim::Print` with the submodule's path,
/// which is never run) is left at its output: no pass takes it for dead code, and it stands before whatever
/// overwrites the output in place. Attributes become constants, so that branches on them fold away.
class ScriptGraph {
 public:
  struct Layer {
    std::string name{};
    std::string kind{};
  };

  explicit ScriptGraph(const torch::jit::Module& module)
      : module_(module), graph_(module.get_method("forward").graph()->copy()) {
    while (torch::jit::Node* const call = next_call(graph_->block())) inline_call(call);
    torch::jit::Inline(*graph_);
    remove_warnings(graph_->block());
    fold_attributes();
    torch::jit::ConstantPropagation(graph_);
    mend_constants(graph_->block());
    torch::jit::EliminateExceptions(graph_);  // a check that can fail keeps all behind it alive
    torch::jit::ConstantPropagation(graph_);
    torch::jit::RemoveListMutation(graph_);
    overwritten_ = Functionalize(graph_).left() > 0;
    torch::jit::ConstantPropagation(graph_);
    torch::jit::EliminateDeadCode(graph_);
    for (torch::jit::Node* const node : graph_->nodes())
      for (torch::jit::Block* const inner : node->blocks()) remove_markers(inner);
    torch::jit::EliminateDeadCode(graph_);
    name_layers();
    ScriptWeights::name(module_, *graph_);
  }

  /// The observable layers in the order of their outputs; those called several times as `name#1`, `name#2`…
  const std::vector<Layer>& layers() const { return layers_; }

  /// The layers that have weights, in the order in which they run (last).
  std::vector<std::string> weighted_layers() const { return ScriptWeights(*graph_).layers(); }

  /// All tensors that the graph computes with: its constants in their order, those that are weights by their
  /// names. Where it still reads attributes (which the forward pass writes), the module's values, too.
  NamedTensors state() const {
    NamedTensors result;
    if (collect_constants(graph_->block(), result)) {
      for (const auto& item : module_.named_parameters()) result.emplace_back(item.name, item.value);
      for (const auto& item : module_.named_buffers()) result.emplace_back(item.name, item.value);
    }
    return result;
  }

  /// The graph with the weights of these layers shuffled: a copy, which shares all others.
  ScriptGraph shuffled(const std::vector<std::string>& layers, std::uint64_t seed) const {
    ScriptGraph result = *this;
    result.graph_ = graph_->copy();
    ScriptWeights(*result.graph_).shuffle(layers, seed);
    return result;
  }

  /// The graph that computes the named layers ("" is the module's own output) and nothing behind them.
  std::shared_ptr<torch::jit::Graph> cut(const std::vector<std::string>& wanted) const {
    const auto graph = graph_->copy();
    torch::jit::Value* const whole = graph->outputs().at(0);
    std::optional<torch::jit::AliasDb> aliases;  // costly, and seldom wanted
    if (overwritten_) aliases.emplace(graph);
    std::map<std::string, torch::jit::Value*> outputs{{"", whole}};
    const std::vector<torch::jit::Node*> markers = markers_of(*graph);
    for (std::size_t i = 0; i < markers.size(); ++i) {
      torch::jit::Value* value = markers[i]->input();
      const bool is_wanted = std::find(wanted.begin(), wanted.end(), layers_[i].name) != wanted.end();
      if (is_wanted && aliases && aliases->hasWriters(value)) {  // something overwrites it later
        const torch::jit::WithInsertPoint at(markers[i]);
        value = graph->insert(at::aten::clone, {value});
      }
      outputs[layers_[i].name] = value;
    }
    for (torch::jit::Node* const marker : markers) marker->destroy();
    while (!graph->outputs().empty()) graph->eraseOutput(0);
    for (const std::string& name : wanted) graph->registerOutput(outputs.at(name));
    torch::jit::EliminateDeadCode(graph);
    if (!overwritten_) reuse_memory(*graph);
    return graph;
  }

  /// The graph that computes the shape of each layer's output, and needs no output longer than the network
  /// itself does.
  std::shared_ptr<torch::jit::Graph> shapes() const {
    const auto graph = graph_->copy();
    while (!graph->outputs().empty()) graph->eraseOutput(0);
    for (torch::jit::Node* const marker : markers_of(*graph)) {
      const torch::jit::WithInsertPoint here(marker);
      graph->registerOutput(graph->insert(at::aten::size, {marker->input()}));
      marker->destroy();
    }
    torch::jit::EliminateDeadCode(graph);
    return graph;
  }

 private:
  using Path = std::vector<std::string>;

  static bool is_marker(const torch::jit::Node* node) {
    return node->kind() == torch::jit::prim::Print && node->hasAttribute(torch::jit::attr::name);
  }

  static std::vector<torch::jit::Node*> markers_of(torch::jit::Graph& graph) {
    std::vector<torch::jit::Node*> markers;
    for (torch::jit::Node* const node : graph.nodes())
      if (is_marker(node)) markers.push_back(node);
    return markers;
  }

  /// A layer inside a branch or a loop that is left may be called any number of times: it has no name.
  static void remove_markers(torch::jit::Block* block) {
    for (auto node = block->nodes().begin(); node != block->nodes().end();) {
      torch::jit::Node* const current = *node++;
      for (torch::jit::Block* const inner : current->blocks()) remove_markers(inner);
      if (is_marker(current)) current->destroy();
    }
  }

  static torch::jit::Node* next_call(torch::jit::Block* block) {
    for (torch::jit::Node* const node : block->nodes()) {
      if (node->kind() == torch::jit::prim::CallMethod && path_of(node->input(0))) return node;
      for (torch::jit::Block* const inner : node->blocks())
        if (torch::jit::Node* const call = next_call(inner)) return call;
    }
    return nullptr;
  }

  /// The attribute path from the module to an object: the chain of `prim::GetAttr` that leads to it.
  static std::optional<Path> path_of(const torch::jit::Value* object) {
    Path path;
    const torch::jit::Node* node = object->node();
    for (; node->kind() == torch::jit::prim::GetAttr; node = node->input()->node())
      path.insert(path.begin(), node->s(torch::jit::attr::name));
    if (node->kind() != torch::jit::prim::Param || node->owningBlock() != node->owningGraph()->block())
      return {};
    return path;
  }

  torch::jit::Module at(const Path& path) const {
    torch::jit::Module module = module_;
    for (const std::string& name : path) module = module.attr(name).toModule();
    return module;
  }

  void inline_call(torch::jit::Node* call) {
    const Path path = *path_of(call->input(0));
    const torch::jit::Module callee = at(path);
    const std::string method = call->s(torch::jit::attr::name);
    const auto body = callee.get_method(method).graph();
    const torch::jit::WithInsertPoint here(call);
    torch::jit::Value* const output = torch::jit::insertGraph(*graph_, *body, call->inputs()).at(0);
    // A traced module that is called again has the methods forward1, forward2…
    if (method.starts_with("forward") && output->type()->isSubtypeOf(*c10::TensorType::get())) {
      torch::jit::Node* const marker =
          graph_->insertNode(graph_->create(torch::jit::prim::Print, {output}, 0));
      marker->s_(torch::jit::attr::name, c10::Join(".", path));
      marker->s_(torch::jit::attr::mode, callee.type()->name()->name());
    }
    call->output()->replaceAllUsesWith(output);
    call->destroy();
  }

  void fold_attributes() {
    std::set<std::string> written;
    std::vector<torch::jit::Node*> reads;
    collect_attributes(graph_->block(), written, reads);
    for (torch::jit::Node* const read : reads) {
      const auto path = path_of(read->input());
      const std::string& name = read->s(torch::jit::attr::name);
      if (!path || written.contains(name)) continue;
      c10::IValue value = at(*path).attr(name);
      if (value.isModule()) continue;
      if (value.isTensor()) value = value.toTensor().detach();
      const torch::jit::WithInsertPoint here(read);
      if (const auto constant = torch::jit::tryInsertConstant(*graph_, value)) {
        read->output()->replaceAllUsesWith(*constant);
        read->destroy();
      }
    }
  }

  static void collect_attributes(torch::jit::Block* block, std::set<std::string>& written,
                                 std::vector<torch::jit::Node*>& reads) {
    for (torch::jit::Node* const node : block->nodes()) {
      if (node->kind() == torch::jit::prim::SetAttr) written.insert(node->s(torch::jit::attr::name));
      if (node->kind() == torch::jit::prim::GetAttr) reads.push_back(node);
      for (torch::jit::Block* const inner : node->blocks()) collect_attributes(inner, written, reads);
    }
  }

  /// Returns whether the block reads attributes, too.
  static bool collect_constants(const torch::jit::Block* block, NamedTensors& constants) {
    namespace attr = torch::jit::attr;
    bool reads = false;
    for (const torch::jit::Node* const node : block->nodes()) {
      reads |= node->kind() == torch::jit::prim::GetAttr;
      if (is_constant_tensor(*node))
        constants.emplace_back(node->hasAttribute(attr::name) ? node->s(attr::name) : "",
                               node->t(attr::value));
      for (const torch::jit::Block* const inner : node->blocks())
        reads |= collect_constants(inner, constants);
    }
    return reads;
  }

  /// What a module warns of (torchvision's GoogLeNet: of its result's type) it would warn of in every pass.
  static void remove_warnings(torch::jit::Block* block) {
    for (auto node = block->nodes().begin(); node != block->nodes().end();) {
      torch::jit::Node* const current = *node++;
      for (torch::jit::Block* const inner : current->blocks()) remove_warnings(inner);
      if (current->kind() == torch::jit::aten::warn) current->destroy();
    }
  }

  /// Constant propagation gives a None the type of what it is cast to, in a branch that is never taken (of
  /// torch.nn.Upsample), and the passes behind it look for the value of such a constant.
  static void mend_constants(torch::jit::Block* block) {
    for (torch::jit::Node* const node : block->nodes()) {
      for (torch::jit::Block* const inner : node->blocks()) mend_constants(inner);
      if (node->kind() == torch::jit::prim::Constant && !node->hasAttribute(torch::jit::attr::value) &&
          node->output()->type()->kind() != c10::TypeKind::FunctionType)
        node->output()->setType(c10::NoneType::get());
    }
  }

  void name_layers() {
    std::map<std::string, int> calls;
    for (const torch::jit::Node* const node : graph_->nodes())
      if (is_marker(node)) ++calls[node->s(torch::jit::attr::name)];
    std::map<std::string, int> seen;
    for (const torch::jit::Node* const node : graph_->nodes()) {
      if (!is_marker(node)) continue;
      std::string name = node->s(torch::jit::attr::name);
      if (calls[name] > 1) name += "#" + std::to_string(++seen[name]);
      layers_.push_back({name, node->s(torch::jit::attr::mode)});
    }
  }

  torch::jit::Module module_;
  std::shared_ptr<torch::jit::Graph> graph_;
  bool overwritten_ = false;  ///< whether an operator is left that overwrites a tensor in place
  std::vector<Layer> layers_{};
};

}  // namespace pellucid::detail
