#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include <pellucid/core/digest.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/model/weights/checkpoint.hpp>

namespace pellucid {

/// By what a model is known again: SHA-1 over the names, types, shapes and bytes of all its values
/// (`model.state()`), in their order. 40 hex digits.
///
/// What is done with the values is not in it. A model that does not tell them (a function, a callable of your
/// own without `state`) has the digest of nothing, da39a3ee…, so one such cannot be told from another.
template <class M>
std::string model_digest(const M& model) {
  Digest digest;
  if constexpr (requires { NamedTensors(model.state()); }) {
    for (const auto& [name, tensor] : NamedTensors(model.state())) {
      if (!tensor.defined()) continue;
      Tensor plain = tensor.detach();
      if (plain.layout() != torch::kStrided) plain = plain.to_dense();
      plain = plain.to(torch::kCPU).resolve_conj().resolve_neg().contiguous();
      // Not by streams, which write numbers as the host program's locale has them.
      std::string shape;
      for (const std::int64_t side : plain.sizes())
        shape += (shape.empty() ? "" : ", ") + std::to_string(side);
      digest.add(name + "\n" + c10::toString(plain.scalar_type()) + "[" + shape + "]\n");
      digest.add(std::string_view(static_cast<const char*>(plain.data_ptr()), plain.nbytes()));
    }
  }
  return digest.hex();
}

}  // namespace pellucid
