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
#include <pellucid/model/ways.hpp>
#include <pellucid/model/weights/checkpoint.hpp>

namespace pellucid {

/// A network with its preprocessing and the way it is run: a model that speaks pixels and lets its layers be
/// seen. Made by `adapt()` and `load_script()`; copies share the network.
template <class Network>
class Adapted {
 public:
  /// Throws Error on a preprocess or an execution out of range.
  Adapted(Network network, Preprocess preprocess, Execution execution)
      : ways_(std::make_shared<detail::Ways<Network>>(std::make_shared<const Network>(std::move(network)))),
        preprocess_(std::move(preprocess)),
        execution_(execution) {
    preprocess_.check();
    execution_.check();
  }

  /// Images N×3×H×W in [0, 1] → scores N×K, before softmax.
  Tensor operator()(const Images& images) const {
    return run(images, [&](const Tensor& input) {
      const SettledExecution how = ways_->settled(execution_, input);
      return detail::widened(ways_->prepared(how)->forward(detail::laid_out(input, how.layout)), input);
    });
  }

  /// The outputs of the named layers, in order, in the autograd graph, in what the network computes with; ""
  /// names the scores. Runs no further than the last of them where the model allows it (TorchScript and marks
  /// do).
  std::vector<Tensor> observe(const Images& images, const std::vector<std::string>& layers) const {
    return run(images, [&](const Tensor& input) {
      check(layers, input);
      SettledExecution how = ways_->settled(execution_, input);
      auto network = ways_->prepared(how);
      if (network->hides(layers)) {
        how.folded = false;
        network = ways_->prepared(how);
      }
      std::vector<Tensor> outputs = network->observe(detail::laid_out(input, how.layout), layers);
      for (std::size_t i = 0; i < layers.size(); ++i) {
        if (!outputs[i].defined())
          throw Error("layer '" + layers[i] +
                      "' was not reached in this pass: the model took another branch for "
                      "this input than for the first one");
        if (layers[i].empty()) outputs[i] = detail::widened(outputs[i], input);
      }
      return outputs;
    });
  }

  /// The output of one layer.
  Tensor activation(const Images& images, const std::string& layer) const {
    return detail::widened(observe(images, {layer})[0], images);
  }

  /// All layers that can be seen, in the order of their outputs, with their shapes for these images.
  std::vector<LayerInfo> layers(const Images& images) const {
    const torch::NoGradGuard no_grad;
    return run(images, [&](const Tensor& input) { return ways_->plain().layers(input); });
  }

  /// The layers that have weights, in the order in which they run for these images; one that runs several
  /// times by its last. Throws Error for a function, whose weights cannot be known.
  std::vector<std::string> weighted_layers(const Images& images) const {
    const torch::NoGradGuard no_grad;
    return run(images, [&](const Tensor& input) { return ways_->plain().weighted_layers(input); });
  }

  /// All values that the network computes with, parameters and buffers, by their names. Of a function, whose
  /// values cannot be known, none.
  NamedTensors state() const { return ways_->plain().state(); }

  /// The model with the weights of these layers shuffled: the values of each parameter in another order,
  /// which depends on the seed and the parameter's name alone. It shares all other weights with this one.
  ///
  /// This model stays as it is. Only a C++ module that adapt() cannot make another of has the shuffled
  /// weights itself while the result, or a copy, lives, and its own again afterwards, whatever happens;
  /// meanwhile this model refuses to run. Throws Error for a layer without weights.
  Adapted shuffled(const std::vector<std::string>& layers, std::uint64_t seed = 0) const {
    Adapted result(ways_->plain().shuffled(layers, seed), preprocess_, execution_);
    result.names_ = names_;
    result.ways_->learn_from(*ways_);
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
  /// How the network was asked to be run.
  const Execution& execution() const { return execution_; }
  /// How it is run on images such as these. What is automatic is measured now, unless it was before.
  SettledExecution execution(const Images& images) const {
    if (!execution_.is_tried_out()) return execution_;
    check_images(images);
    return run(images.narrow(0, 0, 1),
               [&](const Tensor& input) { return ways_->settled(execution_, input); });
  }

 private:
  template <class Ask>
  auto run(const Images& images, Ask&& ask) const {
    check_images(images);
    if (execution_.threads > 0 && at::get_num_threads() != execution_.threads)
      at::set_num_threads(execution_.threads);
    return detail::run_on(images, [&] {
      const auto own = ways_->plain().device();
      const auto device = own ? own : execution_.device;
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
      names_->all = ways_->plain().names(input);
      names_->known = true;
    }
    for (const std::string& layer : layers) {
      detail::check_layer(layer, names_->all, [&]() -> std::string {
        if constexpr (requires { ways_->plain().about(layer); }) return ways_->plain().about(layer);
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

  std::shared_ptr<detail::Ways<Network>> ways_;
  Preprocess preprocess_;
  Execution execution_;
  std::shared_ptr<Names> names_ = std::make_shared<Names>();
};

}  // namespace pellucid
