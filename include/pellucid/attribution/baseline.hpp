#pragma once
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/images.hpp>
#include <pellucid/core/noise.hpp>
#include <pellucid/image/blur.hpp>

namespace pellucid {

/// What an image is compared with: the image that holds nothing of what is asked about. The choice decides
/// what an attribution can show (Sturmfels, Lundberg & Lee, "Visualizing the impact of feature attribution
/// baselines", 2020): black cannot see that black pixels matter.
class Baseline {
 public:
  /// All zeros.
  static Baseline black() { return Baseline(Kind::black); }
  /// The image's own mean colour.
  static Baseline mean() { return Baseline(Kind::mean); }
  /// The image blurred by a Gaussian of `width` pixels.
  static Baseline blur(double width = 10) {
    if (!(width > 0))
      throw Error("Baseline::blur: a width of " + std::to_string(width) + " was given; give pixels above 0");
    Baseline baseline(Kind::blur);
    baseline.width_ = width;
    return baseline;
  }
  /// Uniform noise in [0, 1].
  static Baseline noise(std::uint64_t seed = 0) {
    Baseline baseline(Kind::noise);
    baseline.seed_ = seed;
    return baseline;
  }
  /// An image of your own, 1×C×H×W for all, or N×C×H×W: row n for image number n. Of the size that the
  /// network sees. Throws Error for what is no batch of images.
  static Baseline image(Tensor given) {
    check_images(given);
    Baseline baseline(Kind::image);
    baseline.image_ = std::move(given);
    return baseline;
  }

  /// The baselines of a subject's images N×…, in their shape.
  template <class S>
  Tensor of(const S& subject) const {
    const Tensor& images = subject.images;
    switch (kind_) {
      case Kind::black:
        break;
      case Kind::mean:
        return images.flatten(std::min<std::int64_t>(2, images.dim() - 1))
            .mean(-1, true)
            .view(per_channel(images))
            .expand_as(images);
      case Kind::blur:
        return gaussian_blur(images, width_);
      case Kind::noise: {
        std::vector<Tensor> rows;
        for (std::size_t n = 0; n < subject.numbers.size(); ++n)  // Φ of a normal number is uniform
          rows.push_back(torch::special_ndtr(gaussian(images.sizes().slice(1), subject.draw(seed_, n, 0))));
        return torch::stack(rows).to(images.options());
      }
      case Kind::image:
        return chosen(images, subject.numbers, !subject.nested.empty()).to(images.options());
    }
    return torch::zeros_like(images);
  }

 private:
  /// The row of each image.
  Tensor chosen(const Tensor& images, const std::vector<std::int64_t>& numbers, bool nested) const {
    const auto [least, most] = std::minmax_element(numbers.begin(), numbers.end());
    const bool for_all = image_.size(0) == 1;
    if (image_.dim() != images.dim() || image_.sizes().slice(1) != images.sizes().slice(1) ||
        (!for_all && (*least < 0 || *most >= image_.size(0))) ||
        (!for_all && !nested && image_.size(0) != images.size(0)))
      throw Error(c10::str("Baseline::image: shape ", image_.sizes(), " was given for images of shape ",
                           images.sizes(), ", numbers ", *least, " to ", *most,
                           "; give one of the same size for all, or one for each"));
    return for_all ? image_.expand_as(images)
                   : image_.index_select(0, torch::tensor(numbers, image_.device()));
  }

  enum class Kind { black, mean, blur, noise, image };

  explicit Baseline(Kind kind) : kind_(kind) {}

  /// N×C×1×… for images N×C×H×W
  static std::vector<std::int64_t> per_channel(const Tensor& images) {
    std::vector<std::int64_t> shape(std::size_t(images.dim()), 1);
    shape[0] = images.size(0);
    if (images.dim() > 2) shape[1] = images.size(1);
    return shape;
  }

  Kind kind_;
  double width_ = 0;
  std::uint64_t seed_ = 0;
  Tensor image_{};
};

}  // namespace pellucid
