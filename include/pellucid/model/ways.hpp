#pragma once
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/execution.hpp>
#include <pellucid/core/noise.hpp>
#include <pellucid/core/recorded.hpp>
#include <pellucid/model/recording.hpp>
#include <pellucid/model/weights/checkpoint.hpp>

#include <ATen/record_function.h>

namespace pellucid::detail {

/// The ways in which a network can be run: it is prepared for each of them once, and once for each shape of
/// images it is measured which is the fastest. Copies of a model share one of these.
template <class Network>
class Ways {
 public:
  explicit Ways(std::shared_ptr<const Network> network) : network_(std::move(network)) {}

  const Network& plain() const { return *network_; }

  /// The network prepared for an execution: the network itself, or a copy that is made once, and anew when
  /// the network's values have changed.
  std::shared_ptr<const Network> prepared(const Execution& how) {
    const Key key = key_of(how);
    if (key == key_of(Execution{})) return network_;
    // What is made now is there for later calls, too, whatever mode this one is in.
    const c10::InferenceMode off(false);
    const torch::NoGradGuard no_grad;
    const std::lock_guard lock(mutex_);
    Way& way = ways_[key];
    const std::uint64_t version = version_of(network_->state());
    if (way.network == nullptr || way.version != version)
      way = {std::make_shared<const Network>(network_->prepared(how)), version};
    return way.network;
  }

  /// The execution with nothing left open, for images such as these, as the network gets them.
  SettledExecution settled(const Execution& asked, const Tensor& input) {
    if (!asked.is_tried_out()) return asked;
    std::vector<std::int64_t> shape = input.sizes().vec();
    shape[0] = std::int64_t(input.scalar_type());
    const std::lock_guard lock(measuring_);
    const auto known = settled_.find(shape);
    if (known != settled_.end()) return known->second;
    const auto [how, found] = chosen(asked, input);
    if (found) settled_.emplace(shape, how);
    forget_the_others();
    return how;
  }

  /// Takes over what was measured of another network of the same build.
  void learn_from(Ways& other) {
    const std::scoped_lock lock(measuring_, other.measuring_);
    settled_ = other.settled_;
  }

 private:
  using Key = std::tuple<Layout, Precision, bool>;

  struct Way {
    std::shared_ptr<const Network> network{};
    std::uint64_t version = 0;
  };

  static Key key_of(const Execution& how) { return {how.layout, how.precision, how.folded}; }

  /// Another number whenever a value was replaced or written into. What goes past LibTorch's own count of
  /// that (an optimizer's `.data()`) is seen on the CPU, in a few bytes of each tensor.
  static std::uint64_t version_of(const NamedTensors& state) {
    std::uint64_t version = 0;
    const auto add = [&](std::uint64_t number) { version = mixed(version ^ number); };
    for (const auto& [name, value] : state) {
      add(std::uint64_t(reinterpret_cast<std::uintptr_t>(value.data_ptr())));
      add(value.is_inference() ? 0 : std::uint64_t(value._version()));
      if (!value.device().is_cpu() || !value.is_non_overlapping_and_dense()) continue;
      constexpr std::size_t looks = 16, word = 4;
      const std::size_t size = value.nbytes();
      for (std::size_t i = 0; size >= word && i < looks; ++i) {
        std::uint32_t bytes = 0;
        std::memcpy(&bytes, static_cast<const char*>(value.data_ptr()) + (size - word) * i / (looks - 1),
                    word);
        add(bytes);
      }
    }
    return version;
  }

  /// While one lives, no recording of a model around this one sees its passes.
  struct Unseen {
    Recording* outer = std::exchange(Recording::current(), nullptr);
    at::DisableRecordFunctionGuard observers{};
    ~Unseen() { Recording::current() = outer; }
  };

