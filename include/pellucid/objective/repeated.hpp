#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <pellucid/core/concepts.hpp>
#include <pellucid/core/images.hpp>
#include <pellucid/core/recorded.hpp>
#include <pellucid/objective/differentiate.hpp>
#include <pellucid/objective/objective.hpp>

namespace pellucid {

namespace detail {

/// A pass forward to a layer and back to the images, recorded for images of one shape. What it gives lies in
/// memory that its next run writes into.
///
/// A Graph records work that reads and writes the same memory whenever it is done, and does it again:
///   Graph::suits(images)         → whether it can record passes of such images
///   Graph::Aside aside(images)   → recording is done while one lives
///   record(work, before)         does the work and keeps how; `before`, or null, is a graph that is always
///                                replayed first, whose memory it may share
///   replay()
template <class Graph>
class RecordedPass {
 public:
  /// Throws Error where the pass cannot be recorded, and where nothing leads from the layer to the images.
  template <class M>
  RecordedPass(const M& model, const Images& like, const std::string& layer) : images_(leaf(like.clone())) {
    const auto forward = [this, model, layer] { output_ = output_of(model, images_, layer); };
    const auto backward = [this] { gradient_ = torch::autograd::grad({output_}, {images_}, {weights_})[0]; };
    const typename Graph::Aside aside(like);
    const NaNAllowed unlooked;  // a look at numbers waits for them, and a wait cannot be recorded
    try {
      forward();  // libraries choose their kernels and make room
      weights_ = torch::ones_like(output_.detach());
      backward();
      forward_.record(forward, nullptr);
      backward_.record(backward, &forward_);
    } catch (const std::exception& error) {
      if (is_out_of_memory(error)) throw;
      throw Error("the model's pass to " + (layer.empty() ? "the scores" : "layer '" + layer + "'") +
                  " could not be recorded: " + first_line(error.what()) +
                  "; a pass that waits for numbers on the way, or copies from the CPU, cannot be; ask the "
                  "model itself");
    }
  }
  RecordedPass(const RecordedPass&) = delete;
  RecordedPass& operator=(const RecordedPass&) = delete;

  /// The layer's output for these images.
  Tensor forward(const Images& images) {
    const torch::NoGradGuard no_grad;
    images_.copy_(images);
    const torch::AutoGradMode gradients(true);
    forward_.replay();
    return output_.detach();
  }

  /// Σ weights · ∂ output / ∂ images, of the images that went forward last.
  Tensor backward(const Tensor& weights) {
    weights_.copy_(weights);
    backward_.replay();
    return gradient_.detach();
  }

 private:
  Images images_;
  Tensor output_{}, weights_{}, gradient_{};
  Graph forward_{}, backward_{};
};

}  // namespace detail

/// A model that has its passes recorded when images of a shape come for the second time, and repeats them
/// from then on: for gradients with respect to images of objectives about a layer (SmoothGrad, integrated
/// gradients, dreams, inversion). Everything else is asked of the model itself. See with_cuda_graphs().
///
/// What is recorded holds for the model as it is: its weights and its mode must stay, and its way through a
/// pass may depend on the images' shape, not on their values. Each recorded pass keeps its memory; there are
/// at most eight. Copies share them.
template <LayeredModel M, class Graph>
class Repeated : public M {
 public:
  Repeated(M model) : M(std::move(model)) {}  // NOLINT: it is that model

  /// ∂ objective / ∂ images. Throws Error where the pass cannot be recorded.
  template <LayerObjective O>
  Derivative derivative(const O& objective, const Images& images) const {
    const detail::Recorded recorded;
    const auto ask_itself = [&] { return differentiate(objective, static_cast<const M&>(*this), images); };
    if (!Graph::suits(images)) return ask_itself();
    const std::lock_guard lock(passes_->mutex);
    auto& known = passes_->known;
    const std::string layer = objective.layer;
    const Key key{layer, images.sizes().vec(), images.strides().vec(), images.scalar_type(),
                  images.device().index()};
    const auto found = known.find(key);
    if (found == known.end()) {
      Derivative first = ask_itself();
      if (known.size() == most) known.clear();
      known.emplace(key, nullptr);
      return first;
    }
    check_images(images);
    if (found->second == nullptr)
      found->second =
          std::make_unique<detail::RecordedPass<Graph>>(static_cast<const M&>(*this), images, layer);
    const Tensor output = found->second->forward(images).requires_grad_();
    const Tensor values = detail::numbers_of(objective, output, images.size(0));
    const Tensor weights = detail::gradient_of(values, output, "layer '" + layer + "'");
    return {values.detach().clone(), found->second->backward(weights).clone()};
  }

 private:
  using Key = std::tuple<std::string, std::vector<std::int64_t>, std::vector<std::int64_t>, torch::ScalarType,
                         c10::DeviceIndex>;

  static constexpr std::size_t most = 8;

  struct Passes {
    std::mutex mutex{};
    std::map<Key, std::unique_ptr<detail::RecordedPass<Graph>>> known{};  ///< null: seen once
  };

  std::shared_ptr<Passes> passes_ = std::make_shared<Passes>();
};

}  // namespace pellucid
