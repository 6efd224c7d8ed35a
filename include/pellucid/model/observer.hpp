#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pellucid/model/recording.hpp>

namespace pellucid::detail {

/// Which parameter belongs to which layer. A leaf module gives its name to its output; a parameter of a
/// module that has children names its own product (`block.layer_scale`).
class ParameterNames {
 public:
  struct Owner {
    std::string layer{};
    std::string kind{};
    std::int64_t size = 0;  ///< of the parameter
  };

  explicit ParameterNames(torch::nn::Module& module) { add(module, ""); }

  /// The owner of the parameter that a tensor is, or is a view of; null for any other tensor.
  const Owner* owner(const Tensor& tensor) const {
    if (!tensor.defined() || !tensor.has_storage()) return nullptr;
    const auto found = owners_.find(tensor.storage().unsafeGetStorageImpl());
    return found == owners_.end() ? nullptr : &found->second;
  }

 private:
  void add(torch::nn::Module& module, const std::string& path) {
    const auto children = module.named_children();
    const auto own = [&](const auto& named_tensors) {
      for (const auto& item : named_tensors) {
        if (!item.value().defined() || item.value().numel() == 0) continue;
        const bool leaf = children.is_empty();
        const std::string layer = leaf ? path : (path.empty() ? "" : path + ".") + item.key();
        owners_.emplace(item.value().storage().unsafeGetStorageImpl(),
                        Owner{layer, leaf ? short_name(module.name()) : "parameter", item.value().numel()});
      }
    };
    own(module.named_parameters(/*recurse=*/false));
    own(module.named_buffers(/*recurse=*/false));
    for (const auto& child : children) add(*child.value(), (path.empty() ? "" : path + ".") + child.key());
  }

  /// `torch::nn::Conv2dImpl` → `Conv2d`
  static std::string short_name(std::string name) {
    if (const auto colons = name.rfind("::"); colons != std::string::npos) name.erase(0, colons + 2);
    if (name.ends_with("Impl")) name.resize(name.size() - 4);
    return name;
  }

  std::map<const void*, Owner> owners_{};
};

/// Sees the layers of a module that nobody marked, while it lives: every operator of the forward pass is
/// watched, and one that takes a parameter gives its output to that parameter's layer.
///
/// Of nested operators the outermost counts (`conv2d`, not the `mkldnn_convolution` in it). A view of a
/// parameter
/// (`weight.t()`) is still the parameter. Several operators on different parameters of one layer (a product,
/// then a bias) are one call, whose output is the last one's.
class Observer {
 public:
  Observer(const ParameterNames& names, Recording& recording) : names_(names), recording_(recording) {
    outer_ = std::exchange(current(), this);
    handle_ = at::addThreadLocalCallback(at::RecordFunctionCallback(&Observer::start, &Observer::end)
                                             .needsInputs(true)
                                             .needsOutputs(true)
                                             .scopes({at::RecordScope::FUNCTION}));
  }
  ~Observer() {
    at::removeCallback(handle_);
    current() = outer_;
  }
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  /// Whether any operator was seen at all.
  bool saw_operators() const { return operators_ > 0; }

 private:
  using Used = std::set<const void*>;

  /// What the start of an operator leaves for its end.
  struct Operator : at::ObserverContext {
    const ParameterNames::Owner* owner = nullptr;
    Used parameters{};
  };

  static Observer*& current() {
    thread_local Observer* observer = nullptr;
    return observer;
  }

  static std::unique_ptr<at::ObserverContext> start(const at::RecordFunction& function) {
    auto context = std::make_unique<Operator>();
    Observer* const self = current();
    if (self == nullptr || self->depth_++ > 0) return context;
    ++self->operators_;
    for (const c10::IValue& input : function.inputs()) {
      if (input.isTensor()) {
        self->look_at(input.toTensor(), *context);
      } else if (input.isTensorList()) {
        for (const Tensor& tensor : input.toTensorVector()) self->look_at(tensor, *context);
      }
    }
    return context;
  }

  static void end(const at::RecordFunction& function, at::ObserverContext* context) {
    Observer* const self = current();
    if (self == nullptr || --self->depth_ > 0) return;
    const auto& started = static_cast<const Operator&>(*context);
    if (started.owner == nullptr || function.outputs().empty() || !function.outputs()[0].isTensor()) return;
    const Tensor& output = function.outputs()[0].toTensor();
    if (self->names_.owner(output) != nullptr) return;  // a view of the parameter
    self->product(started, output);
  }

  void look_at(const Tensor& tensor, Operator& context) const {
    const ParameterNames::Owner* const owner = names_.owner(tensor);
    if (owner == nullptr) return;
    // Where an operator takes parameters of several layers (a weight and a bias with names of their own), the
    // largest says what it is.
    if (context.owner == nullptr ||
        (context.owner->layer != owner->layer && context.owner->size < owner->size)) {
      context.owner = owner;
      context.parameters.clear();
    }
    if (context.owner->layer == owner->layer) context.parameters.insert(tensor.data_ptr());
  }

  void product(const Operator& started, const Tensor& output) {
    Used& used = used_[started.owner->layer];
    bool fresh = used.empty();
    for (const void* parameter : started.parameters) fresh |= used.contains(parameter);
    if (fresh) used.clear();
    used.insert(started.parameters.begin(), started.parameters.end());
    const auto pause = std::exchange(current(), nullptr);  // copying the output is an operator, too
    recording_.see(started.owner->layer, started.owner->kind, output, Recording::Source::observer, fresh);
    current() = pause;
  }

  const ParameterNames& names_;
  Recording& recording_;
  Observer* outer_ = nullptr;
  at::CallbackHandle handle_{};
  int depth_ = 0;
  std::int64_t operators_ = 0;
  std::map<std::string, Used> used_{};
};

}  // namespace pellucid::detail
