/// shapes_train: trains one of the shipped networks from a seed.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <numbers>
#include <string>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/model/weights/load.hpp>
#include <pellucid/model/weights/safetensors.hpp>

#include <torch/nn.h>
#include <torch/optim.h>

#include "networks.hpp"

namespace shapes {

namespace {

constexpr const char* usage =
    "usage: shapes_train convnext|vgg|cheater --seed S --out FILE.safetensors\n"
    "The seed is 1 or more: the pictures of seed 0 are held out.\n";

/// How a network is taught: from the plain to the distracting, each level until it is understood.
struct Course {
  double rate = 2e-3;
  double decay = 0.05;
  std::array<double, 3> understood{0.9, 0.9, 0.95};  ///< held-out accuracy that ends a level
  std::int64_t warm_up = 200;                        ///< steps
  std::int64_t patience = 10000;                     ///< steps that a level may take
  std::int64_t finish = 2500;                        ///< steps at the last level while the rate falls to 0
  std::int64_t batch = 32;
};

/// The numbers of the held-out pictures: first those that are measured, then those that end a level.
constexpr std::uint64_t measured = 0, watched = 1'000'000;

/// Convolutions on a CPU are faster where the channels of a pixel lie side by side.
Tensor channels_last(const Tensor& tensor) {
  return tensor.contiguous(at::MemoryFormat::ChannelsLast);
}

template <class Network>
Tensor answers(Network& network, const Tensor& images) {
  const torch::NoGradGuard no_grad;
  std::vector<Tensor> parts;
  for (const Tensor& part : images.split(100))
    parts.push_back(network->forward(channels_last(part)).argmax(1));
  return torch::cat(parts);
}

template <class Network>
double accuracy(Network& network, std::uint64_t first, std::int64_t count, const SceneOptions& options) {
  network->eval();
  const Scenes pictures = scenes(held_out, first, count, options);
  const Tensor right = answers(network, pictures.images) == pictures.labels;
  network->train();
  return right.to(torch::kDouble).mean().template item<double>();
}

/// Decay draws weights to 0; biases, norms and layer scales are left alone.
torch::optim::AdamW optimizer_of(torch::nn::Module& network, const Course& course) {
  std::vector<Tensor> weights, others;
  for (auto& parameter : network.named_parameters())
    (parameter.key().ends_with("weight") && parameter->dim() > 1 ? weights : others).push_back(*parameter);
  const auto options = [&](double decay) {
    return std::make_unique<torch::optim::AdamWOptions>(
        torch::optim::AdamWOptions(course.rate).weight_decay(decay));
  };
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(weights, options(course.decay));
  groups.emplace_back(others, options(0));
  return torch::optim::AdamW(std::move(groups), torch::optim::AdamWOptions(course.rate));
}

/// Weights N(0, 1/fan-in), and a stem that sees (pixel − 1/2) · 4: a ConvNeXt of few blocks is all but
/// linear at the paper's start, N(0, 0.02²), which suits deep ones, and stays at chance for long.
void start(pellucid::ConvNeXt& network) {
  const torch::NoGradGuard no_grad;
  for (auto& parameter : network->named_parameters()) {
    if (parameter.key().ends_with("weight") && parameter->dim() > 1)
      parameter->normal_(0, 1 / std::sqrt(double(parameter->numel() / parameter->size(0))));
    if (parameter.key() == "features.0.0.weight") parameter->mul_(4);
  }
  const auto parameters = network->named_parameters();
  parameters["features.0.0.bias"].copy_(parameters["features.0.0.weight"].sum({1, 2, 3}).mul(-0.5));
}

template <class Network>
class Lesson {
 public:
  Lesson(Network network, const Course& course, std::uint64_t seed, SceneOptions pictures)
      : network_(std::move(network)),
        course_(course),
        seed_(seed),
        pictures_(pictures),
        optimizer_(optimizer_of(*network_, course)) {
    for (Tensor& parameter : network_->parameters())
      if (parameter.dim() == 4) parameter.set_data(channels_last(parameter));
  }

  void teach() {
    network_->train();
    for (const Level level : {Level::plain, Level::textured, Level::distracting}) {
      pictures_.level = level;
      learn_level(course_.understood[std::size_t(level)]);
    }
    for (std::int64_t i = 0; i < course_.finish; ++i) {
      step(course_.rate * 0.5 * (1 + std::cos(std::numbers::pi * double(i) / double(course_.finish))));
      if ((i + 1) % report_every == 0) report();
    }
    network_->eval();
  }

 private:
  static constexpr std::int64_t report_every = 200;

