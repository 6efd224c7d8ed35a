#pragma once
/// Weights that zoo.py and the tests compute alike, instead of storing gigabytes.

#include <pellucid/model/weights/load.hpp>

#include <boost/crc.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

namespace pellucid::reference {

/// The table of zoo.py, twice over, so that a short tensor is a piece of it from any place on.
inline Tensor formula_table() {
  constexpr std::uint32_t period = 1'000'003;
  const Tensor table = torch::empty({period});
  float* const values = table.data_ptr<float>();
  for (std::uint32_t i = 0; i < period; ++i) {
    std::uint32_t hash = i;
    hash = (hash ^ hash >> 16) * 0x7feb352dU;
    hash = (hash ^ hash >> 15) * 0x846ca68bU;
    hash ^= hash >> 16;
    values[i] = float(hash >> 8) * 0x1p-23F - 1.0F;
  }
  return table.repeat({2});
}

/// Sets a network's parameters and buffers by the formula of zoo.py.
inline void fill(torch::nn::Module& network, double gain) {
  static const Tensor table = formula_table();
  const std::int64_t period = table.numel() / 2;
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : pellucid::detail::named_state(network)) {
    if (!tensor.is_floating_point()) {
      tensor.zero_();
      continue;
    }
    boost::crc_32_type crc;
    crc.process_bytes(name.data(), name.size());
    const std::int64_t place = crc.checksum() % period, count = tensor.numel();
    Tensor u = table.slice(0, place, place + std::min(count, period));
    if (count > period) u = u.repeat({(count + period - 1) / period}).slice(0, 0, count);
    tensor.copy_(u.view(tensor.sizes()));
    if (name.ends_with("running_mean") || name.ends_with("bias")) {
      tensor.mul_(0.1);
    } else if (name.ends_with("layer_scale")) {
      tensor.mul_(0.2).add_(0.3);
    } else if (tensor.dim() == 1) {
      tensor.mul_(0.5).add_(1);
    } else {
      tensor.mul_(std::sqrt(3 * gain / double(count / tensor.size(0))));
    }
  }
}

}  // namespace pellucid::reference
