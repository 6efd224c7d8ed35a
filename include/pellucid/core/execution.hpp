#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>

namespace pellucid {

/// How the values of N×C×H×W lie in memory.
enum class Layout {
  contiguous,     ///< channel by channel, as LibTorch makes them
  channels_last,  ///< pixel by pixel: faster for some networks, slower for others
  automatic,      ///< whichever is faster
};

/// What a network computes with. Images, sums, and what is found out are float32 always.
enum class Precision {
  float32,
  bfloat16,   ///< 8 bits of precision, in scores, too: faster where the processor has it. Of float32
              ///< networks; where LibTorch lacks an operator of the network in it, float32 takes its place,
              ///< with a notice
  automatic,  ///< whichever is faster
};

/// How a model is run. A model carries it; methods never mention it. The default is float32 and gives the
/// same numbers for every micro-batch; what is faster, and rounds otherwise, is asked for:
///
///   auto model = load<ResNet>(file, imagenet(), Execution::automatic());
///
/// What is automatic is measured when the model first sees images of a shape, in some passes of a few
/// images, forward and backward, for each way, and remembered.
struct Execution {
  std::int64_t micro_batch = 8;  ///< images in one forward pass; memory grows with it. 0: automatic
  int threads = 0;  ///< LibTorch's threads within an operator, for the whole process from the first call on;
                    ///< 0 leaves them as they are
  std::optional<torch::Device> device{};     ///< the model is brought there; left out, it stays where it is.
                                             ///< Images are brought to it, and what is found back to theirs
  Layout layout = Layout::contiguous;        ///< of the images in memory, and of the weights
  Precision precision = Precision::float32;  ///< of the network
  /// Whether batch norms are folded into the convolutions before them, and the scales of ConvNeXt's blocks
  /// into its linear layers, of networks whose parts can be seen: those of the zoo, and batch norms of
  /// TorchScript files.
  bool folded = false;

  /// As fast as this machine lets it: layout, precision and micro-batch are measured.
  static Execution automatic(Precision precision = Precision::automatic) {
    return {.micro_batch = 0, .layout = Layout::automatic, .precision = precision, .folded = true};
  }

  /// Whether something of it is measured.
  bool is_automatic() const {
    return micro_batch == 0 || layout == Layout::automatic || precision == Precision::automatic;
  }

  /// Whether passes have to be made to know how a model is run: to measure, or to see that it can be.
  bool is_tried_out() const { return is_automatic() || precision == Precision::bfloat16; }

  /// Throws Error for a micro-batch or threads below 0, and for a CUDA device that is not there.
  void check() const {
    if (micro_batch < 0)
      throw Error("Execution: micro_batch is " + std::to_string(micro_batch) +
                  "; give 1 image or more, or 0 for as many as is fastest");
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

/// An `Execution` of which nothing is left to be measured.
struct SettledExecution : Execution {
  std::string notice{};  ///< what there is to say of it: why it is not the one that was asked for

  /// One whose automatic parts nobody can measure has their defaults.
  SettledExecution(const Execution& given = {}) : Execution(given) {  // NOLINT: it is one
    if (micro_batch == 0) micro_batch = Execution{}.micro_batch;
    if (layout == Layout::automatic) layout = Execution{}.layout;
    if (precision == Precision::automatic) precision = Execution{}.precision;
  }
};

/// How a model is run on such images; the default for a model that does not tell.
template <class Model>
SettledExecution execution_of(const Model& model, const Images& images) {
  const auto checked = [](const Execution& execution) {
    execution.check();
    return execution;
  };
  if constexpr (requires { SettledExecution(model.execution(images)); }) {
    return model.execution(images);
  } else if constexpr (requires { Execution(model.execution()); }) {
    return checked(model.execution());
  } else {
    return {};
  }
}

namespace detail {

/// The values N×C×H×W in an order in memory; others as they are.
inline Tensor laid_out(const Tensor& values, Layout layout) {
  if (!values.defined() || values.dim() != 4 || layout == Layout::automatic) return values;
  return values.contiguous(layout == Layout::channels_last ? torch::MemoryFormat::ChannelsLast
                                                           : torch::MemoryFormat::Contiguous);
}

/// The images in the order in memory in which the model is run on them.
template <class Model>
Tensor laid_out(const Model& model, const Images& images) {
  return laid_out(images, execution_of(model, images).layout);
}

/// A network's value, N×C×H×W or other, as an execution wants it. Those of float32 alone get another type.
inline Tensor converted(const Tensor& value, const Execution& how) {
  const torch::NoGradGuard no_grad;
  const Tensor result = value.detach();
  if (how.precision == Precision::bfloat16 && value.scalar_type() == torch::kFloat)
    return laid_out(result.to(torch::kBFloat16), how.layout);
  return laid_out(result, how.layout);
}

}  // namespace detail

}  // namespace pellucid
