// What tests/benchmark/peers.py runs of this library: reads a request a line, and answers with the seconds
// that it took (or a word, where that is what is asked for).
//   benchmark_peers THREADS
//   load ARCHITECTURE CHECKPOINT WAY      plain, fp32 (the fastest in float32) or auto
//   way                                   how it is run
//   smoothgrad N [FILE.npy [SEED]]   integrated-gradients STEPS   occlusion WINDOW STRIDE
//   fgsm   pgd STEPS   dream LAYER CHANNEL STEPS
//   image FILE.npy                        what all of them look at: N×3×H×W, normalised
#include <pellucid/pellucid.hpp>

#include <cstdio>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>

#include "paired.hpp"

using namespace pellucid;

namespace {

constexpr std::int64_t label = 3;

Execution way_of(const std::string& name) {
  if (name == "plain") return {};
  return Execution::automatic(name == "fp32" ? Precision::float32 : Precision::automatic);
}

std::string described(const SettledExecution& how) {
  return std::string(how.layout == Layout::channels_last ? "channels last" : "contiguous") + ", " +
         (how.precision == Precision::bfloat16 ? "bfloat16" : "float32") + ", " +
         std::to_string(how.micro_batch) + " at once" + (how.notice.empty() ? "" : " (" + how.notice + ")");
}

class Runner {
 public:
  /// What is asked for, done; and what there is to say of it.
  std::string answer(std::istream& request) {
    std::string what;
    request >> what;
    if (what == "load") {
      std::string architecture, file, way;
      request >> architecture >> file >> way;
      model_.emplace(load_as(architecture, file, unchanged(), way_of(way)));
      return "loaded";
    }
    if (what == "image") {
      std::string file;
      request >> file;
      image_ = read_npy(file);
      return "read";
    }
    if (what == "way") return described(model_->execution(image_));
    return std::to_string(benchmark::seconds([&] { run(what, request); }));
  }

 private:
  void run(const std::string& what, std::istream& request) {
    if (what == "smoothgrad") {
      std::int64_t samples = 50;
      std::string file;
      std::uint64_t seed = 0;
      request >> samples >> file;
      if (!file.empty()) request >> seed;
      const Attribution<SmoothGrad> method({.samples = samples, .seed = seed});
      const Tensor map = method(*model_, image_, Class{label}).attribution;
      if (!file.empty()) write_npy(file, map);
    } else if (what == "integrated-gradients") {
      std::int64_t steps = 50;
      request >> steps;
      Attribution<IntegratedGradients>({.steps = steps})(*model_, image_, Class{label});
    } else if (what == "occlusion") {
      std::int64_t window = 28, stride = 14;
      request >> window >> stride;
      Attribution<Occlusion>({.window = window, .stride = stride})(*model_, image_, Class{label});
    } else if (what == "fgsm") {
      Attack<FGSM>({.epsilon = 0.01})(*model_, image_, Class{label});
    } else if (what == "pgd") {
      std::int64_t steps = 10;
      request >> steps;
      Attack<PGD>({.epsilon = 0.01, .steps = steps})(*model_, image_, Class{label});
    } else if (what == "dream") {
      std::string layer;
      std::int64_t channel = 0, steps = 8;
      request >> layer >> channel >> steps;
      Optimizer<Ascent>({.steps = steps})(*model_, image_, Channel{layer, channel});
    } else {
      throw Error("'" + what + "' is nothing that can be asked for");
    }
  }

  std::optional<AnyModel> model_{};
  Images image_{};
};

}  // namespace

int main(int count, char** arguments) {
  keep_freed_memory();
  at::set_num_threads(count > 1 ? std::atoi(arguments[1]) : 2);
  Runner runner;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream request(line);
    try {
      std::cout << runner.answer(request) << std::endl;
    } catch (const std::exception& error) {
      std::cout << "error " << error.what() << std::endl;
    }
  }
}
