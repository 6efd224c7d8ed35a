#include "shipped.hpp"

#include <pellucid/model/load.hpp>
#include <pellucid/model/zoo/convnext.hpp>
#include <pellucid/model/zoo/vgg.hpp>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace shapes {

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
  const std::filesystem::path file = std::filesystem::path(SHAPES_NETWORKS) / (name + ".safetensors");
  if (name == "shapes-vgg") return pellucid::load<pellucid::VGG>(file, std::move(preprocess), execution);
  return pellucid::load<pellucid::ConvNeXt>(file, std::move(preprocess), execution);
}

}  // namespace shapes
