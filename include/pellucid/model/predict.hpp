#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <pellucid/core/average.hpp>
#include <pellucid/core/concepts.hpp>
#include <pellucid/core/error.hpp>
#include <pellucid/core/execution.hpp>
#include <pellucid/core/images.hpp>
#include <pellucid/core/remedy.hpp>

namespace pellucid {

/// A class and how sure the model is of it (softmax).
struct Prediction {
  std::int64_t label = 0;  ///< the class's number, from 0
  double probability = 0;  ///< 0 to 1
};

/// What a model is asked about images, in its micro-batches and without gradients:
///   ask(model, part of the images, their rows) → Tensor, one row per image
template <Model M, class Ask>
Tensor ask_in_parts(const M& model, const Images& images, Ask&& ask) {
  if (!images.defined()) check_images(images);  // which says so
  const torch::NoGradGuard no_grad;
  const auto part = [&](const std::vector<Variant>& variants) -> Tensor {
    std::vector<std::int64_t> rows;
    for (const Variant& variant : variants) rows.push_back(variant.image);
    return ask(model, images.narrow(0, rows.front(), std::int64_t(rows.size())), rows);
  };
  return average({.images = images.size(0), .micro_batch = execution_of(model, images).micro_batch}, part,
                 [](std::int64_t, std::int64_t) {})
      .mean;
}

/// The scores N×K of images.
template <Model M>
Tensor scores_of(const M& model, const Images& images) {
  const Tensor scores = ask_in_parts(model, images, [](const M& m, const Images& part, const auto&) {
    // A callable of one's own may overwrite what it is given.
    return detail::run_on(part, [&] { return Tensor(m(part.clone())).detach(); });
  });
  if (scores.dim() != 2)
    throw Error(c10::str("the model gives a tensor of shape ", scores.sizes(), "; scores N×K are expected",
                         detail::remedy(images, "")));
  return scores;
}

/// Softmax of scores N×K, in double precision on the CPU. Throws Error for scores that are NaN; `numbers` are
/// those of the images, where they are others than 0, 1, 2…
inline Tensor softmax_of(const Tensor& scores, const std::vector<std::int64_t>& numbers = {}) {
  const Tensor probabilities = torch::softmax(scores.to(torch::kCPU, torch::kDouble), 1);
  const Tensor bad = probabilities.isnan().any(1).nonzero();
  if (bad.numel() > 0) {
    const std::int64_t row = bad[0][0].item<std::int64_t>();
    throw Error("the model gives NaN or infinite scores for image " +
                    std::to_string(numbers.empty() ? row : numbers[std::size_t(row)]) +
                    ": its weights or its preprocessing are damaged, or its numbers overflow",
                Fault::failure);
  }
  return probabilities;
}

/// Softmax of the scores of images, N×K, as `softmax_of`.
template <Model M>
Tensor probabilities_of(const M& model, const Images& images) {
  return softmax_of(scores_of(model, images));
}

/// The `count` most probable classes of each image, the first of them first.
template <Model M>
std::vector<std::vector<Prediction>> predict(const M& model, const Images& images, std::int64_t count = 1) {
  const Tensor probabilities = probabilities_of(model, images);
  const auto [values, labels] = probabilities.topk(std::min(count, probabilities.size(1)), 1);
  std::vector<std::vector<Prediction>> result;
  for (std::int64_t n = 0; n < labels.size(0); ++n) {
    result.emplace_back();
    for (std::int64_t k = 0; k < labels.size(1); ++k)
      result.back().push_back(
          {labels[n][k].template item<std::int64_t>(), values[n][k].template item<double>()});
  }
  return result;
}

}  // namespace pellucid
