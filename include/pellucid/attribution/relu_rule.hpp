#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>

#include <torch/csrc/autograd/functions/tensor.h>

namespace pellucid {

/// How the gradient passes a ReLU backwards, in place of the chain rule's R_in = R_out · [x > 0]. For
/// LeakyReLU and ReLU6 (and any other Hardtanh) read their own derivative for [x > 0].
enum class ReluBackward {
  guided,    ///< R_in = max(R_out, 0) · [x > 0]: what is positive both ways (Springenberg 2014)
  deconvnet  ///< R_in = max(R_out, 0): the input does not matter (Zeiler & Fergus 2014)
};

namespace detail {

class ReluHook : public torch::autograd::FunctionPostHook {
 public:
  explicit ReluHook(ReluBackward rule) : rule_(rule) {}

  torch::autograd::variable_list operator()(const torch::autograd::variable_list& gradients_in,
                                            const torch::autograd::variable_list& gradients_out) override {
    torch::autograd::variable_list replaced = gradients_in;
    if (!replaced.empty() && replaced[0].defined() && gradients_out[0].defined())
      // The chain rule's result has the derivative in it already, which is never negative: its sign is
      // R_out's.
      replaced[0] = (rule_ == ReluBackward::guided ? gradients_in : gradients_out)[0].clamp_min(0);
    return replaced;
  }

 private:
  ReluBackward rule_;
};

inline bool is_relu(const std::string& node) {
  for (const std::string_view name :
       {"ReluBackward", "LeakyReluBackward", "HardtanhBackward", "Relu6Backward"})
    if (node.starts_with(name)) return true;
  return false;
}

}  // namespace detail

/// Makes every ReLU, ReLU6 and LeakyReLU between the values and what they came from pass gradients
/// back by a rule: as a module, a function, in place, used twice, in TorchScript. Throws Error where there is
/// none.
struct WithReluBackward {
  ReluBackward rule = ReluBackward::guided;  ///< which

  void operator()(const Tensor& values) const {
    std::size_t found = 0;
    std::vector<torch::autograd::Node*> open;
    std::unordered_set<torch::autograd::Node*> seen;
    if (values.grad_fn() == nullptr) return;  // no path to the images: that is refused by who differentiates
    open.push_back(values.grad_fn().get());
    while (!open.empty()) {
      torch::autograd::Node* const node = open.back();
      open.pop_back();
      if (!seen.insert(node).second) continue;
      if (const auto* const slices = dynamic_cast<const torch::autograd::CopySlices*>(node);
          slices != nullptr && slices->fn != nullptr && detail::is_relu(slices->fn->name()))
        throw Error(
            method() +
            " cannot change a ReLU that overwrites a view (x.flatten(1).relu_()): LibTorch hides it in "
            "the graph; write x = torch::relu(x.flatten(1))");
      if (detail::is_relu(node->name())) {
        node->add_post_hook(std::make_unique<detail::ReluHook>(rule));
        ++found;
      }
      for (const torch::autograd::Edge& edge : node->next_edges())
        if (edge.is_valid()) open.push_back(edge.function.get());
    }
    if (found == 0)
      throw Error(
          method() +
          " changes how ReLUs pass the gradient back, and this network has none on the way to the objective; "
          "the method would be the plain gradient here: use Gradient (or SmoothGrad)");
  }

 private:
  std::string method() const { return rule == ReluBackward::guided ? "GuidedBackprop" : "Deconvnet"; }
};

}  // namespace pellucid
