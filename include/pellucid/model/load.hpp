#pragma once
#include <concepts>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>

#include <pellucid/core/error.hpp>
#include <pellucid/model/adapt.hpp>
#include <pellucid/model/weights/load.hpp>
#include <pellucid/model/weights/names.hpp>
#include <pellucid/model/weights/read.hpp>
#include <pellucid/model/zoo/layers.hpp>

namespace pellucid {

/// A network that can be made for a checkpoint: a module holder that is made from its `Options`, which a
/// static function `Options::of(checkpoint, what)` reads off the checkpoint's shapes. All networks of the
/// zoo.
template <class N>
concept Loadable = detail::ModuleHolder<N> &&
    requires(const Checkpoint& checkpoint, const std::string& what) {
  { N::Options::of(checkpoint, what) } -> std::same_as<typename N::Options>;
  N(N::Options::of(checkpoint, what));
};

namespace detail {

/// A checkpoint with torchvision's names, from a file of any format.
inline Checkpoint checkpoint_of(const std::filesystem::path& file) {
  return with_torchvision_names(read_checkpoint(file));
}

/// A network that takes over the weights of a checkpoint, as a model. make: gives one without values. `what`
/// (a file's name) begins the message of an Error.
inline auto model_of(const std::function<ForwardPass()>& make, Checkpoint checkpoint, const std::string& what,
                     Preprocess preprocess, Execution execution) {
  ForwardPass pass = [&] {
    try {
      return make();
    } catch (const c10::Error& error) {
      throw Error(what +
                      ": no network of this size can be made: " + first_line(error.what_without_backtrace()) +
                      "; give a checkpoint of a smaller network, or a machine with more memory",
                  Fault::failure);
    }
  }();
  pass.another = make;
  load_into(*pass.module, std::move(checkpoint), what);
  pass.module->eval();
  return adapted(std::move(pass), std::move(preprocess), execution);
}

/// The same for a family of networks; which of it is told by the checkpoint.
template <class Network>
auto model_of(Checkpoint checkpoint, const std::string& what, Preprocess preprocess, Execution execution) {
  const auto options = Network::Options::of(checkpoint, what);
  return model_of([options] { return pass_of(uninitialized<Network>(options).ptr()); }, std::move(checkpoint),
                  what, std::move(preprocess), execution);
}

}  // namespace detail

/// Reads a checkpoint (.pth or .safetensors) as a model: `load<VGG>(file)` is a VGG-16 with batch norm if
/// that is what the file holds, with as many classes.
///
///   auto model = load<ConvNeXt>("convnext_tiny-983f1562.pth", imagenet());
///
/// The names are torchvision's, or those of another library that `with_torchvision_names` knows. A checkpoint
/// is data: nothing in it is run. The file is mapped into memory and its values are read when the network
/// first uses them: while the model lives the file may be replaced by renaming, but not shortened or
/// overwritten. Throws Error for a file that cannot be read, that is not of this family, or that lacks
/// tensors of it.
template <class Network>
auto load(const std::filesystem::path& file, Preprocess preprocess = unchanged(), Execution execution = {}) {
  static_assert(
      Loadable<Network>,
      "This is not a network that load can make for a checkpoint: it must be a ModuleHolder of a module that "
      "takes a tensor and gives one, made from its Options, which Options::of(checkpoint, what) reads off a "
      "checkpoint's shapes; pellucid::load_into() fills a module that you made yourself.");
  if constexpr (Loadable<Network>)
    return detail::model_of<Network>(detail::checkpoint_of(file), file.string(), std::move(preprocess),
                                     execution);
}

}  // namespace pellucid
