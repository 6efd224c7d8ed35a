#pragma once
#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include <pellucid/model/adapted.hpp>
#include <pellucid/model/module.hpp>

namespace pellucid {

namespace detail {

template <class M>
concept Module = std::derived_from<M, torch::nn::Module> && requires(M& module, const Tensor& input) {
  { module.forward(input) } -> std::convertible_to<Tensor>;
};

/// The shared pointer in a ModuleHolder, or the one given.
template <class Holder>
concept ModuleHolder = requires(const Holder& holder) {
  {holder.ptr()};
  requires Module<typename std::remove_cvref_t<decltype(*holder.ptr())>>;
};

}  // namespace detail

/// A C++ module as a model. While it runs the module is in evaluation mode and its parameters are frozen;
/// afterwards it is as it was. It is moved to another device only where `Execution::device` says so. Throws
/// Error for a module that is null.
template <detail::Module M>
auto adapt(std::shared_ptr<M> module, Preprocess preprocess = unchanged(), Execution execution = {}) {
  if (module == nullptr) throw Error("adapt: a null module was given; make the network first");
  if (execution.device) module->to(*execution.device);
  auto forward = [module](const Tensor& input) { return Tensor(module->forward(input)); };
  return Adapted(detail::EagerNetwork(std::move(forward), module), std::move(preprocess), execution);
}

/// The same, from a holder made by TORCH_MODULE.
template <detail::ModuleHolder Holder>
auto adapt(const Holder& holder, Preprocess preprocess = unchanged(), Execution execution = {}) {
  if (holder.is_empty()) throw Error("adapt: an empty module holder was given; make the network first");
  return adapt(holder.ptr(), std::move(preprocess), execution);
}

/// A function of a tensor as a model. The places that it marks are its layers. A module that it calls is run
/// as it is: put it into evaluation mode yourself, or batch norm learns and dropout drops.
template <std::invocable<const Tensor&> Function>
requires(!detail::ModuleHolder<Function>) auto adapt(Function function, Preprocess preprocess = unchanged(),
                                                     Execution execution = {}) {
  return Adapted(detail::EagerNetwork(std::move(function)), std::move(preprocess), execution);
}

}  // namespace pellucid
