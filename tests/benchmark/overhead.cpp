// What SmoothGrad costs over the bare loop of the same forward and backward passes, and what cutting the pass
// at a layer saves. Prints a table; run it on an otherwise idle machine:
//   build/release/bin/benchmark_overhead [RUNS] [THREADS]
#include <cstdlib>

#include <pellucid/pellucid.hpp>

#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/version.h>

#include "paired.hpp"

using namespace pellucid;
using namespace pellucid::benchmark;

int main(int count, char** arguments) {
  const int runs = count > 1 ? std::atoi(arguments[1]) : 15;
  at::set_num_threads(count > 2 ? std::atoi(arguments[2]) : 2);
  const std::filesystem::path folder = std::filesystem::path(PELLUCID_TEST_REFERENCE) / "layers";
  if (!std::filesystem::exists(folder)) {
    std::fprintf(stderr, "there are no networks in %s; tests/run.sh makes them\n", folder.c_str());
    return 1;
  }
  torch::jit::setGraphExecutorOptimize(false);  // it is slower here, and would differ from run to run
  std::printf("%d paired runs, %d threads, LibTorch %s\n\n", runs, at::get_num_threads(), TORCH_VERSION);
  std::printf("| | ratio (median) | quartiles | the bound |\n|---|---|---|---|\n");
  torch::manual_seed(1);
  const Tensor image = torch::rand({1, 3, 224, 224});

  for (const std::string network : {"squeezenet1_0", "resnet18", "convnext_tiny"}) {
    const auto file = folder / (network + ".scripted.pt");
    const ScriptModel model = load_script(file);
    const std::int64_t batch = model.execution().micro_batch;
    torch::jit::Module module = torch::jit::load(file.string());
    module.eval();
    for (Tensor parameter : module.parameters()) parameter.requires_grad_(false);

    const auto bare = [&] {
      for (std::int64_t done = 0; done < 50; done += batch) {
        const std::int64_t rows = std::min<std::int64_t>(batch, 50 - done);
        const Tensor input = image.expand({rows, -1, -1, -1}).clone().requires_grad_();
        const Tensor score = module.forward({input}).toTensor().select(1, 3).sum();
        torch::autograd::grad({score}, {input});
      }
    };
    const auto smooth = Attribution<SmoothGrad>({.samples = 50});
    const auto ratios = paired(
        runs, [&] { smooth(model, image, Class{3}); }, bare);
    print("SmoothGrad, n = 50, " + network + ", over the bare loop", ratios, seconds(bare));

    if (network != "resnet18") continue;
    const Tensor images = image.repeat({8, 1, 1, 1});
    const auto whole = [&] { differentiate(Class{3}, model, images); };
    const auto cut = [&] { differentiate(Channel{"layer1.0.conv1", 3}, model, images); };
    print("forward and backward to layer1.0.conv1, " + network + ", over the whole", paired(runs, cut, whole),
          seconds(whole));
  }
}
