#pragma once
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>

namespace pellucid {

namespace detail {

/// While one lives, models on this thread take images with NaN, as a dye whose way through them is followed.
class NaNAllowed {
 public:
  NaNAllowed() : before_(std::exchange(now(), true)) {}
  ~NaNAllowed() { now() = before_; }
  NaNAllowed(const NaNAllowed&) = delete;
  NaNAllowed& operator=(const NaNAllowed&) = delete;

  static bool& now() {
    thread_local bool allowed = false;
    return allowed;
  }

 private:
  bool before_;
};

/// Whether no value is NaN or infinite. A sum takes a tenth of the time, and tells it but where it overflows.
inline bool all_finite(const Tensor& values) {
  const Tensor given = values.detach();
  return std::isfinite(given.sum().item<double>()) || given.isfinite().all().item<bool>();
}

/// max |value| of each row of N×…, N, in double precision on the CPU.
inline Tensor largest_magnitudes(const Tensor& values) {
  std::vector<std::int64_t> all(std::size_t(values.dim() - 1));
  std::iota(all.begin(), all.end(), 1);
  const Tensor magnitudes = values.detach().abs();
  return (all.empty() ? magnitudes : magnitudes.amax(all)).to(torch::kCPU, torch::kDouble);
}

/// Refuses NaN and infinity in what was found out about images, N×…: "`what` of image 3 holds NaN or
/// infinity: `why`". `numbers` are those of the images, where they are others than 0, 1, 2…
inline void check_finite(const Tensor& found, const std::string& what, const std::string& why,
                         const std::vector<std::int64_t>& numbers = {}) {
  if (all_finite(found)) return;
  const Tensor bad = found.isfinite().reshape({found.size(0), -1}).all(1).logical_not().nonzero().cpu();
  const std::int64_t row = bad[0][0].item<std::int64_t>();
  throw Error(what + " of image " + std::to_string(numbers.empty() ? row : numbers[std::size_t(row)]) +
                  " holds NaN or infinity: " + why,
              Fault::failure);
}

/// The same for attributions.
inline void check_map(const Tensor& attribution, const std::vector<std::int64_t>& numbers = {}) {
  check_finite(attribution, "the attribution",
               "the model's numbers or their gradients overflow, or it divides by zero on the way", numbers);
}

/// Room for so many images like these, in the same order in memory.
inline Images room_for(std::int64_t count, const Images& like) {
  std::vector<std::int64_t> shape = like.sizes().vec();
  shape[0] = count;
  return torch::empty(shape, like.options(), like.suggest_memory_format());
}

/// What a network gives for images as methods compute with it: in the images' type, if it is of few bits.
inline Tensor widened(const Tensor& output, const Images& images) {
  return output.scalar_type() == torch::kBFloat16 ? output.to(images.scalar_type()) : output;
}

/// Sees whether images are written into while it lives.
class Untouched {
 public:
  explicit Untouched(Images images) : images_(std::move(images)), version_(version()) {}

  /// Throws Error where they were: `who` names whom they were given.
  void check(const std::string& who) const {
    if (version() != version_)
      throw Error(who +
                  " (or a model of one's own) overwrote the images that it was given, which are the "
                  "caller's; let it change a clone: images.clone()");
  }

 private:
  /// How often they were written into; tensors of inference mode do not count.
  std::int64_t version() const { return images_.is_inference() ? 0 : std::int64_t(images_._version()); }

  Images images_;
  std::int64_t version_;
};

}  // namespace detail

/// Refuses what no method can work on: no tensor, an empty batch, values that are not floating point, NaN and
/// infinity.
inline void check_images(const Images& images) {
  if (images.defined() && images.numel() > 0 && images.dim() < 2)
    throw Error("images: a tensor of shape " + c10::str(images.sizes()) +
                " was given; a batch N×… is expected (one image C×H×W becomes one by .unsqueeze(0))");
  if (!images.defined())
    throw Error("images: no tensor was given (it is undefined); at least one image N×C×H×W is expected");
  if (images.numel() == 0)
    throw Error("images: an empty batch was given (shape " + c10::str(images.sizes()) +
                "); at least one image N×C×H×W is expected");
  if (!images.is_floating_point())
    throw Error(c10::str("images: values of type ", images.scalar_type(),
                         " were given; floats in [0, 1] are expected (bytes: .to(torch::kFloat) / 255)"));
  if (detail::NaNAllowed::now() || detail::all_finite(images)) return;
  const std::int64_t bad = images.numel() - images.isfinite().sum().item<std::int64_t>();
  throw Error("images: " + std::to_string(bad) + " of " + std::to_string(images.numel()) +
              " values are NaN or infinite; finite values in [0, 1] are expected");
}

}  // namespace pellucid
