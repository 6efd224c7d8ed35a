#pragma once
/// The one place that includes xtensor, and the way between its arrays and tensors. (Of xtensor only the
/// array: its expressions cost more to compile than what is drawn here is worth. Include them to calculate
/// with one.)

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#if __has_include(<xtensor/containers/xtensor.hpp>)  // 0.26 and later
#include <xtensor/containers/xtensor.hpp>
#else
#include <xtensor/xtensor.hpp>
#endif

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>

namespace pellucid {

/// One number for each pixel: height × width.
using Plane = xt::xtensor<double, 2>;

/// A copy of a tensor of N dimensions, on the CPU and converted to T. Throws Error on another number of
/// dimensions.
template <class T, std::size_t N>
requires std::is_floating_point_v<T> xt::xtensor<T, N> to_xtensor(const Tensor& tensor) {
  if (!tensor.defined() || tensor.dim() != std::int64_t(N))
    throw Error("a tensor of " +
                (tensor.defined() ? std::to_string(tensor.dim()) : std::string("undefined")) +
                " dimensions was given where " + std::to_string(N) + " are expected");
  const Tensor source = tensor.detach().to(at::kCPU, c10::CppTypeToScalarType<T>::value).contiguous();
  std::array<std::size_t, N> shape{};
  for (std::size_t i = 0; i < N; ++i) shape[i] = std::size_t(source.size(std::int64_t(i)));
  xt::xtensor<T, N> out(shape);
  std::copy_n(source.data_ptr<T>(), source.numel(), out.data());
  return out;
}

/// A copy of the array as a tensor of the same type and shape.
template <class T, std::size_t N>
requires std::is_floating_point_v<T> Tensor to_tensor(const xt::xtensor<T, N>& array) {
  const std::array<std::int64_t, N> shape = [&] {
    std::array<std::int64_t, N> sizes{};
    std::copy(array.shape().begin(), array.shape().end(), sizes.begin());
    return sizes;
  }();
  Tensor out = torch::empty(shape, torch::TensorOptions().dtype(c10::CppTypeToScalarType<T>::value));
  std::copy_n(array.data(), array.size(), out.template data_ptr<T>());
  return out;
}

}  // namespace pellucid
