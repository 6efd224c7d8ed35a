#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <pellucid/core/files.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/model/weights/checkpoint.hpp>
#include <pellucid/model/weights/mapped_file.hpp>

namespace pellucid::test {

/// Reads bytes, and looks at every value that they hold. A refusal is fine; any other exception, and whatever
/// the sanitizers see, is not.
template <class Read>
void look_at(Read read, std::string_view bytes) {
  // As a mapped file does, they begin where any type may lie.
  const auto copy =
      std::make_shared<std::vector<std::max_align_t>>(bytes.size() / sizeof(std::max_align_t) + 1);
  auto* data = reinterpret_cast<char*>(copy->data());
  bytes.copy(data, bytes.size());
  try {
    const Checkpoint checkpoint =
        read(InputName("fuzzed", "a checkpoint"), detail::FileBytes{copy, data, bytes.size()});
    for (const auto& [name, tensor] : checkpoint.tensors) tensor.clone();
  } catch (const Error&) {
  }
}

}  // namespace pellucid::test
