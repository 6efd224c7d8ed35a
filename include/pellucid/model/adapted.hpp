#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/execution.hpp>
#include <pellucid/core/images.hpp>
#include <pellucid/core/remedy.hpp>
#include <pellucid/model/layer_names.hpp>
#include <pellucid/model/preprocess.hpp>
#include <pellucid/model/recording.hpp>
#include <pellucid/model/weights/checkpoint.hpp>

namespace pellucid {

/// A network with its preprocessing and the way it is run: a model that speaks pixels and lets its layers be
/// seen. Made by `adapt()` and `load_script()`; copies share the network.
template <class Network>
class Adapted {
 public:
  /// Throws Error on a preprocess or an execution out of range.
  Adapted(Network network, Preprocess preprocess, Execution execution)
      : network_(std::make_shared<const Network>(std::move(network))),
        preprocess_(std::move(preprocess)),
        execution_(execution) {
    preprocess_.check();
    execution_.check();
  }

  /// Images N×3×H×W in [0, 1] → scores N×K, before softmax.
  Tensor operator()(const Images& images) const {
    return run(images, [&](const Tensor& input) { return network_->forward(input); });
  }

  /// The outputs of the named layers, in order, in the autograd graph; "" names the scores. Runs no further
  /// than the last of them where the model allows it (TorchScript and marks do).
  std::vector<Tensor> observe(const Images& images, const std::vector<std::string>& layers) const {
    return run(images, [&](const Tensor& input) {
      check(layers, input);
      std::vector<Tensor> outputs = network_->observe(input, layers);
      for (std::size_t i = 0; i < layers.size(); ++i)
        if (!outputs[i].defined())
          throw Error("layer '" + layers[i] +
                      "' was not reached in this pass: the model took another branch for "
                      "this input than for the first one");
      return outputs;
    });
  }

  /// The output of one layer.
  Tensor activation(const Images& images, const std::string& layer) const {
    return observe(images, {layer})[0];
  }

  /// All layers that can be seen, in the order of their outputs, with their shapes for these images.
  std::vector<LayerInfo> layers(const Images& images) const {
    const torch::NoGradGuard no_grad;
    return run(images, [&](const Tensor& input) { return network_->layers(input); });
  }

  /// The layers that have weights, in the order in which they run for these images; one that runs several
  /// times by its last. Throws Error for a function, whose weights cannot be known.
  std::vector<std::string> weighted_layers(const Images& images) const {
    const torch::NoGradGuard no_grad;
    return run(images, [&](const Tensor& input) { return network_->weighted_layers(input); });
  }

  /// All values that the network computes with, parameters and buffers, by their names. Of a function, whose
  /// values cannot be known, none.
  NamedTensors state() const { return network_->state(); }

  /// The model with the weights of these layers shuffled: the values of each parameter in another order,
  /// which depends on the seed and the parameter's name alone. It shares all other weights with this one.
  ///
  /// This model stays as it is. Only a C++ module that adapt() cannot make another of has the shuffled
  /// weights itself while the result, or a copy, lives, and its own again afterwards, whatever happens;
  /// meanwhile this model refuses to run. Throws Error for a layer without weights.
  Adapted shuffled(const std::vector<std::string>& layers, std::uint64_t seed = 0) const {
    Adapted result(network_->shuffled(layers, seed), preprocess_, execution_);
    result.names_ = names_;
    return result;
  }

  /// Images at the size that the network sees, still in pixels.
  Images fit(const Images& images) const { return preprocess_.fit(images); }

  /// The same network without the resizing and cropping: it sees images of any size as they are.
  Adapted at_any_size() const {
    Adapted result = *this;
    result.preprocess_.resize = result.preprocess_.crop = 0;
    return result;
  }

  /// What the network wants done to an image.
  const Preprocess& preprocess() const { return preprocess_; }
  /// How the network is run.
  const Execution& execution() const { return execution_; }

 private:
  template <class Ask>
  auto run(const Images& images, Ask&& ask) const {
    check_images(images);
    if (execution_.threads > 0 && at::get_num_threads() != execution_.threads)
      at::set_num_threads(execution_.threads);
    return detail::run_on(images, [&] {
      const auto device = network_->device() ? network_->device() : execution_.device;
      Tensor input = preprocess_.normalize(preprocess_.fit(device ? images.to(*device) : images));
      // A network may begin with an operator that overwrites its input, which must not be the caller's.
      if (input.is_alias_of(images)) input = input.clone();
      return ask(input);
    });
  }

  void check(const std::vector<std::string>& layers, const Tensor& input) const {
    // The scores are always there; finding the other names may take a pass.
    if (std::all_of(layers.begin(), layers.end(), [](const auto& layer) { return layer.empty(); })) return;
    const std::lock_guard lock(names_->mutex);
    if (!names_->known) {
      names_->all = network_->names(input);
      names_->known = true;
    }
    for (const std::string& layer : layers) {
      detail::check_layer(layer, names_->all, [&]() -> std::string {
        if constexpr (requires { network_->about(layer); }) return network_->about(layer);
        return "";
      });
    }
  }

  /// The names of the layers, found at the first question about one.
  struct Names {
    std::mutex mutex{};
    bool known = false;
    std::vector<std::string> all{};
  };

  std::shared_ptr<const Network> network_;
  Preprocess preprocess_;
  Execution execution_;
  std::shared_ptr<Names> names_ = std::make_shared<Names>();
};

}  // namespace pellucid
