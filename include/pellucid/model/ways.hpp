#pragma once
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/execution.hpp>
#include <pellucid/core/images.hpp>
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

  /// A way to run the network, tried out.
  struct Candidate {
    SettledExecution how{};
    std::shared_ptr<const Network> network{};
    Tensor images{};
    double seconds = std::numeric_limits<double>::infinity();  ///< for one image: of the shortest pass

    /// Makes a pass forward and backward.
    void run() {
      const auto start = std::chrono::steady_clock::now();
      const Tensor begin = images.detach().requires_grad_();
      const Tensor sum = network->forward(begin.clone()).sum();
      Tensor end = sum;
      if (sum.requires_grad()) end = torch::autograd::grad({sum}, {begin}, {}, {}, false, true)[0];
      if (!end.defined()) end = sum;
      if (!all_finite(end)) throw Error("its numbers overflow");
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      seconds = std::min(seconds, took.count() / double(how.micro_batch));
    }
  };

  /// Tries them out, and measures them: in turn, so that what else the machine does meets all of them. Those
  /// that cannot be run, or are far behind after a round, are left out; then those that are behind at all,
  /// so that only what is hard to tell apart is measured longer.
  std::vector<Candidate> tried(const std::vector<SettledExecution>& ways, bool measured, const Tensor& input,
                               std::string& why_not) {
    constexpr int few = 3, many = 10;
    constexpr double enough = 2, plenty = 5;  // seconds
    constexpr double far_behind = 1.5, behind = 1.1;
    constexpr double told_apart = 0.1;  // seconds: shorter measurements say nothing
    const Recorded recorded;
    const Unseen unseen;
    const auto works = [&](const auto& work) {
      try {
        work();
        return true;
      } catch (const c10::Error& error) {
        why_not = first_line(error.what_without_backtrace());
      } catch (const std::exception& error) {
        why_not = error.what();
      }
      return false;
    };
    std::vector<Candidate> candidates;
    for (const SettledExecution& how : ways)
      works([&] {
        std::vector<std::int64_t> sizes = input.sizes().vec();
        sizes[0] = how.micro_batch;
        const Tensor images = laid_out(uniform_noise(sizes, {}).to(input.options()), how.layout);
        Candidate candidate{how, prepared(how), images};
        candidate.run();  // the first pass is slower: memory and kernels are set up
        candidates.push_back(std::move(candidate));
      });
    double spent = 0;
    const auto goes_on = [&](int round) {
      const double limit = round < few ? plenty : round < many ? enough : 0;
      return round == 0 || (candidates.size() > 1 && spent < limit);
    };
    for (int round = 0; measured && goes_on(round); ++round) {
      for (auto one = candidates.begin(); one != candidates.end();) {
        spent += one->seconds * double(one->how.micro_batch);
        one = works([&] { one->run(); }) ? one + 1 : candidates.erase(one);
      }
      if (const Candidate* const fastest = fastest_of(candidates); fastest != nullptr && spent >= told_apart)
        std::erase_if(candidates, [most = (round + 1 < few ? far_behind : behind) * fastest->seconds](
                                      const Candidate& one) { return one.seconds > most; });
    }
    return candidates;
  }

  /// The fastest; null where there is none. bfloat16, which rounds, has to be a tenth faster than float32.
  static const Candidate* fastest_of(const std::vector<Candidate>& candidates) {
    const auto seconds = [](const Candidate& candidate) {
      return candidate.how.precision == Precision::bfloat16 ? candidate.seconds / 0.9 : candidate.seconds;
    };
    const auto fastest =
        std::min_element(candidates.begin(), candidates.end(),
                         [&](const Candidate& a, const Candidate& b) { return seconds(a) < seconds(b); });
    return fastest == candidates.end() ? nullptr : &*fastest;
  }

  /// Of several micro-batches, by size, the first that is nearly as fast as the fastest: it takes the least
  /// memory.
  static Candidate smallest_of_the_fastest(const std::vector<Candidate>& sizes) {
    constexpr double nearly = 1.02;
    const double most = nearly * fastest_of(sizes)->seconds;
    return *std::find_if(sizes.begin(), sizes.end(),
                         [&](const Candidate& one) { return one.seconds <= most; });
  }

  /// How many images at once suit a network of long passes, whose matrix products are large anyway: 16 of
  /// 3×224×224, fewer of larger ones, for memory.
  static std::int64_t usual_micro_batch(const Tensor& input) {
    constexpr std::int64_t usual = 16, values = usual * 3 * 224 * 224;
    return std::clamp<std::int64_t>(values / std::max<std::int64_t>(input[0].numel(), 1), 1, usual);
  }

  /// The execution with each layout that is open, and each of these precisions.
  static std::vector<SettledExecution> each_of(SettledExecution how, const Execution& asked,
                                               const std::vector<Precision>& precisions,
                                               const Tensor& input) {
    std::vector<Layout> layouts{how.layout};
    if (asked.layout == Layout::automatic && input.dim() == 4)
      layouts = {Layout::contiguous, Layout::channels_last};
    std::vector<SettledExecution> ways;
    for (const Precision precision : precisions)
      for (const Layout layout : layouts) {
        how.precision = precision;
        how.layout = layout;
        ways.push_back(how);
      }
    return ways;
  }

  /// The execution, and whether it could be run.
  std::pair<SettledExecution, bool> chosen(const Execution& asked, const Tensor& input) {
    constexpr std::int64_t few = 4, many = 32;
    constexpr double long_pass = 0.5;  // seconds
    SettledExecution how(asked);
    how.micro_batch = asked.is_automatic() ? (asked.micro_batch == 0 ? few : asked.micro_batch) : 1;
    std::string why_not, notice;
    std::vector<Precision> precisions{how.precision};
    if (asked.precision == Precision::automatic) precisions = {Precision::float32, Precision::bfloat16};
    std::vector<Candidate> candidates =
        tried(each_of(how, asked, precisions, input), asked.is_automatic(), input, why_not);
    if (candidates.empty() && asked.precision == Precision::bfloat16) {
      notice = "the model was to compute in bfloat16 and computes in float32: " + why_not;
      how.precision = Precision::float32;
      candidates =
          tried(each_of(how, asked, {Precision::float32}, input), asked.is_automatic(), input, why_not);
    }
    if (const Candidate* const fastest = fastest_of(candidates);
        fastest != nullptr && asked.micro_batch == 0) {
      const std::int64_t usual = usual_micro_batch(input);
      if (double(usual) * fastest->seconds >= long_pass) {
        // To find out would take about as long as what is asked for.
        candidates = {*fastest};
        candidates[0].how.micro_batch = usual;
      } else {
        std::vector<SettledExecution> sizes;
        for (SettledExecution how_many = fastest->how; how_many.micro_batch <= many;
             how_many.micro_batch *= 2)
          if (double(how_many.micro_batch) * fastest->seconds < long_pass) sizes.push_back(how_many);
        const std::vector<Candidate> measured = tried(sizes, /*measured=*/true, input, why_not);
        if (!measured.empty()) candidates = {smallest_of_the_fastest(measured)};
      }
    }
    const Candidate* const fastest = fastest_of(candidates);
    if (fastest != nullptr) how = fastest->how;
    if (asked.micro_batch > 0) how.micro_batch = asked.micro_batch;
    how.notice = notice;
    return {how, fastest != nullptr};  // where there is none, the pass itself will tell why
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
