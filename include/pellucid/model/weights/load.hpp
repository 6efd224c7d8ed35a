#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>
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

}  // namespace detail

/// Copies a checkpoint's values to the parameters and buffers of the same names.
///
/// Floating-point values are converted to the type that the module has; its devices stay. All of the module's
/// names must be there (`num_batches_tracked` may be missing) and no others. `what` (a file's name) begins
/// the message when they are not.
/// Throws Error, and leaves the module as it was, with the first five missing, extra and misshapen tensors.
inline void load_into(torch::nn::Module& module, const Checkpoint& checkpoint, const std::string& what) {
  std::unordered_map<std::string_view, const Tensor*> given;
  for (const auto& [name, tensor] : checkpoint.tensors) given.emplace(name, &tensor);

  std::vector<std::pair<Tensor, const Tensor*>> copies;
  detail::Misfits missing, extra, misshapen;
  for (auto& [name, own] : detail::named_state(module)) {
    const auto found = given.find(name);
    if (found == given.end()) {
      if (!detail::is_batch_count(name)) missing.add(name);
      continue;
    }
    const Tensor& tensor = *found->second;
    if (tensor.sizes() != own.sizes()) {
      misshapen.add(c10::str(name, " is ", tensor.sizes(), " and should be ", own.sizes()));
    } else if (!detail::is_batch_count(name) && !detail::converts(tensor.scalar_type(), own.scalar_type())) {
      misshapen.add(c10::str(name, " holds ", tensor.scalar_type(), " and should hold ", own.scalar_type()));
    } else {
      copies.emplace_back(std::move(own), &tensor);
    }
    given.erase(found);
  }
  for (const auto& [name, tensor] : checkpoint.tensors)
    if (given.contains(name)) extra.add(detail::shown(name));
  if (missing.count + extra.count + misshapen.count > 0)
    throw Error(what + " does not fit this network:" + missing.text("missing") + extra.text("extra") +
                misshapen.text("of another shape or type") +
                "\nA checkpoint of the same architecture and number of classes is expected.");

  const torch::NoGradGuard no_grad;
  for (auto& [own, tensor] : copies) own.copy_(*tensor);
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
