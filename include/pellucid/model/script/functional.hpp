#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/model/script/torch.hpp>

namespace pellucid::detail {

/// Puts `y = relu(x)` in the place of `relu_(x)`, and of every operator that overwrites a tensor in place, so
/// that what a layer gave stays what it was. Operators on a tensor that is also seen through a view are left.
///
/// (LibTorch's own RemoveTensorMutation moves the operator to where its input is made, which it cannot do
/// past a reader in between.)
class Functionalize {
 public:
  explicit Functionalize(const std::shared_ptr<torch::jit::Graph>& graph) : graph_(graph), aliases_(graph) {
    for (Value* const input : graph->inputs())
      if (input->type()->isSubtypeOf(*c10::TensorType::get())) values_.push_back(input);
    collect(graph->block());
    // Backwards, so that what the alias analysis knows of an earlier operator stays true.
    for (auto node = overwriting_.rbegin(); node != overwriting_.rend(); ++node)
      if (!replace(*node)) ++left_;
  }

  /// How many overwriting operators had to be left.
  int left() const { return left_; }

 private:
  using Node = torch::jit::Node;
  using Value = torch::jit::Value;

  static bool overwrites(const Node* node) {
    const std::string name = node->kind().toQualString();
    return name.starts_with("aten::") && name.ends_with("_") && !name.ends_with("__") &&
           node->inputs().size() > 0 && node->outputs().size() == 1;
  }

  /// The value that first held the tensor which a chain of overwriting operators handed on.
  static const Value* first_of(const Value* value) {
    while (overwrites(value->node())) value = value->node()->input(0);
    return value;
  }

  void collect(torch::jit::Block* block) {
    for (Node* const node : block->nodes()) {
      for (Value* const output : node->outputs()) values_.push_back(output);
      for (torch::jit::Block* const inner : node->blocks()) collect(inner);
      if (!overwrites(node)) continue;
      if (block == graph_->block()) {
        overwriting_.push_back(node);
      } else {
        ++left_;  // in a branch or a loop
      }
    }
  }

  bool replace(Node* node) {
    Value* const tensor = node->input(0);
    const Value* const first = first_of(tensor);
    std::vector<Value*> names;  // all values that hold this very tensor
    for (Value* const value : values_) {
      if (first_of(value) == first) {
        names.push_back(value);
      } else if (value->node()->isBefore(node) && aliases_.mayAlias(value, tensor) &&
                 used_behind(value, node)) {
        return false;  // a view of it is read later, and must see the change
      }
    }
    for (Value* const input : graph_->inputs())
      if (input != first && aliases_.mayAlias(input, tensor)) return false;

    const std::string name = node->kind().toQualString();
    Node* const functional =
        graph_->create(c10::Symbol::fromQualString(name.substr(0, name.size() - 1)), node->inputs());
    if (functional->maybeSchema() == nullptr) {
      functional->destroy();
      return false;
    }
    functional->insertBefore(node);
    Value* const changed = of_the_same_type(functional->output(), tensor, node);
    changed->setType(node->output()->type());
    for (Value* const value : names)
      for (const torch::jit::Use& use : std::vector<torch::jit::Use>(value->uses()))
        if (use.user->isAfter(node)) use.user->replaceInput(use.offset, changed);
    std::erase(values_, node->output());
    node->destroy();
    return true;
  }

  /// `x.sub_(y)` keeps the type of x, `x.sub(y)` may take that of y.
  Value* of_the_same_type(Value* result, Value* tensor, Node* before) {
    int tensors = 0;
    for (const Value* const input : before->inputs())
      tensors += input->type()->isSubtypeOf(*c10::TensorType::get()) ? 1 : 0;
    if (tensors < 2) return result;
    const torch::jit::WithInsertPoint here(before);
    return graph_->insert(at::aten::type_as, {result, tensor});
  }

  static bool used_behind(const Value* value, const Node* node) {
    for (const torch::jit::Use& use : value->uses())
      if (use.user->isAfter(node)) return true;
    return false;
  }

  std::shared_ptr<torch::jit::Graph> graph_;
  torch::jit::AliasDb aliases_;
  std::vector<Value*> values_{};
  std::vector<Node*> overwriting_{};
  int left_ = 0;
};

}  // namespace pellucid::detail
