// What a scan for patches costs over what it cannot do without: the forward passes over tensors that are
// ready, and the decoding of the images, shared by the cores. Prints a table; run it on an otherwise idle
// machine:
//   build/release/bin/benchmark_scan FOLDER [RUNS] [THREADS] [SIDE]
// SIDE: images are cropped to it. FOLDER: for example of `pellucid shapes --out FOLDER --count 2000`.
#include <cstdlib>

#include <pellucid/pellucid.hpp>

#include <torch/version.h>

#include <thread>

#include "paired.hpp"

using namespace pellucid;
using namespace pellucid::benchmark;

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "benchmark_scan: give the folder of the images\n");
    return 2;
  }
  const std::filesystem::path folder = arguments[1];
  const int runs = count > 2 ? std::atoi(arguments[2]) : 7;
  const int threads = count > 3 ? std::atoi(arguments[3]) : 2;
  const int side = count > 4 ? std::atoi(arguments[4]) : 224;
  const std::vector<std::filesystem::path> files = list_images(folder);
  const double cores = std::max(1U, std::thread::hardware_concurrency());
  std::printf("%d runs over %zu images, %d threads, %g cores, LibTorch %s\n\n", runs, files.size(), threads,
              cores, TORCH_VERSION);
  std::printf("| | scan | forward | decoding | ratio (median) | quartiles |\n|---|---|---|---|---|---|\n");

  torch::manual_seed(1);
  const auto run = [&](const std::string& name, const auto& model, const std::vector<std::string>& layers) {
    const TopPatches scan{.layers = layers};
    const std::int64_t micro_batch = model.execution().micro_batch;
    const Images ready = torch::rand({micro_batch, 3, side, side});
    const auto forward = [&] {
      const torch::NoGradGuard no_grad;
      for (std::size_t i = 0; i < files.size(); i += std::size_t(micro_batch)) model(ready);
    };
    const auto decoding = [&] {
      for (const auto& file : files) model.fit(read_image(file));
    };
    std::vector<double> ratios, scans, forwards, decodings;
    for (int i = 0; i <= runs; ++i) {
      const double passes = seconds(forward);
      const double whole = seconds([&] { scan(model, folder); });
      const double images = seconds(decoding);
      if (i == 0) continue;  // to warm up
      ratios.push_back(whole / (passes + images / cores));
      scans.push_back(whole), forwards.push_back(passes), decodings.push_back(images);
    }
    std::printf("| %s | %.2f s | %.2f s | %.2f s | %.3f | %.3f–%.3f |\n", name.c_str(), quantile(scans, 0.5),
                quantile(forwards, 0.5), quantile(decodings, 0.5), quantile(ratios, 0.5),
                quantile(ratios, 0.25), quantile(ratios, 0.75));
    std::fflush(stdout);
  };
  const Preprocess crop{.resize = side, .crop = side};
  const Execution execution{.threads = threads};
  run("squeezenet1_0, three layers", adapt(SqueezeNet(), crop, execution),
      {"features.3", "features.7", "features.12"});
  run("resnet18, three layers", adapt(ResNet(ResNetOptions::resnet18()), crop, execution),
      {"layer2", "layer3", "layer4"});
}
