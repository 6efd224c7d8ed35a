// What a step of an optimizer costs over a bare forward and backward pass to the same layer, and what
// regularizers and the Fourier parameters add to a whole pass. Prints a table; run it on an otherwise idle
// machine:
//   build/release/bin/benchmark_synthesis [RUNS] [THREADS]
#include <cstdlib>

#include <pellucid/pellucid.hpp>

#include <torch/version.h>

#include "paired.hpp"

using namespace pellucid;
using namespace pellucid::benchmark;

int main(int count, char** arguments) {
  const int runs = count > 1 ? std::atoi(arguments[1]) : 15;
  at::set_num_threads(count > 2 ? std::atoi(arguments[2]) : 2);
  constexpr std::int64_t steps = 20, images = 4;
  std::printf("%d paired runs of %lld steps on %lld images, %d threads, LibTorch %s\n\n", runs,
              static_cast<long long>(steps), static_cast<long long>(images), at::get_num_threads(),
              TORCH_VERSION);
  std::printf("| | ratio (median) | quartiles | the bound |\n|---|---|---|---|\n");

  torch::manual_seed(1);
  const auto run = [&](const std::string& name, const auto& model, const std::string& middle) {
    const Images start = torch::rand({images, 3, 224, 224});
    const auto bare = [&](const auto& objective) {
      Tensor x = start.clone();
      for (std::int64_t step = 0; step < steps; ++step) {
        x = x.detach().requires_grad_();
        const Tensor value = objective.of(model.observe(x, {objective.layer})[0]).sum();
        const Tensor gradient = torch::autograd::grad({value}, {x})[0];
        const torch::NoGradGuard no_grad;
        x = x + gradient * 1e-3;
      }
    };
    // One forward pass more is made at the end, for the value of the result: it is counted against us.
    const Optimizer<Ascent> plain({.steps = steps, .learning_rate = 1e-3});
    const auto over_bare = [&](const std::string& what, const auto& objective) {
      print("a plain step, " + name + " to " + what + ", over the bare pass",
            paired(
                runs, [&] { plain(model, start, objective); }, [&] { bare(objective); }),
            seconds([&] { bare(objective); }));
    };
    over_bare(middle, Channel{middle, 3});
    over_bare("the scores", Class{3});

    const auto bound = [&] { plain(model, start, Class{3}); };
    using Four = Regularizer<L2, Blur, ClipNorm, ClipContribution>;
    const Optimizer<Ascent, Four> four({.steps = steps, .learning_rate = 1e-3},
                                       Four({0.01}, {1, 4}, {30}, {30}));
    print("all four regularizers, " + name + ", over plain steps",
          paired(
              runs, [&] { four(model, start, Class{3}); }, bound),
          seconds(bound));
    const Optimizer<AscentIn<Fourier>> fourier({.steps = steps, .learning_rate = 0.05});
    print("Fourier parameters, " + name + ", over plain steps",
          paired(
              runs, [&] { fourier(model, start, Class{3}); }, bound),
          seconds(bound));
  };
  run("squeezenet1_0", adapt(SqueezeNet()), "features.5");
  run("resnet18", adapt(ResNet(ResNetOptions::resnet18())), "layer2");
}