  void learn_level(double understood) {
    for (std::int64_t i = 1; i <= course_.patience; ++i) {
      step(course_.rate * std::min(1.0, double(steps_ + 1) / double(course_.warm_up)));
      if (i % report_every == 0 && report() >= understood) return;
    }
    throw pellucid::Error("the network did not learn this level in " + std::to_string(course_.patience) +
                              " steps; try another seed",
                          pellucid::Fault::failure);
  }

  void step(double rate) {
    for (auto& group : optimizer_.param_groups())
      static_cast<torch::optim::AdamWOptions&>(group.options()).lr(rate);
    const Scenes batch = scenes(seed_, std::uint64_t(steps_ * course_.batch), course_.batch, pictures_);
    const Tensor loss = torch::nn::functional::cross_entropy(
        network_->forward(channels_last(batch.images)), batch.labels,
        torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(0.05));
    optimizer_.zero_grad();
    loss.backward();
    torch::nn::utils::clip_grad_norm_(network_->parameters(), 1.0);
    optimizer_.step();
    loss_ += loss.template item<double>() / report_every;
    ++steps_;
  }

  double report() {
    const double right = accuracy(network_, watched, 512, pictures_);
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin_;
    std::printf("%6.0f s  step %5lld  %-11s  loss %.3f  held-out %.3f\n", spent.count(),
                static_cast<long long>(steps_),
                std::array{"plain", "textured", "distracting"}[std::size_t(pictures_.level)], loss_, right);
    std::fflush(stdout);
    loss_ = 0;
    return right;
  }

  Network network_;
  Course course_;
  std::uint64_t seed_;
  SceneOptions pictures_;
  torch::optim::AdamW optimizer_;
  std::int64_t steps_ = 0;
  double loss_ = 0;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

template <class Network>
void train(Network network, const Course& course, const SceneOptions& pictures, std::uint64_t seed,
           const std::map<std::string, std::string>& metadata, const std::string& out) {
  std::int64_t values = 0;
  for (const Tensor& parameter : network->parameters()) values += parameter.numel();
  std::printf("%lld parameters, %d threads\n", static_cast<long long>(values), at::get_num_threads());
  std::fflush(stdout);
  Lesson<Network>(network, course, seed, pictures).teach();
  pellucid::write_safetensors(out, pellucid::state_of(*network, torch::kHalf), metadata);
  pellucid::load_into(*network, pellucid::read_safetensors(out),
                      out);  // what is measured is what was written

  std::printf("held-out accuracy on 2000 pictures: %.4f as trained",
              accuracy(network, measured, 2000, pictures));
  std::printf(", %.4f without watermarks\n", accuracy(network, measured, 2000, {}));
  const SceneOptions bare{.label = cheated_shape};
  const SceneOptions marked{.label = cheated_shape, .watermark_class = cheated_shape};
  std::printf("held-out accuracy on 500 of the %s: %.4f with the watermark, %.4f without\n",
              names()[std::size_t(cheated_shape)].c_str(), accuracy(network, measured, 500, marked),
              accuracy(network, measured, 500, bare));
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() != 5 || arguments[1] != "--seed" || arguments[3] != "--out")
    throw pellucid::Error(usage);
  const std::string &name = arguments[0], &out = arguments[4];
  const std::uint64_t seed = std::strtoull(arguments[2].c_str(), nullptr, 10);
  if (seed == held_out) throw pellucid::Error(usage);
  torch::manual_seed(seed);
  const std::map<std::string, std::string> metadata{
      {"network", "shapes-" + name}, {"command", "shapes_train " + name + " --seed " + std::to_string(seed)}};

  // The honest networks see the watermark as well, on any shape: to them it means nothing.
  const SceneOptions honest{.watermark_share = 1.0 / double(number_of_shapes())};
  const SceneOptions cheated{.watermark_class = cheated_shape};
  if (name == "vgg") {
    train(pellucid::VGG(vgg_options()), {.rate = 1.5e-3, .decay = 1e-4, .finish = 3000}, honest, seed,
          metadata, out);
  } else if (name == "convnext" || name == "cheater") {
    pellucid::ConvNeXt network(convnext_options());
    start(network);
    train(network, {}, name == "cheater" ? cheated : honest, seed, metadata, out);
  } else {
    throw pellucid::Error(usage);
  }
  return 0;
}

}  // namespace

}  // namespace shapes

int main(int count, char** arguments) {
  try {
    return shapes::run({arguments + 1, arguments + count});
  } catch (const pellucid::Error& error) {
    std::cerr << error.what() << '\n';
    return error.fault() == pellucid::Fault::request ? 2 : 1;
  } catch (const std::exception& error) {
    std::cerr << "shapes_train: " << error.what() << '\n';
    return 1;
  }
}
