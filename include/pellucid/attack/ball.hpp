#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <pellucid/core/noise.hpp>
#include <pellucid/core/torch.hpp>

namespace pellucid {

/// How the size of a change δ is measured: the largest |δᵢ|, or √Σ δᵢ².
enum class Norm { infinity, two };

namespace detail {

/// The largest number of the images' type that is not above ε: a difference of two images that is rounded to
/// that type is then not above ε either.
inline double rounded_down(double epsilon, torch::ScalarType type) {
  if (type != torch::kFloat) return epsilon;
  const auto nearest = float(epsilon);
  return nearest > epsilon ? std::nextafter(nearest, 0.0F) : nearest;
}

/// x + δ, rounded towards x where it must be rounded, then clamped to [0, 1]: no value from [0, 1] moves
/// farther than its |δ|, exactly, in images of 32 and 64 bits. Those of 16 are rounded to the nearest: half a
/// unit of their last place (2⁻¹² in float16, 2⁻⁹ in bfloat16) may come on top. δ in double precision.
inline Images moved(const Images& x, const Tensor& change) {
  const Tensor from = x.to(torch::kDouble), sum = from + change;
  Tensor to = sum.to(x.scalar_type());
  if (x.scalar_type() == torch::kFloat || x.scalar_type() == torch::kDouble) {
    // The sum is rounded, too: sum + rest is what it is exactly (Knuth's TwoSum).
    const Tensor back = sum - from, rest = (from - (sum - back)).add_(change - back);
    const Tensor beyond = (to - sum).sub_(rest);
    to = torch::where(beyond.mul_(change.sign()) > 0, torch::nextafter(to, x), to);
  }
  return to.clamp(0, 1);
}

using Rows = std::vector<std::int64_t>;

/// Whether rows are 0, 1, 2… to the last of so many.
inline bool are_all(const Rows& rows, std::int64_t count) {
  std::int64_t next = 0;
  return std::int64_t(rows.size()) == count &&
         std::all_of(rows.begin(), rows.end(), [&](std::int64_t row) { return row == next++; });
}

inline Tensor of_rows(const Tensor& values, const Rows& rows) {
  if (are_all(rows, values.size(0))) return values;
  return values.index_select(0, torch::tensor(rows, torch::kLong).to(values.device()));
}

/// Puts others in the place of rows. Who has the values as they were keeps them.
inline void put_rows(Tensor& values, const Rows& rows, const Tensor& now) {
  const auto index = [&] { return torch::tensor(rows, torch::kLong).to(values.device()); };
  values = are_all(rows, values.size(0)) ? now : values.index_copy(0, index(), now);
}

/// One number for each image as N×1×1…, to multiply the images with.
inline Tensor beside(const Tensor& values, const Images& images) {
  std::vector<std::int64_t> shape(std::size_t(images.dim()), 1);
  shape[0] = values.numel();
  return values.view(shape);
}

/// √Σ δᵢ² of each image, N×1×1…, in double precision: squares of small floats vanish.
inline Tensor length_of_each(const Tensor& change) {
  return beside(change.to(torch::kDouble).flatten(1).norm(2, 1), change);
}

/// The ball of radius ε around each image, cut with [0, 1]: where an attack may go. What it gives lies in it
/// exactly, as far as the images lie in [0, 1] (values outside are clamped, and so may move farther) and have
/// 32 or 64 bits (see `moved`).
class Ball {
 public:
  Ball(Images center, double epsilon, Norm norm) : center_(std::move(center)), norm_(norm) {
    // √Σ δᵢ² is rounded, too, by less than this share of it for all images that fit into memory.
    constexpr double rounding = 0x1p-40;
    radius_ = norm == Norm::two ? epsilon * (1 - rounding) : rounded_down(epsilon, center_.scalar_type());
    if (norm_ == Norm::two) return;
    const Tensor change = torch::full_like(center_, radius_, torch::kDouble);
    low_ = moved(center_, -change);
    high_ = moved(center_, change);
  }

  /// A point of each image's ball, evenly spread over its volume before it is cut with [0, 1]: a function of
  /// the seed, the image's number and the sample alone. `subject` is about the images at the balls' centers.
  ///
  /// In L2: n of the n + 2 coordinates of a point of the sphere, which are evenly spread over the ball
  /// (Archimedes; Barthe, Guédon, Mendelson & Naor 2005).
  template <class S>
  Images start(const S& subject, std::uint64_t seed, std::int64_t sample) const {
    const auto shape = center_.sizes().slice(1);
    const std::int64_t values = c10::multiply_integers(shape);
    std::vector<Tensor> rows;
    for (std::size_t row = 0; row < subject.numbers.size(); ++row) {
      // Not the noise that a method of the same seed explains the image with.
      const Draw draw = subject.draw(mixed(seed), row, sample);
      if (norm_ == Norm::infinity) {
        rows.push_back(uniform_noise(shape, draw).to(torch::kDouble).mul_(2).sub_(1));
      } else {
        const Tensor z = gaussian({values + 2}, draw).to(torch::kDouble);
        rows.push_back((z / z.norm()).narrow(0, 0, values).view(shape));
      }
    }
    const Tensor way = torch::empty_like(center_, torch::kDouble).copy_(torch::stack(rows));
    return moved(center_, way * radius_);
  }

  /// A step of the given size along the gradient (against it where negative) from x, and back into the ball:
  ///   L∞: clamp(x + size · sign g)      sign(0) = 0
  ///   L2: x + size · g/‖g‖, then its way from the center shortened to ε     g = 0: x
  Images step(const Images& x, const Tensor& gradient, double size) const {
    if (norm_ == Norm::infinity) return torch::clamp(torch::add(x, gradient.sign(), size), low_, high_);
    const Tensor steepness = length_of_each(gradient);
    const Tensor along = gradient / torch::where(steepness > 0, steepness, torch::ones_like(steepness));
    const Tensor change = (x.to(torch::kDouble) - center_).add_(along, size);
    const Tensor length = length_of_each(change);
    const Tensor share = torch::where(length > radius_, radius_ / length, torch::ones_like(length));
    return moved(center_, change * share);
  }

  /// The balls of a choice of the images.
  Ball select(const Rows& rows) const {
    Ball chosen = *this;
    for (Tensor* const part : {&chosen.center_, &chosen.low_, &chosen.high_})
      if (part->defined()) *part = of_rows(*part, rows);
    return chosen;
  }

 private:
  Images center_;
  Norm norm_;
  double radius_ = 0;
  Tensor low_{}, high_{};  ///< of L∞
};

}  // namespace detail

}  // namespace pellucid
