#include "shipped.hpp"

#include <pellucid/model/adapt.hpp>
#include <pellucid/model/weights/load.hpp>
#include <pellucid/model/weights/safetensors.hpp>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "networks.hpp"

namespace shapes {

namespace {

template <class Network>
pellucid::AnyModel with_weights(Network network, const std::string& name, pellucid::Preprocess preprocess,
                                pellucid::Execution execution) {
  const std::filesystem::path file = std::filesystem::path(SHAPES_NETWORKS) / (name + ".safetensors");
  pellucid::load_into(*network, pellucid::read_safetensors(file), file.string());
  return pellucid::adapt(network, std::move(preprocess), execution);
}

}  // namespace

const std::vector<std::string>& shipped_names() {
  static const std::vector<std::string> names{"shapes-convnext", "shapes-vgg", "shapes-cheater"};
  return names;
}

bool is_shipped(const std::string& name) {
  return std::find(shipped_names().begin(), shipped_names().end(), name) != shipped_names().end();
}

pellucid::Preprocess preprocess() {
  return {.resize = 64, .crop = 64};
}

pellucid::AnyModel load_shipped(const std::string& name, pellucid::Preprocess preprocess,
                                pellucid::Execution execution) {
  if (name == "shapes-vgg")
    return with_weights(pellucid::VGG(vgg_options()), name, std::move(preprocess), execution);
  return with_weights(pellucid::ConvNeXt(convnext_options()), name, std::move(preprocess), execution);
}

}  // namespace shapes
