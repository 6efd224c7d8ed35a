#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/noise.hpp>
#include <pellucid/model/modules.hpp>

namespace pellucid::detail {

/// The values of a tensor in another order, drawn by a seed: each order is as likely as any other (Fisher &
/// Yates). A copy; the tensor stays as it is. What is shuffled is the order in memory, so that a matrix and
/// its transposed view stay those of one another.
inline Tensor shuffled(const Tensor& values, std::uint64_t seed) {
  const c10::InferenceMode off(false);  // it may take the place of a parameter, which must not become one
  const torch::NoGradGuard no_grad;
  const Tensor result = values.detach().to(torch::kCPU).clone(at::MemoryFormat::Preserve);
  const auto shuffle = [&](auto* first) {
    for (std::int64_t i = result.numel() - 1; i > 0; --i)
      std::swap(first[i], first[std::int64_t(uniform(seed, std::uint64_t(i)) * double(i + 1))]);
  };
  switch (result.element_size()) {
    case 1:
      shuffle(static_cast<std::uint8_t*>(result.data_ptr()));
      break;
    case 2:
      shuffle(static_cast<std::uint16_t*>(result.data_ptr()));
      break;
    case 4:
      shuffle(static_cast<std::uint32_t*>(result.data_ptr()));
      break;
    default:
      shuffle(static_cast<std::uint64_t*>(result.data_ptr()));
  }
  return result.to(values.device());
}

/// The seed of one of a network's tensors: another for each name, the same wherever a network has the name.
inline std::uint64_t seed_of(const std::string& name, std::uint64_t seed) {
  std::uint64_t hash = 0xCBF29CE484222325;  // FNV-1a
  for (const char letter : name) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001B3;
  return mixed(mixed(seed) + hash);
}

/// A weight of a network: a parameter, of more than one value.
struct Weight {
  std::string name{};
  std::string layer{};  ///< its module's, where that is a leaf; otherwise its own name (`block.layer_scale`)
  Tensor value{};
};

inline bool is_weight(const Tensor& tensor) {
  return tensor.defined() && tensor.is_floating_point() && tensor.numel() > 1;
}

inline Weight weight_of(const std::string& module, bool leaf, const std::string& name, Tensor value) {
  const std::string whole = module.empty() ? name : module + "." + name;
  return {whole, leaf ? module : whole, std::move(value)};
}

/// Refuses layers that have no weights.
inline void check_weighted(const std::vector<std::string>& layers, const std::vector<Weight>& weights) {
  for (const std::string& layer : layers)
    if (std::none_of(weights.begin(), weights.end(), [&](const auto& w) { return w.layer == layer; }))
      throw Error("layer '" + layer +
                  "' has no weights to shuffle in this model; model.weighted_layers(images) lists those that "
                  "have");
}

/// Other values in the place of some of a module's, while it lives; then its own again, in their own memory.
/// For modules of which no other can be made.
class OtherValues {
 public:
  using Changes = std::vector<std::pair<Tensor, Tensor>>;  ///< tensors of the module, and their other values

  /// On top of `before`, if not null. Throws Error unless those are the values that the module has now. A
  /// pass of it that another thread is in the middle of is not seen.
  OtherValues(std::shared_ptr<torch::nn::Module> module, const Changes& changes,
              std::shared_ptr<const OtherValues> before)
      : module_(std::move(module)), before_(std::move(before)) {
    const std::lock_guard lock(mutex());
    check(*module_, before_.get(), lock);
    const c10::InferenceMode off(false);
    for (const auto& [tensor, values] : changes)
      own_.push_back(
          {tensor, tensor.detach(), version_of(tensor), std::exchange(active()[key(tensor)], this)});
    for (const auto& [tensor, values] : changes) set(tensor, values, next(version_of(tensor)));
  }
  ~OtherValues() {
    const std::lock_guard lock(mutex());
    const c10::InferenceMode off(false);
    for (auto own = own_.rbegin(); own != own_.rend(); ++own) {  // a tensor may have two names
      set(own->tensor, own->values, own->version);
      active()[key(own->tensor)] = own->whose;
      if (own->whose == nullptr) active().erase(key(own->tensor));
    }
  }
  OtherValues(const OtherValues&) = delete;
  OtherValues& operator=(const OtherValues&) = delete;

  /// Throws Error unless the module has these values (null: its own) now, those of its parts included.
  static void check(const torch::nn::Module& module, const OtherValues* values) {
    check(module, values, std::lock_guard(mutex()));
  }

 private:
  struct Own {
    Tensor tensor{};
    Tensor values{};
    c10::VariableVersion version{};
    const OtherValues* whose = nullptr;  ///< the values; null: the module's own
  };

  static void check(const torch::nn::Module& module, const OtherValues* values,
                    const std::lock_guard<std::mutex>&) {
    if (active().empty()) return;
    for (const Tensor& parameter : module.parameters()) {
      const auto found = active().find(key(parameter));
      if (found == active().end()) continue;
      const OtherValues* known = values;
      while (known != nullptr && known != found->second) known = known->before_.get();
      if (known == nullptr)
        throw Error(
            "this C++ module has shuffled weights as long as the model lives that shuffled() gave last: ask "
            "that one, or wait; or tell adapt() how another such module is made, so that a copy is shuffled "
            "instead");
    }
  }

  static const c10::TensorImpl* key(const Tensor& tensor) { return tensor.unsafeGetTensorImpl(); }

  static c10::VariableVersion version_of(const Tensor& tensor) {
    return torch::autograd::impl::version_counter(tensor);
  }

  static c10::VariableVersion next(const c10::VariableVersion& version) {
    return version.enabled() ? c10::VariableVersion(version.current_version() + 1) : version;
  }

  /// A graph that was made with other values sees another version, and LibTorch refuses to differentiate it.
  static void set(Tensor tensor, const Tensor& values, const c10::VariableVersion& version) {
    tensor.set_data(values);
    if (version.enabled()) torch::autograd::impl::set_version_counter(tensor, version);
  }

  static std::mutex& mutex() {
    static std::mutex one;
    return one;
  }
  /// Whose values a tensor has; of those that have their own, nothing. By the tensor and not by the module,
  /// which may be a part of another.
  static std::map<const c10::TensorImpl*, const OtherValues*>& active() {
    static std::map<const c10::TensorImpl*, const OtherValues*> all;
    return all;
  }

  std::shared_ptr<torch::nn::Module> module_;
  std::shared_ptr<const OtherValues> before_;
  std::vector<Own> own_{};
};

/// Gives a module that was made for it the values of another of the same build, in the other's memory, but
/// for those that are changed. Throws Error where the two are not of one build.
inline void share_values(torch::nn::Module& with, const torch::nn::Module& of,
                         const OtherValues::Changes& changes) {
  const torch::NoGradGuard no_grad;
  const auto share = [&](auto theirs, auto ours) {
    bool fits = theirs.size() == ours.size();
    for (const auto& item : ours) {
      Tensor* const their = theirs.find(item.key());
      fits = fits && their != nullptr && their->sizes() == item.value().sizes();
      if (!fits)
        throw Error(
            "adapt: the function that makes another module makes one of another build, without the '" +
            item.key() + "' of the module given; make it from the same options");
      const auto change = std::find_if(changes.begin(), changes.end(),
                                       [&](const auto& one) { return one.first.is_same(item.value()); });
      their->set_data(change == changes.end() ? item.value().detach() : change->second);
    }
  };
  share(with.named_parameters(), of.named_parameters());
  share(with.named_buffers(), of.named_buffers());
}

}  // namespace pellucid::detail
