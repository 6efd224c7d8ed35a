#pragma once
/// What the methods that give something for each value of a layer share.

#include <string>

#include <pellucid/attribution/attribution.hpp>
#include <pellucid/attribution/layer_grid.hpp>
#include <pellucid/image/resize.hpp>

namespace pellucid::detail {

/// A layer, and what is made of what was found for its values.
struct LayerValues {
  std::string method;
  std::string layer;
  bool upsample;
  LayerLayout layout;

  void check() const {
    if (layer.empty())
      throw Error(method +
                  ": no layer was named, and it is one layer's values that are explained; name one: " +
                  method + "{.layer = \"layer4\"} (model.layers(images) lists them)");
    layout.check(method);
  }

  /// Refuses an output that has not a row for each image.
  void check(const Tensor& output, const Images& images) const {
    if (output.dim() < 2 || output.size(0) != images.size(0))
      throw Error(c10::str(method, ": layer '", layer, "' gives a tensor of shape ", output.sizes(), " for ",
                           images.size(0), " images; one row of values for each is needed, N×…"));
  }

  /// Values N×… of the layer as they are, or summed over its channels and brought to the images' size,
  /// N×1×H×W. The sum has signs, and channels may cancel each other (behind a LayerNorm nearly all do).
  Tensor finished(const Tensor& values, const Images& images) const {
    if (!upsample) return values;
    if (images.dim() != 4)
      throw Error(c10::str(method, ": inputs of shape ", images.sizes(),
                           " have no height and width to bring the layer to; leave .upsample out"));
    const Tensor maps = folded(values, images, layout, method + " with .upsample: layer '" + layer + "'");
    return resize(maps.sum(1, true), images.size(2), images.size(3));
  }
};

}  // namespace pellucid::detail
