#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <pellucid/model/script/torch.hpp>
#include <pellucid/model/shuffle.hpp>

namespace pellucid::detail {

/// Whether a node of a graph is a tensor that the graph holds.
inline bool is_constant_tensor(const torch::jit::Node& node) {
  return node.kind() == torch::jit::prim::Constant && node.hasAttribute(torch::jit::attr::value) &&
         node.kindOf(torch::jit::attr::value) == torch::jit::AttributeKind::t;
}

/// The weights of a flat TorchScript graph: constants that bear a name and that of their layer, as markers
/// do.
class ScriptWeights {
 public:
  explicit ScriptWeights(torch::jit::Graph& graph) {
    each_constant(graph.block(), [this](Node& constant, const Node&, std::size_t) {
      if (constant.hasAttribute(torch::jit::attr::name))
        uses_.push_back({&constant,
                         {constant.s(torch::jit::attr::name), constant.s(torch::jit::attr::mode),
                          constant.t(torch::jit::attr::value)}});
    });
  }

  /// Names those of the constants that are a parameter of the module, or a view of one. A frozen file has no
  /// parameters left: there, all that an operator takes, but for running means and variances, have the
  /// operator's name and number (`conv2d#1`) for a layer.
  static void name(const torch::jit::Module& module, torch::jit::Graph& graph) {
    std::vector<Weight> parameters;
    for (const auto& part : module.named_modules())
      for (const auto& parameter : part.value.named_parameters(/*recurse=*/false))
        if (is_weight(parameter.value))
          parameters.push_back(
              weight_of(part.name, part.value.children().size() == 0, parameter.name, parameter.value));
    std::map<std::string, int> operators;  // how many of a kind have weights
    const Node* last = nullptr;
    each_constant(graph.block(), [&](Node& constant, const Node& user, std::size_t input) {
      if (constant.hasAttribute(torch::jit::attr::name)) return;
      if (!parameters.empty()) {
        const auto parameter = std::find_if(parameters.begin(), parameters.end(), [&](const Weight& weight) {
          return lies_in(constant.t(torch::jit::attr::value), weight.value);
        });
        if (parameter != parameters.end()) label(constant, parameter->name, parameter->layer);
        return;
      }
      const std::string argument = argument_of(user, input);
      if (argument.starts_with("running_")) return;
      std::string kind = user.kind().toUnqualString();
      kind.erase(0, kind.find_first_not_of('_'));
      if (last != &user) ++operators[kind];
      last = &user;
      const std::string layer = kind + "#" + std::to_string(operators[kind]);
      label(constant, layer + "." + argument, layer);
    });
  }

  /// The layers in the order in which they run; one that runs several times by its last.
  std::vector<std::string> layers() const {
    std::vector<std::string> result;
    for (auto use = uses_.rbegin(); use != uses_.rend(); ++use)
      if (std::find(result.begin(), result.end(), use->weight.layer) == result.end())
        result.push_back(use->weight.layer);
    std::reverse(result.begin(), result.end());
    return result;
  }

  /// Gives the weights of these layers their values in another order.
  void shuffle(const std::vector<std::string>& layers, std::uint64_t seed) const {
    std::vector<Weight> weights;
    for (const Use& use : uses_) weights.push_back(use.weight);
    check_weighted(layers, weights);
    for (const auto& [constant, weight] : uses_)
      if (std::find(layers.begin(), layers.end(), weight.layer) != layers.end())
        constant->t_(torch::jit::attr::value, shuffled(weight.value, seed_of(weight.name, seed)));
  }

 private:
  using Node = torch::jit::Node;

  struct Use {
    Node* constant = nullptr;
    Weight weight{};
  };

  /// visit(constant, the operator that takes it, as which of its inputs), in the order in which they run.
  static void each_constant(torch::jit::Block* block,
                            const std::function<void(Node&, const Node&, std::size_t)>& visit) {
    for (Node* const node : block->nodes()) {
      for (std::size_t i = 0; i < node->inputs().size(); ++i) {
        Node* const constant = node->input(i)->node();
        if (is_constant_tensor(*constant) && is_weight(constant->t(torch::jit::attr::value)))
          visit(*constant, *node, i);
      }
      for (torch::jit::Block* const inner : node->blocks()) each_constant(inner, visit);
    }
  }

  static void label(Node& constant, const std::string& name, const std::string& layer) {
    constant.s_(torch::jit::attr::name, name);
    constant.s_(torch::jit::attr::mode, layer);
  }

  static std::string argument_of(const Node& node, std::size_t input) {
    const c10::FunctionSchema* const schema = node.maybeSchema();
    return schema != nullptr && input < schema->arguments().size() ? schema->arguments()[input].name()
                                                                   : std::to_string(input);
  }

  /// Several parameters may lie in one storage.
  static bool lies_in(const Tensor& view, const Tensor& parameter) {
    if (!view.is_alias_of(parameter)) return false;
    std::int64_t last = 0;  // of the parameter's elements, counted from its first
    for (std::int64_t d = 0; d < parameter.dim(); ++d) last += (parameter.size(d) - 1) * parameter.stride(d);
    const std::int64_t from = view.storage_offset() - parameter.storage_offset();
    return from >= 0 && from <= last;
  }

  std::vector<Use> uses_{};
};

}  // namespace pellucid::detail
