#pragma once
#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/model/any_model.hpp>
#include <pellucid/model/load.hpp>
#include <pellucid/model/zoo/cifar_resnet.hpp>
#include <pellucid/model/zoo/convnext.hpp>
#include <pellucid/model/zoo/mobilenet_v2.hpp>
#include <pellucid/model/zoo/resnet.hpp>
#include <pellucid/model/zoo/squeezenet.hpp>
#include <pellucid/model/zoo/vgg.hpp>

namespace pellucid {

namespace detail {

/// A family of networks without its type.
struct Family {
  std::string name;                   ///< "resnet"
  std::vector<std::string> variants;  ///< "resnet18", "resnet34", …
  /// The variant that a checkpoint is of, whatever its number of classes; the family where it has a shape of
  /// its own. Throws Error when it is of another family.
  std::string (*variant_of)(const Checkpoint&, const std::string& what);
  pellucid::AnyModel (*load)(Checkpoint, const std::string& what, Preprocess, Execution);
};

template <Loadable Network>
Family family_of() {
  using Options = typename Network::Options;
  std::vector<std::string> names;
  for (const auto& [name, options] : Options::variants()) names.push_back(name);
  const auto variant_of = [](const Checkpoint& checkpoint, const std::string& what) -> std::string {
    Options found = Options::of(checkpoint, what);
    for (const auto& [name, options] : Options::variants()) {
      found.classes = options.classes;
      if (found == options) return name;
    }
    return Options::family;
  };
  const auto load = [](Checkpoint checkpoint, const std::string& what, Preprocess preprocess,
                       Execution execution) -> pellucid::AnyModel {
    return model_of<Network>(std::move(checkpoint), what, std::move(preprocess), execution);
  };
  return {Options::family, std::move(names), variant_of, load};
}

inline const std::vector<Family>& families() {
  static const std::vector<Family> all{family_of<VGG>(),         family_of<ResNet>(),
                                       family_of<CifarResNet>(), family_of<ConvNeXt>(),
                                       family_of<SqueezeNet>(),  family_of<MobileNetV2>()};
  return all;
}

/// The family that a name is of: its own, or a variant's.
inline const Family& family_named(const std::string& name) {
  std::string known;
  for (const Family& family : families()) {
    if (name == family.name || std::count(family.variants.begin(), family.variants.end(), name) > 0)
      return family;
    known += (known.empty() ? "" : ", ") + family.name;
    for (const std::string& variant : family.variants) known += ", " + variant;
  }
  throw Error("there is no architecture '" + name + "'; give one of " + known);
}

}  // namespace detail

/// What `load_as` can be asked for: the families (`vgg`: of any shape) and their variants (`vgg16_bn`).
inline std::vector<std::string> architecture_names() {
  std::vector<std::string> names;
  for (const detail::Family& family : detail::families()) {
    names.push_back(family.name);
    names.insert(names.end(), family.variants.begin(), family.variants.end());
  }
  return names;
}

/// Which architecture a checkpoint with torchvision's names holds the weights of, told by names and shapes:
/// `resnet50`, or `resnet` where its shape has no name. `what` (a file's name) begins the message.
/// Throws Error when it is none that can be loaded.
inline std::string architecture_of(const Checkpoint& checkpoint, const std::string& what) {
  std::string known, tensors;
  for (const detail::Family& family : detail::families()) {
    try {
      return family.variant_of(checkpoint, what);
    } catch (const Error&) {  // then it is of another
      known += (known.empty() ? "" : ", ") + family.name;
    }
  }
  for (std::size_t i = 0; i < std::min<std::size_t>(3, checkpoint.tensors.size()); ++i)
    tensors += (i == 0 ? "it begins with " : ", ") + detail::shown(checkpoint.tensors[i].first);
  throw Error(what + " is not a checkpoint of an architecture that can be loaded: " +
              (tensors.empty() ? "it holds no tensor" : tensors) +
              "; expected one of these families: " + known);
}

/// Reads a checkpoint of whatever architecture can be recognised in it.
/// Throws Error for a file that cannot be read, and for one of no known architecture.
inline AnyModel load_any(const std::filesystem::path& file, Preprocess preprocess = unchanged(),
                         Execution execution = {}) {
  Checkpoint checkpoint = detail::checkpoint_of(file);
  const detail::Family& family = detail::family_named(architecture_of(checkpoint, file.string()));
  return family.load(std::move(checkpoint), file.string(), std::move(preprocess), std::move(execution));
}

/// Reads a checkpoint of the architecture of that name: one of `architecture_names()`.
///
///   AnyModel model = load_as("resnet50", "resnet50-0676ba61.pth", imagenet());
///
/// Throws Error for a name that is none, for a file that cannot be read, and for one of another architecture,
/// which it names.
inline AnyModel load_as(const std::string& architecture, const std::filesystem::path& file,
                        Preprocess preprocess = unchanged(), Execution execution = {}) {
  const detail::Family& family = detail::family_named(architecture);
  Checkpoint checkpoint = detail::checkpoint_of(file);
  std::string found;
  try {
    found = architecture_of(checkpoint, file.string());
  } catch (const Error&) {  // of none: the family knows best what is amiss
    found = family.variant_of(checkpoint, file.string());
  }
  const bool fits =
      architecture == found || (architecture == family.name && &family == &detail::family_named(found));
  if (!fits)
    throw Error(file.string() + " is not a checkpoint of " + architecture + ": its tensors are those of " +
                found + (found == family.name ? " in a shape of its own" : "") + "; ask for " + found);
  return family.load(std::move(checkpoint), file.string(), std::move(preprocess), std::move(execution));
}

}  // namespace pellucid
