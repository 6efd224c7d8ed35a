#pragma once
#include <memory>

#include <pellucid/core/execution.hpp>
#include <pellucid/model/script/weights.hpp>

namespace pellucid::detail {

/// Converts the tensors that a graph computes with.
inline void convert_constants(torch::jit::Block* block, const Execution& how) {
  for (torch::jit::Node* const node : block->nodes()) {
    for (torch::jit::Block* const inner : node->blocks()) convert_constants(inner, how);
    if (!is_constant_tensor(*node)) continue;
    const Tensor value = converted(node->t(torch::jit::attr::value), how);
    node->t_(torch::jit::attr::value, value);
    node->output()->inferTypeFrom(value);
  }
}

/// A flat graph, whose weights are constants, as an execution wants it.
inline void prepare(std::shared_ptr<torch::jit::Graph> graph, const Execution& how) {
  if (how.folded) torch::jit::FoldFrozenConvBatchnorm(graph);
  convert_constants(graph->block(), how);
}

}  // namespace pellucid::detail
