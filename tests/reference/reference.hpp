#pragma once
/// Reads the records that make_all.py writes: what PyTorch in Python saw, for tests to compare with.

#include <pellucid/core/torch.hpp>

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace pellucid::reference {

/// One recorded tensor: what a submodule returned in one of its calls, or a named result.
struct Entry {
  std::string name;                 ///< the submodule's path ("" is the whole network), or the result's name
  std::int64_t call = 0;            ///< which call of that submodule, from 0
  std::string kind;                 ///< the submodule's Python class
  std::vector<std::int64_t> shape;  ///< of the whole tensor
  std::int64_t stride = 1;   ///< `values` are elements 0, stride, 2·stride, … of the flattened tensor
  double range = 0;          ///< max − min of the whole tensor
  bool overwritten = false;  ///< an in-place operator changed the tensor later; `values` are from before
  Tensor values;             ///< float32, 1-d

  /// The largest |other − values|, `other` being a tensor of the recorded shape. Throws where the shapes
  /// differ.
  double difference(const Tensor& other) const {
    if (other.sizes() != torch::IntArrayRef(shape)) {
      throw std::runtime_error("reference '" + name + "' has another shape than the tensor to compare");
    }
    const auto kept = other.detach().to(torch::kCPU, torch::kFloat32).flatten().slice(0, 0, {}, stride);
    return (kept - values).abs().max().item<double>();
  }
};

struct Record {
  Tensor input;
  Tensor scores;
  std::vector<Entry> entries;  ///< in the order in which the calls returned

  /// The entry of one call. Throws where there is none.
  const Entry& at(const std::string& name, std::int64_t call = 0) const {
    for (const auto& entry : entries) {
      if (entry.name == name && entry.call == call) return entry;
    }
    throw std::runtime_error("the reference has no call " + std::to_string(call) + " of '" + name + "'");
  }

  /// How many calls of a submodule were recorded.
  std::int64_t calls(const std::string& name) const {
    std::int64_t count = 0;
    for (const auto& entry : entries) count += entry.name == name;
    return count;
  }
};

/// Loads NAME.hooks.pt, gradients/NAME.pt or photos/cropped.pt. Throws c10::Error where the file cannot be
/// read.
inline Record load(const std::string& path) {
  const auto file = torch::jit::load(path);
  const auto list = [&](const char* name) { return file.attr(name).toListRef(); };
  const auto names = list("names");
  const auto calls = file.attr("calls").toIntVector();
  const auto kinds = list("kinds");
  const auto outputs = file.attr("outputs").toTensorVector();
  const auto strides = file.attr("strides").toIntVector();
  const auto shapes = list("shapes");
  const auto ranges = file.attr("ranges").toDoubleVector();
  const auto overwritten = file.attr("overwritten").toIntVector();

  Record record{file.attr("input").toTensor(), file.attr("scores").toTensor(), {}};
  record.entries.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    record.entries.push_back({names[i].toStringRef(), calls[i], kinds[i].toStringRef(),
                              shapes[i].toIntVector(), strides[i], ranges[i], overwritten[i] != 0,
                              outputs[i]});
  }
  return record;
}

}  // namespace pellucid::reference
