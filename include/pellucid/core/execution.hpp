#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>

namespace pellucid {

/// How a model is run. A model carries it; methods never mention it. The default is float32 and gives the
/// same numbers for every micro-batch.
struct Execution {
  std::int64_t micro_batch = 8;  ///< images in one forward pass; memory grows with it
  int threads = 0;  ///< LibTorch's threads within an operator, for the whole process from the first call on;
                    ///< 0 leaves them as they are
  std::optional<torch::Device> device{};  ///< the model is brought there; left out, it stays where it is.
                                          ///< Images are brought to it, and what is found back to theirs

  /// Throws Error for a micro-batch without an image, threads below 0, and a CUDA device that is not there.
  void check() const {
    if (micro_batch < 1)
      throw Error("Execution: micro_batch is " + std::to_string(micro_batch) +
                  "; at least 1 image is needed");
    if (threads < 0)
      throw Error("Execution: threads is " + std::to_string(threads) + "; give 0 (LibTorch's own) or more");
    if (!device || !device->is_cuda()) return;
    if (!at::hasCUDA())
      throw Error("Execution: the device " + device->str() +
                  " was asked for; this LibTorch has none (torch::cuda::is_available() is false); leave "
                  ".device out");
    if (device->has_index() && device->index() >= std::int64_t(at::getNumGPUs()))
      throw Error("Execution: the device " + device->str() + " was asked for; there are " +
                  std::to_string(at::getNumGPUs()) + ", cuda:0 the first of them");
  }
};

/// The `Execution` of a model, or the default one for a model that carries none.
template <class Model>
Execution execution_of(const Model& model) {
  if constexpr (requires { Execution(model.execution()); }) {
    const Execution execution = model.execution();
    execution.check();
    return execution;
  } else {
    return {};
  }
}

}  // namespace pellucid
