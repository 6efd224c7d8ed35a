#pragma once
/// Objectives of one's own that hold something of each image, and do not say of which.

#include <algorithm>
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include <pellucid/core/average.hpp>
#include <pellucid/core/concepts.hpp>
#include <pellucid/core/error.hpp>
#include <pellucid/core/execution.hpp>

namespace pellucid::detail {

/// An objective that says what it asks about a choice of images. Of the others a pass may hold any images,
/// in any order and several times: variants of one, or a part of the batch.
template <class O>
concept Selecting = requires(const O& objective, const std::vector<std::int64_t>& rows) {
  O(objective.select(rows));
};

/// What may be wrong with an objective that cannot be asked about these images.
template <class O>
std::string about_select() {
  if constexpr (Selecting<O>) return "";
  return "; does the objective hold something of each image? Then it needs select(rows)";
}

/// What `ask` gives: one number for each of so many images. Throws Error where it gives something else, or
/// cannot be asked.
template <class O, class Ask>
Tensor numbers(std::int64_t images, const Ask& ask) {
  Tensor values;
  try {
    values = ask();
  } catch (const c10::Error& error) {
    if (is_out_of_memory(error)) throw;
    throw Error("the objective could not be asked about " + std::to_string(images) +
                " images: " + first_line(error.what_without_backtrace()) + about_select<O>());
  }
  if (!values.defined() || values.dim() != 1 || values.size(0) != images)
    throw Error("the objective gives " +
                (values.defined() ? c10::str("a tensor of shape ", values.sizes()) : "no tensor") + " for " +
                std::to_string(images) + " images; one number per image is expected, shape [" +
                std::to_string(images) + "]" + about_select<O>());
  return values;
}

/// Whether two series of numbers are other numbers, and not only rounded in another way: to few bits, where
/// that is told or their type.
inline bool differ(const Tensor& a, const Tensor& b, double rounding, bool few_bits = false) {
  const double largest = std::max(a.abs().max().item<double>(), b.abs().max().item<double>());
  const bool coarse = few_bits || a.element_size() < 4;
  return (a - b).abs().max().item<double>() > std::max((coarse ? 3e-2 : 1e-3) * largest, rounding);
}

[[noreturn]] inline void refuse_rows() {
  throw Error(
      "the objective gives an image another number when it stands in another row: it holds something of each "
      "image; give it select(rows), which returns the objective of these images (row i of it is about image "
      "rows[i])");
}

/// Refuses an objective without select(rows), of these values, that gives a row of the output another number
/// where it stands one further down. What is random in an objective is none of its rows.
template <LayerObjective O>
void check_rows(const O& objective, const Tensor& output, const Tensor& values) {
  if constexpr (!Selecting<O>) {
    // A layer may have several rows for an image (windows), which the objective brings together.
    const std::int64_t images = values.size(0);
    if (images < 2 || output.dim() == 0 || output.size(0) != images) return;
    const torch::NoGradGuard no_grad;
    const Tensor plain = output.detach();
    const auto ask = [&](const Tensor& about) {
      return numbers<O>(images, [&]() -> Tensor { return objective.of(about); });
    };
    const Tensor here = values.detach(), there = ask(plain.roll(1, 0)).roll(-1, 0);
    if (!differ(here, there, 0)) return;
    const double rounding = 1e-6 * plain.abs().max().item<double>();
    if (differ(here, there, rounding) && !differ(here, ask(plain), rounding)) refuse_rows();
  }
}

/// What a LayerObjective says of a layer's output, N: one number per image.
template <LayerObjective O>
Tensor numbers_of(const O& objective, const Tensor& output, std::int64_t images) {
  const Tensor values = numbers<O>(images, [&]() -> Tensor { return objective.of(output); });
  check_rows(objective, output, values);
  return values;
}

/// The same for a callable objective: one pass of a single image, as often as there are images (at most a
/// micro-batch), must give the same number in each row.
template <class O, class M>
void check_callable(const O& objective, const M& model, const Images& images) {
  if constexpr (!Selecting<O>) {
    const SettledExecution how = execution_of(model, images);
    const bool few_bits = how.precision == Precision::bfloat16;
    const std::int64_t rows = std::min(images.size(0), how.micro_batch);
    if (rows < 2) return;
    std::vector<std::int64_t> shape = images.sizes().vec();
    shape[0] = rows;
    const auto ask = [&] {
      return numbers<O>(
                 rows,
                 [&]() -> Tensor { return objective(model, images.narrow(0, 0, 1).expand(shape).clone()); })
          .detach();
    };
    try {
      const Tensor values = ask();
      const Tensor first = values.narrow(0, 0, 1).expand_as(values);
      if (differ(values, first, 0, few_bits) && !differ(values, ask(), 0)) refuse_rows();
    } catch (const std::exception& error) {
      if (!is_out_of_memory(error)) throw;  // what follows has smaller micro-batches
    }
  }
}

}  // namespace pellucid::detail
