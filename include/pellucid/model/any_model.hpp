#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/core/concepts.hpp>
#include <pellucid/core/execution.hpp>
#include <pellucid/core/images.hpp>
#include <pellucid/model/preprocess.hpp>
#include <pellucid/model/recording.hpp>
#include <pellucid/model/weights/checkpoint.hpp>

namespace pellucid {

/// Any model that lets its layers be seen, behind one type: for programs that choose their model while they
/// run. Copies share the model.
///
///   AnyModel model = from_file ? AnyModel(load_script(file)) : AnyModel(adapt(net));
class AnyModel {
 public:
  /// The model itself, or a copy of it that shares the network.
  template <LayeredModel M>
  requires(!std::same_as<M, AnyModel>) AnyModel(M model)  // NOLINT: every model is one
      : model_(std::make_shared<const Holding<M>>(std::move(model))) {}

  /// Images N×… → scores N×K, before softmax.
  Tensor operator()(const Images& images) const { return model_->scores(images); }

  /// The outputs of the named layers, in order, in the autograd graph; "" names the scores.
  std::vector<Tensor> observe(const Images& images, const std::vector<std::string>& layers) const {
    return model_->observe(images, layers);
  }

  /// The output of one layer.
  Tensor activation(const Images& images, const std::string& layer) const {
    return detail::widened(observe(images, {layer})[0], images);
  }

  /// All layers that can be seen; none where the model lists none.
  std::vector<LayerInfo> layers(const Images& images) const { return model_->layers(images); }

  /// The layers that have weights, in the order in which they run. Throws Error where the model tells none.
  std::vector<std::string> weighted_layers(const Images& images) const {
    return model_->weighted_layers(images);
  }

  /// All values that the network computes with; none where the model does not tell.
  NamedTensors state() const { return model_->state(); }

  /// The model with the weights of these layers shuffled. Throws Error where the model cannot do that.
  AnyModel shuffled(const std::vector<std::string>& layers, std::uint64_t seed = 0) const {
    return AnyModel(model_->shuffled(layers, seed));
  }

  /// Images at the size that the network sees.
  Images fit(const Images& images) const { return model_->fit(images); }

  /// The same network without the resizing and cropping.
  AnyModel at_any_size() const { return AnyModel(model_->at_any_size()); }

  /// What the network wants done to an image; nothing where the model does not tell.
  Preprocess preprocess() const { return model_->preprocess(); }

  /// How the model was asked to be run.
  Execution execution() const { return model_->execution(); }
  /// How it is run on images such as these.
  SettledExecution execution(const Images& images) const { return model_->execution(images); }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual Tensor scores(const Images& images) const = 0;
    virtual std::vector<Tensor> observe(const Images& images,
                                        const std::vector<std::string>& layers) const = 0;
    virtual std::vector<LayerInfo> layers(const Images& images) const = 0;
    virtual std::vector<std::string> weighted_layers(const Images& images) const = 0;
    virtual NamedTensors state() const = 0;
    virtual std::shared_ptr<const Interface> shuffled(const std::vector<std::string>& layers,
                                                      std::uint64_t seed) const = 0;
    virtual Images fit(const Images& images) const = 0;
    virtual std::shared_ptr<const Interface> at_any_size() const = 0;
    virtual Preprocess preprocess() const = 0;
    virtual Execution execution() const = 0;
    virtual SettledExecution execution(const Images& images) const = 0;
  };

  explicit AnyModel(std::shared_ptr<const Interface> model) : model_(std::move(model)) {}

  template <class M>
  struct Holding final : Interface {
    explicit Holding(M given) : model(std::move(given)) {}

    Tensor scores(const Images& images) const override { return model(images); }
    std::vector<Tensor> observe(const Images& images, const std::vector<std::string>& layers) const override {
      return model.observe(images, layers);
    }
    std::vector<LayerInfo> layers(const Images& images) const override {
      if constexpr (requires { std::vector<LayerInfo>(model.layers(images)); }) {
        return model.layers(images);
      } else {
        return {};
      }
    }
    std::vector<std::string> weighted_layers(const Images& images) const override {
      if constexpr (ShufflableModel<M>) return model.weighted_layers(images);
      throw Error(
          "this model does not tell its weights; one made by adapt(), load() or load_script() does, and "
          "your own with members weighted_layers(images) and shuffled(layers, seed)");
    }
    NamedTensors state() const override {
      if constexpr (requires { NamedTensors(model.state()); }) {
        return model.state();
      } else {
        return {};
      }
    }
    std::shared_ptr<const Interface> shuffled(const std::vector<std::string>& layers,
                                              std::uint64_t seed) const override {
      if constexpr (ShufflableModel<M>) return std::make_shared<const Holding>(model.shuffled(layers, seed));
      throw Error("this model cannot be shuffled: it has no member shuffled(layers, seed)");
    }
    Images fit(const Images& images) const override {
      if constexpr (requires { Images(model.fit(images)); }) {
        return model.fit(images);
      } else {
        return images;
      }
    }
    std::shared_ptr<const Interface> at_any_size() const override {
      return std::make_shared<const Holding>(pellucid::at_any_size(model));
    }
    Preprocess preprocess() const override { return preprocess_of(model); }
    Execution execution() const override {
      if constexpr (requires { Execution(model.execution()); }) return model.execution();
      return {};
    }
    SettledExecution execution(const Images& images) const override { return execution_of(model, images); }

    M model;
  };

  std::shared_ptr<const Interface> model_;
};

}  // namespace pellucid
