#pragma once
#include <algorithm>
#include <cctype>
#include <cstdint>
#include <string>

#include <pellucid/core/average.hpp>
#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>

namespace pellucid::detail {

/// What mends images that a model could not be run on, as far as their shape, their type and the reason tell:
/// "; …", or nothing.
inline std::string remedy(const Images& images, const std::string& reason) {
  const auto channels = [](std::int64_t size) { return size == 1 || size == 3; };
  std::string text = reason;
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto says = [&](const char* part) { return text.find(part) != std::string::npos; };
  if (images.is_floating_point() && images.scalar_type() != torch::kFloat && says("float") &&
      (says("same dtype") || says("scalar type") || says("should be the same")))
    return c10::str("; the images are of type ", images.scalar_type(), ": .to(torch::kFloat)");
  if (images.dim() == 3 && channels(images.size(0)) && !channels(images.size(1)))
    return "; if this is one image C×H×W, make it a batch: .unsqueeze(0)";
  if (images.dim() == 4 && channels(images.size(3)) && !channels(images.size(1)))
    return c10::str("; the last dimension is ", images.size(3),
                    ": if it holds the channels, they come first, .permute({0, 3, 1, 2})");
  return "";
}

/// What `ask` gives for a model and images; what LibTorch throws on the way becomes an Error.
template <class Ask>
auto run_on(const Images& images, const Ask& ask) {
  try {
    return ask();
  } catch (const c10::Error& error) {
    if (is_out_of_memory(error)) throw;
    const std::string reason = first_line(error.what_without_backtrace());
    throw Error("the model could not be run on images of shape " + c10::str(images.sizes()) + ": " + reason +
                remedy(images, reason));
  }
}

}  // namespace pellucid::detail
