#pragma once
#include <algorithm>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>

namespace pellucid {

/// A whole number for all images, or one for each: `42`, `{207, 281}`, a std::vector<std::int64_t>, or a
/// tensor of whole numbers, such as `scores.argmax(1)`; or none, `{}`.
class PerImage {
 public:
  PerImage() = default;
  template <std::integral Integer>
  PerImage(Integer value) : values_{std::int64_t(value)} {}                  // NOLINT: a number is a PerImage
  PerImage(std::initializer_list<std::int64_t> values) : values_(values) {}  // NOLINT
  PerImage(std::vector<std::int64_t> values) : values_(std::move(values)) {}  // NOLINT
  /// Of a tensor of int64 (or int32): one number (dimension 0), or one for each image (dimension 1). Throws
  /// Error for another type or shape.
  PerImage(const Tensor& values) : values_(numbers_in(values)) {}  // NOLINT

  /// Whether there is no number.
  bool empty() const { return values_.empty(); }
  /// The numbers as they were given: none, one, or one for each image.
  const std::vector<std::int64_t>& values() const { return values_; }

  /// The number for an image.
  std::int64_t of(std::int64_t row) const {
    if (values_.size() == 1) return values_[0];
    if (row >= std::int64_t(values_.size())) check_count(row + 1);
    return values_[std::size_t(row)];
  }

  /// Refuses another count of numbers than one for all of the images, or one for each.
  void check_count(std::int64_t images) const {
    if (values_.size() == 1 || std::int64_t(values_.size()) == images) return;
    throw Error(std::to_string(values_.size()) + " numbers were given for " + std::to_string(images) +
                " images; give one for all of them, or one for each");
  }

  /// The numbers for a choice of images.
  PerImage select(const std::vector<std::int64_t>& rows) const {
    if (values_.size() < 2) return *this;
    std::vector<std::int64_t> chosen;
    for (const std::int64_t row : rows) chosen.push_back(of(row));
    return chosen;
  }

  /// The numbers as a tensor, one per image; each must be in [0, size). `what` names them in the message.
  Tensor tensor(std::int64_t images, std::int64_t size, const std::string& what,
                const torch::Device& device) const {
    for (const std::int64_t value : values_)
      if (value < 0 || value >= size)
        throw Error(what + " " + std::to_string(value) + " was asked for; there are " + std::to_string(size) +
                    " of them, 0 to " + std::to_string(size - 1));
    if (values_.size() == 1) return torch::full({images}, values_[0], torch::kLong).to(device);
    check_count(images);
    return torch::tensor(values_, torch::kLong).to(device);
  }

 private:
  static std::vector<std::int64_t> numbers_in(const Tensor& given) {
    if (!given.defined()) throw Error("no tensor of numbers was given (it is undefined)");
    if ((given.scalar_type() != torch::kLong && given.scalar_type() != torch::kInt) || given.dim() > 1)
      throw Error(c10::str("a tensor of ", given.scalar_type(), " and shape ", given.sizes(),
                           " was given for one number per image; give int64 of shape [N], or one number "
                           "(scores: .argmax(1))"));
    const Tensor numbers = given.detach().to(torch::kCPU, torch::kLong).contiguous();
    return {numbers.data_ptr<std::int64_t>(), numbers.data_ptr<std::int64_t>() + numbers.numel()};
  }

  std::vector<std::int64_t> values_{};
};

}  // namespace pellucid
