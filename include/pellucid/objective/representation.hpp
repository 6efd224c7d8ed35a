#pragma once
#include <concepts>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/model/predict.hpp>
#include <pellucid/objective/objective.hpp>

namespace pellucid {

/// ‖a − b‖² / ‖b‖², N: the squared error as a share of what there is.
struct SquaredError {
  Tensor operator()(const Tensor& a, const Tensor& b) const {
    return (a - b).flatten(1).square().sum(1) / b.flatten(1).square().sum(1);
  }
};

/// 1 − a·b / (‖a‖ ‖b‖), N: blind to how strong the responses are.
struct CosineDistance {
  Tensor operator()(const Tensor& a, const Tensor& b) const {
    const Tensor x = a.flatten(1), y = b.flatten(1);
    return 1 - (x * y).sum(1) / (x.norm(2, 1) * y.norm(2, 1));
  }
};

/// How near a layer's output is to one that is known: −distance(Φ, Φ₀).
template <class Distance>
struct NearTo {
  std::string layer{};  ///< whose output is Φ
  Tensor known{};       ///< Φ₀, N×… or one for all, 1×…
  Distance distance{};  ///< (N×…, N×…) → N

  /// the layer's output N×… → N
  Tensor of(const Tensor& output) const {
    return -distance(output, known.to(output.options()).expand(output.sizes()));
  }

  NearTo select(const std::vector<std::int64_t>& rows) const {
    if (known.size(0) == 1) return *this;
    return {layer, known.index_select(0, torch::tensor(rows, torch::kLong).to(known.device())), distance};
  }
};

/// How near a layer's output is to that of an image: −distance(Φ(x), Φ(image)), 0 at best. The distance is
/// any callable (N×…, N×…) → N.
template <class Distance = SquaredError>
struct Representation {
  std::string layer{};  ///< whose output is Φ
  Images image{};       ///< N×…: one for each image, or one for all
  Distance distance{};  ///< SquaredError, CosineDistance or your own

  template <class M>
  NearTo<Distance> resolve(const M& model, const Images&) const {
    const Tensor known = ask_in_parts(
        model, fitted(model).image,
        [this](const M& m, const Images& part, const auto&) { return output_of(m, part, layer).detach(); });
    if (known.flatten(1).square().sum(1).min().template item<double>() == 0)
      throw Error(
          "Representation: layer '" + layer +
          "' is zero everywhere for this image, so there is nothing to come near to; take another layer");
    return {layer, known, distance};
  }

  template <class M>
  Tensor operator()(const M& model, const Images& images) const {
    return evaluate(resolve(model, images), model, images);
  }

  /// The image at the size that the model sees.
  template <class M>
  Representation fitted(const M& model) const {
    if constexpr (requires { Images(model.fit(image)); }) {
      return {layer, model.fit(image), distance};
    } else {
      return *this;
    }
  }

  void check(std::int64_t images) const {
    if (!image.defined() || image.dim() < 2 || (image.size(0) != 1 && image.size(0) != images))
      throw Error("Representation of layer '" + layer + "': " +
                  (image.defined() ? c10::str("images of shape ", image.sizes()) : std::string("no image")) +
                  " for " + std::to_string(images) + " images; give one for all of them, or one for each");
  }

  /// How many images there are to come near to.
  std::int64_t count() const { return image.defined() && image.dim() > 0 ? image.size(0) : 1; }

  Representation select(const std::vector<std::int64_t>& rows) const {
    if (image.size(0) == 1) return *this;
    return {layer, image.index_select(0, torch::tensor(rows, torch::kLong).to(image.device())), distance};
  }
};

template <class Distance = SquaredError>
Representation(std::string, Images, Distance = {}) -> Representation<Distance>;

}  // namespace pellucid
