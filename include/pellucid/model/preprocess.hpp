#pragma once
#include <string>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/image/eight_bits.hpp>
#include <pellucid/image/resize.hpp>

namespace pellucid {

/// What a network wants done to an image before it sees it: (resized and cropped image − mean) / std.
///
/// It is part of the model, so that noise, ε and pictures are in pixels, [0, 1], whatever the network wants.
struct Preprocess {
  std::int64_t resize = 0;     ///< the shorter side is brought to this many pixels; 0: left as it is
  std::int64_t crop = 0;       ///< then the middle crop×crop pixels are taken; 0: all of them
  std::vector<double> mean{};  ///< one per channel, or one for all; empty: 0
  std::vector<double> std{};   ///< one per channel, or one for all; empty: 1
  Interpolation interpolation = Interpolation::bilinear;  ///< how it is resized

  /// Images N×C×H×W brought to the size that the network sees, still in [0, 1]. Differentiable. Images that
  /// are crop×crop already are taken as they are. Images of 8 bits a sample, as files give them, keep 8 bits,
  /// so that the network sees what torchvision shows it; others are not rounded.
  Images fit(Images images) const {
    if (images.dim() != 4 || (crop > 0 && images.size(2) == crop && images.size(3) == crop)) return images;
    if (resize > 0) {
      const auto [height, width] = short_side_size(images, resize);
      images = has_eight_bits(images) ? resize_eight_bits(images, height, width, interpolation)
                                      : pellucid::resize(images, height, width, interpolation);
    }
    if (crop > 0) images = center_crop(images, crop);
    return images;
  }

  /// (images − mean) / std
  Tensor normalize(const Images& images) const {
    if (mean.empty() && std.empty()) return images;
    const auto per_channel = [&](const std::vector<double>& values, double otherwise) {
      const std::int64_t channels = images.dim() > 1 ? images.size(1) : 0;
      if (values.size() > 1 && std::int64_t(values.size()) != channels)
        throw Error("the images have " + std::to_string(channels) + " channels; this model normalizes " +
                    std::to_string(values.size()) + ": give images with as many");
      std::vector<std::int64_t> one(std::size_t(images.dim()), 1);
      std::vector<Tensor> filled;  // on the images' device, where a copy from here would be waited for
      for (const double value : values.empty() ? std::vector<double>{otherwise} : values)
        filled.push_back(torch::full(one, value, images.options()));
      return torch::cat(filled, 1);
    };
    return (images - per_channel(mean, 0)) / per_channel(std, 1);
  }

  void check() const {
    if (resize < 0 || crop < 0)
      throw Error("Preprocess: resize " + std::to_string(resize) + " and crop " + std::to_string(crop) +
                  " were given; give sizes in pixels, or 0 for none");
    for (const double s : std)
      if (!(s > 0)) throw Error("Preprocess: std holds " + std::to_string(s) + "; each must be above 0");
  }
};

/// What torchvision's ImageNet networks expect: the shorter side 256, the middle 224×224, ImageNet's mean and
/// standard deviation.
inline Preprocess imagenet() {
  return {.resize = 256, .crop = 224, .mean = {0.485, 0.456, 0.406}, .std = {0.229, 0.224, 0.225}};
}

/// What a model wants done to an image; nothing where it does not tell.
template <class M>
Preprocess preprocess_of(const M& model) {
  if constexpr (requires { Preprocess(model.preprocess()); }) {
    return model.preprocess();
  } else {
    return {};
  }
}

/// The model without its resizing and cropping, where it has such: it sees images of any size as they are.
template <class M>
M at_any_size(const M& model) {
  if constexpr (requires { M(model.at_any_size()); }) {
    return model.at_any_size();
  } else {
    return model;
  }
}

/// Images go into the network as they are.
inline Preprocess unchanged() {
  return {};
}

}  // namespace pellucid
