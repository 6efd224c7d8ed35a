#pragma once
#include <cstdint>
#include <exception>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pellucid/model/modules.hpp>
#include <pellucid/model/recording.hpp>

#include <ATen/record_function.h>

namespace pellucid::detail {

/// A module's type as people write it: `torch::nn::Conv2dImpl` → `Conv2d`.
inline std::string kind_of(const torch::nn::Module& module) {
  std::string name = module.name();
  if (const auto colons = name.rfind("::"); colons != std::string::npos) name.erase(0, colons + 2);
  if (name.ends_with("Impl")) name.resize(name.size() - 4);
  return name;
}

/// The inputs of an operator.
///
/// In a program that is compiled without NDEBUG, at::RecordFunction::inputs() checks a member that exists
/// there alone: LibTorch is distributed as a release build, and never sets it. So it is not called, and what
/// it would give is read past its access (which an explicit instantiation may name); the member lies in a
/// gap, and moves no other.
template <auto Inputs>
struct OperatorInputs {
  friend c10::ArrayRef<const c10::IValue> inputs_of(const at::RecordFunction& function) {
    return function.*Inputs;
  }
};
template struct OperatorInputs<&at::RecordFunction::inputs_>;
c10::ArrayRef<const c10::IValue> inputs_of(const at::RecordFunction& function);

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
    if (!tensor.defined() || !tensor.has_storage() || tensor.numel() == 0) return nullptr;
    const auto* const place = static_cast<const char*>(tensor.data_ptr());
    const auto behind = owners_.upper_bound(place);
    if (behind == owners_.begin()) return nullptr;
    const Place& before = std::prev(behind)->second;
    return place < before.end ? &before.owner : nullptr;
  }

 private:
  /// The bytes of a parameter: several may lie in one storage.
  struct Place {
    const char* end = nullptr;
    Owner owner{};
  };

  void add(torch::nn::Module& module, const std::string& path) {
    const auto children = module.named_children();
    const auto own = [&](const auto& named_tensors) {
      for (const auto& item : named_tensors) {
        const Tensor& tensor = item.value();
        if (!tensor.defined() || !tensor.has_storage() || tensor.numel() == 0) continue;
        const bool leaf = children.is_empty();
        const std::string layer = leaf ? path : (path.empty() ? "" : path + ".") + item.key();
        const auto* const begin = static_cast<const char*>(tensor.data_ptr());
        std::int64_t last = 0;  // of its elements, counted from the first
        for (std::int64_t d = 0; d < tensor.dim(); ++d) last += (tensor.size(d) - 1) * tensor.stride(d);
        owners_.emplace(begin, Place{begin + (last + 1) * tensor.element_size(),
                                     Owner{layer, leaf ? kind_of(module) : "parameter", tensor.numel()}});
      }
    };
    own(module.named_parameters(/*recurse=*/false));
    own(module.named_buffers(/*recurse=*/false));
    for (const auto& child : children) add(*child.value(), (path.empty() ? "" : path + ".") + child.key());
  }

  std::map<const char*, Place> owners_{};
};

/// Sees the layers of a module that nobody marked, while it lives: every operator of the forward pass is
/// watched, and one that takes a parameter gives its output to that parameter's layer.
///
/// Of nested operators the outermost counts (`conv2d`, not the `mkldnn_convolution` in it). A view of a
/// parameter (`weight.t()`) is still the parameter, and so is what is computed from parameters alone
/// (`weight * scale`). Several operators on different parameters of one layer (a product,
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

  /// Throws what went wrong meanwhile (memory that ran out).
  void check() const {
    if (failure_ != nullptr) std::rethrow_exception(failure_);
  }

  /// The layers of all parameters that operators took, one by one: of a weight and a bias with names of their
  /// own both, though the output is that of one.
  const std::vector<std::string>& taken() const { return taken_; }

 private:
  using Used = std::set<const void*>;

  /// What the start of an operator leaves for its end.
  struct Operator : at::ObserverContext {
    const ParameterNames::Owner* owner = nullptr;
    Used parameters{};
    bool of_parameters_alone = true;
  };

  struct Pause {
    Observer* observer = std::exchange(current(), nullptr);
    ~Pause() { current() = observer; }
  };

  static Observer*& current() {
    thread_local Observer* observer = nullptr;
    return observer;
  }

  static std::unique_ptr<at::ObserverContext> start(const at::RecordFunction& function) {
    auto context = std::make_unique<Operator>();
    Observer* const self = current();
    if (self == nullptr || self->depth_++ > 0) return context;
    try {
      for (const c10::IValue& input : inputs_of(function)) {
        if (input.isTensor()) {
          self->look_at(input.toTensor(), *context);
        } else if (input.isTensorList()) {
          for (const Tensor& tensor : input.toTensorVector()) self->look_at(tensor, *context);
        }
      }
    } catch (...) {  // what a callback throws is swallowed
      self->failure_ = std::current_exception();
    }
    return context;
  }

  static void end(const at::RecordFunction& function, at::ObserverContext* context) {
    Observer* const self = current();
    if (self == nullptr || --self->depth_ > 0) return;
    const auto& started = static_cast<const Operator&>(*context);
    if (started.owner == nullptr || function.outputs().empty() || !function.outputs()[0].isTensor()) return;
    const Tensor& output = function.outputs()[0].toTensor();
    if (self->owner(output) != nullptr) return;  // a view of the parameter
    try {
      if (started.of_parameters_alone && output.has_storage()) {
        self->derived_.push_back({output, started.owner});
      } else {
        self->product(started, output);
      }
    } catch (...) {
      self->failure_ = std::current_exception();
    }
  }

  /// The owner of a parameter, or of what was computed from parameters alone.
  const ParameterNames::Owner* owner(const Tensor& tensor) const {
    if (const ParameterNames::Owner* const found = names_.owner(tensor); found != nullptr) return found;
    for (const auto& [computed, its_owner] : derived_)
      if (tensor.defined() && tensor.has_storage() && tensor.is_alias_of(computed)) return its_owner;
    return nullptr;
  }

  void look_at(const Tensor& tensor, Operator& context) {
    if (!tensor.defined()) return;
    const ParameterNames::Owner* const owner = this->owner(tensor);
    if (owner == nullptr) context.of_parameters_alone = false;
    if (owner == nullptr) return;
    taken_.push_back(owner->layer);
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
    const Pause pause;  // copying the output is an operator, too
    recording_.see(started.owner->layer, started.owner->kind, output, Recording::Source::observer, fresh);
  }

  const ParameterNames& names_;
  Recording& recording_;
  Observer* outer_ = nullptr;
  at::CallbackHandle handle_{};
  int depth_ = 0;
  std::map<std::string, Used> used_{};
  std::vector<std::string> taken_{};
  std::vector<std::pair<Tensor, const ParameterNames::Owner*>>
      derived_{};  // kept: an address is not used twice
  std::exception_ptr failure_{};
};

}  // namespace pellucid::detail
