#pragma once
#include <concepts>
#include <functional>
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

template <Module M>
ForwardPass pass_of(std::shared_ptr<M> module) {
  return {[module](const Tensor& input) { return module->forward(input); }, module};
}

/// A forward pass as a model; its module is moved where `Execution::device` says so.
inline auto adapted(ForwardPass pass, Preprocess preprocess, const Execution& execution) {
  execution.check();
  if (execution.device && pass.module != nullptr) pass.module->to(*execution.device);
  return Adapted(EagerNetwork(std::move(pass)), std::move(preprocess), execution);
}

}  // namespace detail

/// A C++ module as a model. While it runs the module is in evaluation mode and its parameters are frozen;
/// afterwards it is as it was. It is moved to another device only where `Execution::device` says so. Throws
/// Error for a module that is null.
///
/// another: makes one more module of the same build, whatever its values, for what needs a network with other
/// weights (`shuffled`); C++ cannot copy a module by itself. Left out, the module itself has those weights
/// meanwhile, and nobody else may run it:
///
///   auto model = adapt(net, imagenet(), {}, [] { return std::make_shared<Net>(10); });
template <detail::Module M>
auto adapt(std::shared_ptr<M> module, Preprocess preprocess = unchanged(), Execution execution = {},
           std::type_identity_t<std::function<std::shared_ptr<M>()>> another = {}) {
  if (module == nullptr) throw Error("adapt: a null module was given; make the network first");
  detail::ForwardPass pass = detail::pass_of(std::move(module));
  if (another)
    pass.another = [another] {
      std::shared_ptr<M> other = another();
      if (other == nullptr)
        throw Error("adapt: the function that makes another module gave a null one; make the network there");
      return detail::pass_of(std::move(other));
    };
  return detail::adapted(std::move(pass), std::move(preprocess), execution);
}

/// The same, from a holder made by TORCH_MODULE.
template <detail::ModuleHolder Holder>
auto adapt(const Holder& holder, Preprocess preprocess = unchanged(), Execution execution = {},
           std::type_identity_t<std::function<Holder()>> another = {}) {
  if (holder.is_empty()) throw Error("adapt: an empty module holder was given; make the network first");
  using M = std::remove_cvref_t<decltype(*holder.ptr())>;
  std::function<std::shared_ptr<M>()> one_more;
  if (another) one_more = [another] { return another().ptr(); };
  return adapt(holder.ptr(), std::move(preprocess), execution, std::move(one_more));
}

/// A function of a tensor as a model. The places that it marks are its layers. A module that it calls is run
/// as it is: put it into evaluation mode yourself, or batch norm learns and dropout drops. Its call operator
/// is const.
template <class Function>
requires(std::invocable<Function&, const Tensor&> &&
         !detail::ModuleHolder<Function>) auto adapt(Function function, Preprocess preprocess = unchanged(),
                                                     Execution execution = {}) {
  constexpr bool is_const = std::invocable<const Function&, const Tensor&>;
  static_assert(
      is_const,
      "This function cannot be adapted: its call operator must be const (no mutable lambda; capture "
      "a torch::jit::Module by reference, or give the module itself to pellucid::adapt()).");
  if constexpr (is_const) {
    const auto shared = std::make_shared<const Function>(std::move(function));  // it may not be copyable
    detail::ForwardPass pass{[shared](const Tensor& input) { return (*shared)(input); }};
    return detail::adapted(std::move(pass), std::move(preprocess), execution);
  }
}

}  // namespace pellucid
