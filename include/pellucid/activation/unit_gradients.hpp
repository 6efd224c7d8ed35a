#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include <pellucid/attribution/layer_grid.hpp>
#include <pellucid/core/average.hpp>
#include <pellucid/core/execution.hpp>
#include <pellucid/core/subject.hpp>
#include <pellucid/objective/differentiate.hpp>
#include <pellucid/objective/neuron.hpp>

namespace pellucid {

/// The maps of the input that drive units of a layer.
struct UnitGradients {
  Images image{};                      ///< 1×…, at the size that the network sees
  Tensor gradients{};                  ///< U×…, of each unit for that image
  std::vector<std::int64_t> units{};   ///< numbers of units of a layer N×K, or of channels
  std::vector<std::int64_t> y{}, x{};  ///< places in a layer N×C×h×w; empty for a layer N×K
  std::vector<double> values{};        ///< what each unit responds to the image
};

namespace detail {

/// A layer's output for one image, as a model that gives it for each of several: what units there are, and
/// where they respond most, is then found out without running the network again.
struct Remembered {
  Tensor output{};  ///< 1×…

  Tensor operator()(const Images& images) const {
    std::vector<std::int64_t> sizes = output.sizes().vec();
    sizes[0] = images.size(0);
    return output.expand(sizes);
  }
  std::vector<Tensor> observe(const Images& images, const std::vector<std::string>& layers) const {
    return std::vector<Tensor>(layers.size(), (*this)(images));
  }
};

/// The numbers for each of `count` units.
inline std::vector<std::int64_t> for_each_unit(const PerImage& numbers, std::size_t count) {
  std::vector<std::int64_t> all;
  for (std::size_t u = 0; u < count; ++u) all.push_back(numbers.of(std::int64_t(u)));
  return all;
}

}  // namespace detail

/// ∂a_u / ∂image for several units u of a layer: for each the map of the input that drives it.
///
/// `units` names them, as an objective does for several images: `Neuron{layer, {3, 7}}` are two rows of a
/// layer N×K, or two channels of a layer N×C×h×w at the place where each responds most to this image;
/// `Neuron{layer, {3, 7}, 4, 5}` are both at (4, 5), `Neuron{layer, 3, {4, 4}, {5, 6}}` is one channel at two
/// places. The image is 1×…, the gradients are U×… in pixel units; a unit that is off behind a ReLU has
/// zeros.
///
/// One forward pass finds the units, and the images of the passes that follow are the image once for each
/// unit, in the model's micro-batches. Throws Error for several images, for units, places or layers that are
/// not there, for a layer with its channels last (1×h×w×C, whose dimension 1 is no channel), and for
/// gradients that are NaN or infinite.
///
/// The gradient of a class's score as a map is by Simonyan, Vedaldi and Zisserman, "Deep inside convolutional
/// networks", 2013; here any unit takes the score's place.
template <Model M, ProgressCallback F = Silent>
UnitGradients unit_gradients(const M& model, const Images& image, const Neuron& units, F&& callback = {}) {
  const Subject subject = begin(model, image, units, callback);
  if (subject.images.size(0) != 1)
    throw Error("units are looked at for one image; " + std::to_string(image.size(0)) +
                " were given. Take them one by one, as in images.narrow(0, i, 1)");
  const std::size_t count =
      std::max({units.channel.values().size(), units.y.values().size(), units.x.values().size()});
  if (units.channel.empty())
    throw Error("no unit of layer '" + units.layer +
                "' was named; name at least one, as in Neuron{layer, {0, 1}}");

  const Tensor output = [&] {
    const torch::NoGradGuard no_grad;
    return output_of(model, subject.images, units.layer).detach();
  }();
  if (output.dim() < 1 || output.size(0) != 1)
    throw Error(c10::str("layer '", units.layer, "' gives a tensor of shape ", output.sizes(),
                         " for one image: not one row for each; its units cannot be told apart"));
  if (const auto grid = grid_of(output.sizes(), subject.images.sizes());
      grid && grid->channels_last && output.dim() == 4)
    throw Error(c10::str("layer '", units.layer, "' gives a tensor of shape ", output.sizes(),
                         ", which has its channels last; units are looked for along dimension 1. Take a "
                         "layer N×C×h×w, such as the convolution before it"));
  const detail::Remembered remembered{output};
  const Images each = torch::zeros({std::int64_t(count), 1});
  const Neuron settled = resolve(units, remembered, each);
  const Tensor values = evaluate(settled, remembered, each).to(torch::kDouble);

  UnitGradients found{.image = subject.images.contiguous(),
                      .units = detail::for_each_unit(settled.channel, count)};
  if (!settled.y.empty()) {
    found.y = detail::for_each_unit(settled.y, count);
    found.x = detail::for_each_unit(settled.x, count);
  }
  for (std::size_t u = 0; u < count; ++u) found.values.push_back(values[std::int64_t(u)].item<double>());

  const auto gradients_of = [&](const std::vector<Variant>& variants) -> Tensor {
    std::vector<std::int64_t> rows, sizes = subject.images.sizes().vec();
    for (const Variant& variant : variants) rows.push_back(variant.image);
    sizes[0] = std::int64_t(rows.size());
    return differentiate(settled.select(rows), model, subject.images.expand(sizes).contiguous()).gradient;
  };
  found.gradients =
      average({.images = std::int64_t(count), .micro_batch = execution_of(model, subject.images).micro_batch},
              gradients_of, subject.report)
          .mean.contiguous();
  if (!std::isfinite(found.gradients.abs().max().template item<double>()))
    throw Error("the gradients of units of layer '" + units.layer +
                    "' hold NaN or infinity: they overflow, or the model divides by zero on the way",
                Fault::failure);
  return found;
}

}  // namespace pellucid