  /// The seconds that a pass forward and backward takes, the shorter of two; nothing where there is none.
  std::optional<double> seconds(const Execution& how, const Tensor& input, std::string& why_not) {
    const Recorded recorded;
    const Unseen unseen;
    std::vector<std::int64_t> sizes = input.sizes().vec();
    sizes[0] = how.micro_batch;
    try {
      const std::shared_ptr<const Network> network = prepared(how);
      const Tensor images = laid_out(uniform_noise(sizes, {}).to(input.options()), how.layout);
      const auto pass = [&] {
        const auto start = std::chrono::steady_clock::now();
        const Tensor begin = images.detach().requires_grad_();
        const Tensor sum = network->forward(begin.clone()).sum();
        Tensor end = sum;
        if (sum.requires_grad()) end = torch::autograd::grad({sum}, {begin}, {}, {}, false, true)[0];
        if (!end.defined()) end = sum;
        if (!end.isfinite().all().template item<bool>()) throw Error("its numbers overflow");
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      };
      pass();
      return std::min(pass(), pass());
    } catch (const c10::Error& error) {
      why_not = first_line(error.what_without_backtrace());
    } catch (const std::exception& error) {
      why_not = error.what();
    }
    return {};
  }

  struct Fastest {
    std::optional<SettledExecution> how{};
    double seconds = 0;     ///< for one image
    std::string why_not{};  ///< where there is none
  };

  /// Looks whether an execution is faster than the fastest so far.
  void compare(Fastest& fastest, const SettledExecution& how, const Tensor& input) {
    const auto took = seconds(how, input, fastest.why_not);
    if (!took || (fastest.how && *took / double(how.micro_batch) >= fastest.seconds)) return;
    fastest.how = how;
    fastest.seconds = *took / double(how.micro_batch);
  }

  /// Of the layouts that are open, with each of these precisions.
  Fastest fastest_of(SettledExecution how, const Execution& asked, const std::vector<Precision>& precisions,
                     const Tensor& input) {
    std::vector<Layout> layouts{how.layout};
    if (asked.layout == Layout::automatic && input.dim() == 4)
      layouts = {Layout::contiguous, Layout::channels_last};
    if (!asked.is_automatic()) how.micro_batch = 1;  // it is only seen whether it works
    Fastest fastest;
    for (const Precision precision : precisions)
      for (const Layout layout : layouts) {
        how.precision = precision;
        how.layout = layout;
        compare(fastest, how, input);
      }
    return fastest;
  }

  /// The execution, and whether it could be run.
  std::pair<SettledExecution, bool> chosen(const Execution& asked, const Tensor& input) {
    constexpr std::int64_t few = 4, many = 32;
    SettledExecution how(asked);
    if (asked.micro_batch == 0) how.micro_batch = few;
    const auto fastest_with = [&](const std::vector<Precision>& precisions) {
      return fastest_of(how, asked, precisions, input);
    };
    Fastest fastest = asked.precision == Precision::automatic
                          ? fastest_with({Precision::float32, Precision::bfloat16})
                          : fastest_with({how.precision});
    if (!fastest.how && asked.precision == Precision::bfloat16) {
      how.notice = "the model was to compute in bfloat16 and computes in float32: " + fastest.why_not;
      how.precision = Precision::float32;
      fastest = fastest_with({Precision::float32});
    }
    if (!fastest.how) return {how, false};  // the pass itself will tell why
    how.layout = fastest.how->layout;
    how.precision = fastest.how->precision;
    if (asked.micro_batch > 0) return {how, true};
    // From a few images on to more of them, as long as that helps.
    for (SettledExecution larger = how; larger.micro_batch < many;) {
      larger.micro_batch *= 2;
      compare(fastest, larger, input);
      if (fastest.how->micro_batch != larger.micro_batch) break;
    }
    return {*fastest.how, true};
  }

  /// Drops the networks that were prepared for measuring alone.
  void forget_the_others() {
    const std::lock_guard lock(mutex_);
    std::erase_if(ways_, [&](const auto& way) {
      return std::none_of(settled_.begin(), settled_.end(),
                          [&](const auto& used) { return key_of(used.second) == way.first; });
    });
  }

  std::shared_ptr<const Network> network_;
  std::mutex mutex_{}, measuring_{};
  std::map<Key, Way> ways_{};
  std::map<std::vector<std::int64_t>, SettledExecution> settled_{};
};

}  // namespace pellucid::detail
