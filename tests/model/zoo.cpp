// The architectures, against torchvision's own on the same weights.
#include <boost/test/unit_test.hpp>

#include <pellucid/model/architectures.hpp>
#include <pellucid/model/script.hpp>

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "image/temporary.hpp"
#include "reference/formula.hpp"
#include "reference/reference.hpp"
#include "support.hpp"

namespace {

using namespace pellucid;

const std::filesystem::path references = PELLUCID_TEST_REFERENCE;

/// Says so when the reference data are not there.
bool absent(const std::filesystem::path& file) {
  if (std::filesystem::exists(file)) return false;
  BOOST_TEST_MESSAGE("passed over: there is no " << file << "; python3-torchvision makes it");
  return true;
}

/// The names in the order of their modules, which a TorchScript file keeps.
template <class Parameters>
std::vector<std::string> names_of(const Parameters& parameters) {
  std::vector<std::string> names;
  for (const auto& parameter : parameters) {
    if constexpr (requires { parameter.key(); }) {
      names.push_back(parameter.key());
    } else {
      names.push_back(parameter.name);
    }
  }
  return names;
}

/// Every output of every submodule, against Python's hooks.
template <class Network>
void compare_layers(const std::string& name) {
  const std::filesystem::path folder = references / "layers";
  if (absent(folder / (name + ".hooks.pt"))) return;
  const auto file = torch::jit::load((folder / (name + ".scripted.pt")).string());
  Checkpoint checkpoint;
  for (const auto& tensor : file.named_parameters())
    checkpoint.tensors.emplace_back(tensor.name, tensor.value);
  for (const auto& tensor : file.named_buffers()) checkpoint.tensors.emplace_back(tensor.name, tensor.value);
  const Network network = uninitialized<Network>(Network::Options::of(checkpoint, name));
  BOOST_TEST(names_of(network->named_parameters()) == names_of(file.named_parameters()),
             boost::test_tools::per_element());
  load_into(*network.ptr(), checkpoint, name);

  const reference::Record record = reference::load((folder / (name + ".hooks.pt")).string());
  const auto model = adapt(network);
  const torch::NoGradGuard no_grad;
  BOOST_TEST(test::relative_difference(model(record.input), record.scores) < 1e-5);

  std::set<std::string> known;
  for (const LayerInfo& layer : model.layers(record.input)) known.insert(layer.name);
  std::vector<std::string> names;
  std::vector<const reference::Entry*> entries;
  for (const reference::Entry& entry : record.entries) {
    if (entry.name.empty()) continue;  // the network
    const bool one_of_several = record.calls(entry.name) > 1;
    names.push_back(entry.name + (one_of_several ? "#" + std::to_string(entry.call + 1) : ""));
    entries.push_back(&entry);
    BOOST_TEST(known.contains(names.back()), name << " has no layer " << names.back());
  }
  BOOST_TEST(names.size() > 30U);
  const auto outputs = model.observe(record.input, names);
  for (std::size_t i = 0; i < names.size(); ++i)
    BOOST_TEST(entries[i]->difference(outputs[i]) <= 1e-5 * entries[i]->range, name << " " << names[i]);
}

/// The largest difference between what five layers give and what they gave in Python, in parts of its range;
/// each layer cut at its place, and all in one pass.
template <class Model>
double compare_some_layers(const Model& model, const reference::Record& record,
                           const std::vector<std::string>& layers) {
  double most = 0;
  const std::vector<Tensor> outputs = model.observe(record.input, layers);
  for (const reference::Entry& entry : record.entries) {
    const auto place = std::find(layers.begin(), layers.end(), entry.name);
    if (place == layers.end()) continue;  // the gradient
    const double cut = entry.difference(model.activation(record.input, entry.name)) / entry.range;
    const double uncut = entry.difference(outputs[std::size_t(place - layers.begin())]) / entry.range;
    BOOST_TEST(cut <= 1e-5, entry.name << " differs by " << cut << " when cut there");
    BOOST_TEST(uncut <= 1e-5, entry.name << " differs by " << uncut);
    most = std::max({most, cut, uncut});
  }
  return most;
}

/// The relative difference between the gradient of a score and Python's, both in float64.
template <class Network>
double compare_gradient(const Network& network, const reference::Record& record) {
  const reference::Entry& expected = record.entries.back();
  BOOST_TEST_REQUIRE(expected.name == "gradient");
  network.ptr()->to(torch::kDouble);
  const Tensor image = record.input.slice(0, 0, 1).to(torch::kDouble).requires_grad_();
  const Tensor score = adapt(network)(image)[0][expected.call];
  const Tensor gradient = torch::autograd::grad({score}, {image})[0];
  const double error = expected.difference(gradient) / expected.values.abs().max().template item<double>();
  BOOST_TEST(error < 1e-6, "gradients differ by " << error);
  return error;
}

/// One variant on the formula's weights: names, scores, layers and the input's gradient.
template <class Network>
void compare(const std::string& name, const typename Network::Options& options, const nlohmann::json& about) {
  double scores = 0, some_layers = 0, gradient = 0;
  BOOST_TEST_CONTEXT(name) {
    const Network network = uninitialized<Network>(options);
    reference::fill(*network.ptr(), about.at("gain").get<double>());
    const Checkpoint checkpoint{state_of(*network.ptr())};
    std::vector<std::string> state;
    for (const auto& [key, tensor] : checkpoint.tensors) state.push_back(key);
    BOOST_TEST(state == about.at("state").get<std::vector<std::string>>(), boost::test_tools::per_element());
    BOOST_TEST(bool(Network::Options::of(checkpoint, name) == options));
    BOOST_TEST(architecture_of(checkpoint, name) == name);

    const reference::Record record = reference::load((references / "zoo" / (name + ".pt")).string());
    const auto model = adapt(network);
    std::vector<std::string> layers;
    for (const LayerInfo& layer : model.layers(record.input))
      if (!layer.name.ends_with(".layer_scale")) layers.push_back(layer.name);  // no module in Python
    BOOST_TEST(layers == about.at("layers").get<std::vector<std::string>>(),
               boost::test_tools::per_element());
    {
      const torch::NoGradGuard no_grad;
      scores = test::relative_difference(model(record.input), record.scores);
      BOOST_TEST(scores < 1e-5, "scores differ by " << scores);
      some_layers = compare_some_layers(model, record, layers);
    }
    gradient = compare_gradient(network, record);
  }
  BOOST_TEST_MESSAGE(name << ": scores differ by " << scores << ", layers by " << some_layers
                          << ", the gradient by " << gradient);
}

template <class Network>
void compare_variants() {
  const std::filesystem::path file = references / "zoo" / "names.json";
  if (absent(file)) return;
  const auto about = nlohmann::json::parse(std::ifstream(file));
  for (const auto& [name, options] : Network::Options::variants())
    compare<Network>(name, options, about.at(name));
}

/// The memory that this process really has, in bytes.
std::int64_t resident_memory() {
  std::int64_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(model_zoo)

BOOST_AUTO_TEST_CASE(every_layer_of_convnext_tiny) {
  compare_layers<ConvNeXt>("convnext_tiny");
}

BOOST_AUTO_TEST_CASE(every_layer_of_vgg16) {
  compare_layers<VGG>("vgg16");
}

BOOST_AUTO_TEST_CASE(every_layer_of_resnet18) {
  compare_layers<ResNet>("resnet18");
}

BOOST_AUTO_TEST_CASE(every_layer_of_squeezenet) {
  compare_layers<SqueezeNet>("squeezenet1_0");
}

BOOST_AUTO_TEST_CASE(every_layer_of_mobilenet) {
  compare_layers<MobileNetV2>("mobilenet_v2");
}

BOOST_AUTO_TEST_CASE(vgg_variants) {
  compare_variants<VGG>();
}

BOOST_AUTO_TEST_CASE(resnet_variants) {
  compare_variants<ResNet>();
}

BOOST_AUTO_TEST_CASE(convnext_variants) {
  compare_variants<ConvNeXt>();
}

BOOST_AUTO_TEST_CASE(squeezenet_variants) {
  compare_variants<SqueezeNet>();
}

BOOST_AUTO_TEST_CASE(mobilenet_variants) {
  compare_variants<MobileNetV2>();
}

BOOST_AUTO_TEST_CASE(cifar_resnet_variants) {
  compare_variants<CifarResNet>();
}

BOOST_AUTO_TEST_CASE(vgg_with_batch_norm) {
  // A plan of one convolution whose answer is known: weights 0, bias b, so every place is b after batch norm
  // with mean m and variance v: relu((b − m) / √(v + 1e-5)).
  VGG network(VGGOptions{.plan = {1, 0}, .batch_norm = true, .classes = 1, .hidden = 0, .pool = 1});
  {
    const torch::NoGradGuard no_grad;
    for (auto& parameter : network->named_parameters()) {
      if (parameter.key() == "features.0.weight" || parameter.key() == "classifier.0.bias")
        parameter->zero_();
      if (parameter.key() == "features.0.bias") parameter->fill_(5);
      if (parameter.key() == "classifier.0.weight") parameter->fill_(2);
    }
    network->named_buffers()["features.1.running_mean"].fill_(2);
    network->named_buffers()["features.1.running_var"].fill_(9);
  }
  const auto model = adapt(network);
  BOOST_TEST(std::abs(model(torch::rand({1, 3, 6, 6})).item<float>() - 2.0F) < 1e-5F);
}

BOOST_AUTO_TEST_CASE(what_is_observed_before_a_relu_is_what_went_in) {
  const SqueezeNet network(SqueezeNetOptions{.classes = 4});
  const auto model = adapt(network);
  const torch::NoGradGuard no_grad;
  const auto seen = model.observe(test::some_images({1, 3, 64, 64}), {"features.0", "features.1"});
  BOOST_TEST(seen[0].min().item<float>() < 0);
  BOOST_TEST(torch::relu(seen[0]).equal(seen[1]));
}

BOOST_AUTO_TEST_CASE(fresh_networks_have_the_papers_values) {
  torch::manual_seed(1);
  const auto check = [](const auto& network, const std::string& convolution, double deviation,
                        const std::string& linear) {
    const auto parameters = network->named_parameters();
    const Tensor& weight = parameters[convolution];
    BOOST_TEST(std::abs(weight.std().template item<double>() - deviation) < 0.05 * deviation, convolution);
    BOOST_TEST(std::abs(parameters[linear].std().template item<double>() - 0.01) < 0.0005, linear);
    for (const auto& parameter : parameters)
      if (parameter.key().ends_with("bias")) BOOST_TEST(test::largest(*parameter) == 0);
  };
  check(ResNet(ResNetOptions::resnet18()), "layer2.0.conv1.weight", std::sqrt(2.0 / (128 * 9)), "fc.weight");
  check(CifarResNet(CifarResNetOptions{.blocks = 1, .classes = 100}), "layer3.0.conv2.weight",
        std::sqrt(2.0 / (64 * 9)), "linear.weight");
  check(MobileNetV2(), "features.18.0.weight", std::sqrt(2.0 / 1280), "classifier.1.weight");
  check(SqueezeNet(), "features.12.expand3x3.weight", std::sqrt(2.0 / (256 * 9)), "classifier.1.weight");
  check(VGG(VGGOptions{.plan = {64, 128, 0}, .hidden = 0}), "features.2.weight", std::sqrt(2.0 / (128 * 9)),
        "classifier.0.weight");
}

BOOST_AUTO_TEST_CASE(without_initial_values_no_memory_is_touched) {
  const std::int64_t before = resident_memory();
  const auto begin = std::chrono::steady_clock::now();
  const VGG network = uninitialized<VGG>(VGGOptions::vgg19());
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
  BOOST_TEST_MESSAGE("VGG-19 without values in " << 1e3 * spent.count() << " ms");
  BOOST_TEST(resident_memory() - before < 200'000'000);  // of 575 million bytes
  BOOST_TEST(spent.count() < 1);
  BOOST_TEST(network->parameters().size() == 38U);
  // The guard ends with it.
  BOOST_TEST(test::largest(VGG(VGGOptions{.plan = {8, 0}, .hidden = 0})->parameters()[0]) > 0);
}

BOOST_AUTO_TEST_CASE(shapes_that_are_none) {
  BOOST_CHECK_EXCEPTION(ConvNeXt(ConvNeXtOptions{.depths = {1, 1}, .widths = {8}}), Error,
                        says({"2 depths and 1 widths"}));
  BOOST_CHECK_EXCEPTION(VGG(VGGOptions{.plan = {0, 0}}), Error, says({"at least one convolution"}));
  BOOST_CHECK_EXCEPTION(ResNet(ResNetOptions{.depths = {}}), Error, says({"no stage", "{2, 2, 2, 2}"}));
  BOOST_CHECK_EXCEPTION(CifarResNet(CifarResNetOptions{.blocks = 0}), Error, says({"0 blocks"}));
}

BOOST_AUTO_TEST_SUITE_END()
