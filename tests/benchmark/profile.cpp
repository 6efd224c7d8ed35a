// Where the time of one SmoothGrad goes, by the operators of LibTorch that it runs; what is in none of them
// is the noise's random numbers, measured by themselves, and the rest.
//   build/release/bin/benchmark_profile ARCHITECTURE CHECKPOINT [THREADS]      or FILE of TorchScript, and -
#include <pellucid/pellucid.hpp>

#include <ATen/record_function.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "paired.hpp"

using namespace pellucid;

namespace {

using Clock = std::chrono::steady_clock;

/// Seconds of the outermost operators, by their names.
std::map<std::string, double>& times() {
  static std::map<std::string, double> all;
  return all;
}

struct Begun : at::ObserverContext {
  Clock::time_point at = Clock::now();
};

int& depth() {
  thread_local int now = 0;
  return now;
}

std::unique_ptr<at::ObserverContext> begin_operator(const at::RecordFunction&) {
  ++depth();
  return std::make_unique<Begun>();
}

void end_operator(const at::RecordFunction& run, at::ObserverContext* context) {
  if (--depth() > 0) return;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  times()[run.name()] +=
      std::chrono::duration<double>(Clock::now() - static_cast<Begun*>(context)->at).count();
}

/// What an operator is for.
std::string purpose(const std::string& name) {
  const auto has = [&](const char* part) { return name.find(part) != std::string::npos; };
  if (has("ackward")) {
    if (has("Convolution") || has("Mkldnn") || has("Addmm"))
      return "convolutions and linear layers, backward";
    return "everything else of the network, backward";
  }
  if (has("conv") || has("linear") || has("addmm")) return "convolutions and linear layers, forward";
  for (const char* part :
       {"relu", "pool", "batch_norm", "cat", "layer_norm", "gelu", "dropout", "hardtanh", "permute"})
    if (has(part)) return "everything else of the network, forward";
  for (const char* part : {"log_", "sqrt_", "cos", "sin"})
    if (has(part)) return "noise";
  return "small operators: adding noise, normalising, averaging";
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::fprintf(stderr, "usage: benchmark_profile ARCHITECTURE CHECKPOINT [THREADS], or FILE - [THREADS]\n");
    return 2;
  }
  keep_freed_memory();
  at::set_num_threads(count > 3 ? std::atoi(arguments[3]) : 2);
  const std::string what = arguments[1], file = arguments[2];
  const Execution fast = Execution::automatic(Precision::float32);
  const AnyModel model =
      file == "-" ? AnyModel(load_script(what, unchanged(), fast)) : load_as(what, file, unchanged(), fast);
  const Images image = uniform_noise({1, 3, 224, 224}, {});
  const auto smooth = Attribution<SmoothGrad>({.samples = 50});
  smooth(model, image, Class{3});

  const auto handle =
      at::addGlobalCallback(at::RecordFunctionCallback(begin_operator, end_operator)
                                .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
  const double whole = benchmark::seconds([&] { smooth(model, image, Class{3}); });
  at::removeCallback(handle);
  const auto operators = times();
  const double numbers = benchmark::seconds([&] {
    for (std::int64_t pair = 0; pair < 25; ++pair)
      pellucid::detail::random_blocks(image.numel() / 4, {.sample = pair},
                                      [](std::int64_t, const auto& bits) {
                                        volatile std::uint32_t used = bits[0] ^ bits[1] ^ bits[2] ^ bits[3];
                                        (void)used;
                                      });
  });

  std::map<std::string, double> purposes{{"noise", numbers}};
  double accounted = numbers;
  for (const auto& [name, seconds] : operators) {
    purposes[purpose(name)] += seconds;
    accounted += seconds;
  }
  std::printf("| one SmoothGrad, n = 50, %.2f s | share |\n|---|---|\n", whole);
  for (const auto& [name, seconds] : purposes)
    std::printf("| %s | %.1f %% |\n", name.c_str(), 100 * seconds / whole);
  std::printf("| accounted for | %.1f %% |\n", 100 * accounted / whole);
}
