#pragma once
#include <concepts>
#include <filesystem>
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

/// The network that a checkpoint holds the weights of, which it takes over, as a model. `what` (a file's
/// name) begins the message of an Error.
template <class Network>
auto model_of(Checkpoint checkpoint, const std::string& what, Preprocess preprocess, Execution execution) {
  const auto options = Network::Options::of(checkpoint, what);
  const Network network = [&] {
    try {
      return uninitialized<Network>(options);
    } catch (const c10::Error& error) {
      const std::string reason = error.what_without_backtrace();
      throw Error(what + ": no network of this size can be made: " + reason.substr(0, reason.find('\n')) +
                      "; give a checkpoint of a smaller network, or a machine with more memory",
                  Fault::failure);
    }
  }();
  load_into(*network.ptr(), std::move(checkpoint), what);
  network.ptr()->eval();
  return adapt(network, std::move(preprocess), std::move(execution),
               [options] { return uninitialized<Network>(options); });
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
