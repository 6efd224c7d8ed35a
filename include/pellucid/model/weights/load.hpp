#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/model/modules.hpp>
#include <pellucid/model/weights/checkpoint.hpp>

namespace pellucid {

namespace detail {

/// Parameters and buffers themselves, in the order of PyTorch's state dictionary: of each module its own
/// parameters, its own buffers, then its children.
inline NamedTensors named_state(const torch::nn::Module& module) {
  NamedTensors state;
  const auto add = [&](const std::string& prefix, const torch::nn::Module& part) {
    for (const auto& parameter : part.named_parameters(/*recurse=*/false))
      state.emplace_back(prefix + parameter.key(), parameter.value());
    for (const auto& buffer : part.named_buffers(/*recurse=*/false))
      state.emplace_back(prefix + buffer.key(), buffer.value());
  };
  add("", module);
  for (const auto& part : module.named_modules("", /*include_self=*/false))
    add(part.key() + ".", *part.value());
  return state;
}

/// The reasons of one kind why a checkpoint does not fit: how many, and the first five.
struct Misfits {
  void add(const std::string& text) {
    if (count++ < 5) first += (first.empty() ? "" : ", ") + text;
  }
  std::string text(const std::string& kind) const {
    if (count == 0) return "";
    return "\n  " + kind + " (" + std::to_string(count) + "): " + first + (count > 5 ? ", …" : "");
  }
  std::size_t count = 0;
  std::string first{};
};

/// Whether values of one type may be stored as the other: floats as floats, everything else as it is.
inline bool converts(at::ScalarType from, at::ScalarType to) {
  return from == to || (at::isFloatingType(from) && at::isFloatingType(to));
}

/// Only batch norms without a fixed momentum ever read it, files older than PyTorch 0.4.1 lack it, and
/// LibTorch's Module::to(type) makes a float of it.
inline bool is_batch_count(std::string_view name) {
  constexpr std::string_view count = "num_batches_tracked";
  return name.ends_with(count) &&
         (name.size() == count.size() || name[name.size() - count.size() - 1] == '.');
}

/// Whether a module may have the memory of a checkpoint's tensor in the place of its own: of the same kind
/// and layout, and neither used by anybody else (a tensor of two names, or parameters that lie in one).
inline bool can_take_over(const Tensor& own, const Tensor& tensor) {
  const auto alone = [](const Tensor& x) {
    return x.layout() == torch::kStrided && x.has_storage() && x.storage().use_count() == 1;
  };
  return tensor.use_count() == 1 && tensor.scalar_type() == own.scalar_type() &&
         tensor.device() == own.device() && tensor.layout() == own.layout() && !tensor.requires_grad() &&
         !tensor.is_conj() && !tensor.is_neg() && !tensor.is_inference() && !own.is_inference() &&
         tensor.strides() == own.strides() && alone(own) && alone(tensor);
}

/// What belongs together: a module's parameter or buffer, and the tensor of a checkpoint.
using Matches = std::vector<std::pair<Tensor, const Tensor*>>;

/// Throws Error where a checkpoint does not fit the module.
inline Matches match(const torch::nn::Module& module, const Checkpoint& checkpoint, const std::string& what) {
  std::unordered_map<std::string_view, const Tensor*> given;
  for (const auto& [name, tensor] : checkpoint.tensors) given.emplace(name, &tensor);

  Matches matches;
  Misfits missing, extra, misshapen;
  for (auto& [name, own] : named_state(module)) {
    const auto found = given.find(name);
    if (found == given.end()) {
      if (!is_batch_count(name)) missing.add(name);
      continue;
    }
    const Tensor& tensor = *found->second;
    if (tensor.sizes() != own.sizes()) {
      misshapen.add(c10::str(name, " is ", tensor.sizes(), " and should be ", own.sizes()));
    } else if (!is_batch_count(name) && !converts(tensor.scalar_type(), own.scalar_type())) {
      misshapen.add(c10::str(name, " holds ", tensor.scalar_type(), " and should hold ", own.scalar_type()));
    } else {
      matches.emplace_back(std::move(own), &tensor);
    }
    given.erase(found);
  }
  for (const auto& [name, tensor] : checkpoint.tensors)
    if (given.contains(name)) extra.add(shown(name));
  if (missing.count + extra.count + misshapen.count > 0)
    throw Error(what + " does not fit this network:" + missing.text("missing") + extra.text("extra") +
                misshapen.text("of another shape or type") +
                "\nA checkpoint of the same architecture and number of classes is expected.");
  return matches;
}

}  // namespace detail

/// Copies a checkpoint's values to the parameters and buffers of the same names.
///
/// Floating-point values are converted to the type that the module has; its devices stay. All of the module's
/// names must be there (`num_batches_tracked` may be missing) and no others. `what` (a file's name) begins
/// the message when they are not.
/// Throws Error, and leaves the module as it was, with the first five missing, extra and misshapen tensors.
inline void load_into(torch::nn::Module& module, const Checkpoint& checkpoint, const std::string& what) {
  const torch::NoGradGuard no_grad;
  for (auto& [own, tensor] : detail::match(module, checkpoint, what)) own.copy_(*tensor);
}

/// The same for a checkpoint that is given up: `load_into(*module, read_checkpoint(path), path)`.
///
/// The module takes over the memory of each tensor that has its type, layout and device already and that
/// nobody else uses, and copies the others; so weights are never there twice. Of a file, that memory is the
/// mapped file: values are read when the network first uses them, and while the module lives the file may be
/// replaced by renaming, but not shortened or overwritten. Who cannot promise that gives a named checkpoint,
/// whose values are copied.
inline void load_into(torch::nn::Module& module, Checkpoint&& checkpoint, const std::string& what) {
  const torch::NoGradGuard no_grad;
  for (auto& [own, tensor] : detail::match(module, checkpoint, what)) {
    if (detail::can_take_over(own, *tensor)) {
      own.set_data(*tensor);
    } else {
      own.copy_(*tensor);
    }
  }
  checkpoint = {};
}

/// A module's parameters and buffers by name, in the order of PyTorch's state dictionary: what
/// `write_safetensors` writes and `load_into` wants.
///
/// With a type (`torch::kHalf`) floating-point values are converted to it, and integers stay; without one the
/// tensors are the module's own, not copies. Throws Error for a type that is not floating point.
inline NamedTensors state_of(const torch::nn::Module& module,
                             std::optional<torch::ScalarType> type = std::nullopt) {
  if (type && !at::isFloatingType(*type))
    throw Error(c10::str("state_of: weights as ", *type,
                         " were asked for; a floating-point type is expected, "
                         "such as torch::kHalf"));
  NamedTensors state = detail::named_state(module);
  for (auto& [name, tensor] : state) {
    tensor = tensor.detach();
    if (type && tensor.is_floating_point()) tensor = tensor.to(*type);
  }
  return state;
}

}  // namespace pellucid
