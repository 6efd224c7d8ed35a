#pragma once
/// How right an attribution is where the answer is known.

#include "generator.hpp"

#include <cstdint>
#include <vector>

namespace shapes {

/// The grade of one attribution: how much a pixel counts is Σ_channels |attribution|.
struct Grade {
  bool pointed = false;     ///< the pixel that counts most is on the shape, or near it (the pointing game)
  bool pointed_on = false;  ///< it is on the shape
  double inside = 0;        ///< the share of Σ |attribution| on the shape
  double on_watermark = 0;  ///< and on the watermark; 0 where there is none
};

/// The grade of an attribution C×S×S of a scene. One that is zero everywhere points nowhere.
///
/// The pointing game: Zhang, Lin, Brandt, Shen & Sclaroff, "Top-down neural attention by excitation
/// backprop", 2016. Near is, as there, 15 pixels of 224 a side: 4 of 64. A shape is told by its outline, and
/// the pixels on both sides of that count alike.
Grade grade(const Tensor& attribution, const Tensor& mask, const Tensor& watermark_mask);

/// The share of the picture that is on the shape or near it: how often a pixel drawn by lot points at it.
double share_near(const Tensor& mask);

/// A mean with its 95 % confidence interval.
struct Estimate {
  double mean = 0, low = 0, high = 0;
};

/// Of a share k of n: Wilson's interval.
Estimate proportion(std::int64_t successes, std::int64_t trials);

/// Of numbers: mean ± 1.96 s/√n.
Estimate mean_of(const std::vector<double>& values);

}  // namespace shapes
