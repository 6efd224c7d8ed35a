// Checkpoints as models: by type, by name, and by what they hold.
#include <boost/test/unit_test.hpp>

#include <pellucid/image/read.hpp>
#include <pellucid/model/architectures.hpp>
#include <pellucid/model/predict.hpp>

#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "image/temporary.hpp"
#include "support.hpp"

namespace {

using namespace pellucid;

const VGGOptions small_vgg{.plan = {4, 0, 6, 6, 0}, .classes = 5, .hidden = 7, .pool = 2};
const ConvNeXtOptions small_convnext{.depths = {1, 2}, .widths = {4, 8}, .classes = 5, .patch = 2};

template <class Network>
std::filesystem::path written(const TemporaryFolder& folder, const Network& network) {
  const std::filesystem::path file = folder.path() / "network.safetensors";
  write_safetensors(file, state_of(*network));
  return file;
}

/// The same network comes back from its file, whichever way it is asked for.
template <class Network>
void compare(const typename Network::Options& options, const std::string& name, std::int64_t side = 64) {
  BOOST_TEST_CONTEXT(name) {
    torch::manual_seed(3);
    const Network network(options);
    const TemporaryFolder folder;
    const std::filesystem::path file = written(folder, network);
    const Images images = test::some_images({2, 3, side, side});
    const torch::NoGradGuard no_grad;
    const Tensor scores = adapt(network)(images);
    BOOST_TEST(scores.size(1) == options.classes);
    BOOST_TEST(architecture_of(read_checkpoint(file), "it") == name);
    BOOST_TEST(load<Network>(file)(images).equal(scores));
    BOOST_TEST(load_any(file)(images).equal(scores));
    BOOST_TEST(load_as(name, file)(images).equal(scores));
    BOOST_TEST(load_as(Network::Options::family, file)(images).equal(scores));
  }
}

Checkpoint shapes_of(const NamedTensors& tensors) {
  return {tensors, {}};
}

bool absent(const std::filesystem::path& file) {
  if (std::filesystem::exists(file)) return false;
  BOOST_TEST_MESSAGE("passed over: there is no " << file);
  return true;
}

/// The classes of the photos by real weights, each as Python has it; none where the data are absent.
template <class Network>
std::map<std::string, std::int64_t> classify_photos(const std::string& name, const Preprocess& preprocess) {
  const std::filesystem::path data = PELLUCID_TEST_DATA, models = data / "models";
  const std::filesystem::path answers =
      std::filesystem::path(PELLUCID_TEST_REFERENCE) / "photos/classify.json";
  if (absent(models / name) || absent(data / "photos") || absent(answers)) return {};
  const auto model = load<Network>(models / name, preprocess);
  const auto expected = nlohmann::json::parse(std::ifstream(answers)).at(name);
  std::map<std::string, std::int64_t> labels;
  double worst = 0;
  for (const auto& [photo, answer] : expected.items()) {
    const Tensor probabilities = probabilities_of(model, read_image(data / "photos" / photo))[0];
    const auto label = answer.at("class").template get<std::int64_t>();
    labels[photo] = probabilities.argmax().template item<std::int64_t>();
    const double difference = std::abs(probabilities[label].template item<double>() -
                                       answer.at("probability").template get<double>());
    BOOST_TEST(labels[photo] == label, photo);
    BOOST_TEST(difference < 0.01, photo << " differs by " << difference);
    worst = std::max(worst, difference);
  }
  BOOST_TEST_MESSAGE(name << ": probabilities differ by up to " << worst);
  return labels;
}

/// How many photos are of the class that their name begins with.
int right(const std::map<std::string, std::int64_t>& labels) {
  int count = 0;
  for (const auto& [photo, label] : labels) count += label == std::stoi(photo.substr(0, 3));
  return count;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(model_load)

BOOST_AUTO_TEST_CASE(what_was_written_comes_back) {
  compare<VGG>(small_vgg, "vgg");
  compare<VGG>({.plan = {4, 0, 6, 6, 0}, .batch_norm = true, .classes = 5, .hidden = 0, .pool = 1}, "vgg");
  compare<ConvNeXt>(small_convnext, "convnext");
  compare<ResNet>({.depths = {2, 2, 2, 2}, .bottleneck = false, .classes = 3}, "resnet18");
  compare<ResNet>({.depths = {1, 2}, .classes = 3}, "resnet");
  compare<CifarResNet>({.blocks = 3, .classes = 3}, "resnet20", 32);
  compare<CifarResNet>({.blocks = 1}, "cifar_resnet", 32);
  compare<SqueezeNet>({.version = SqueezeNetVersion::v1_1, .classes = 3}, "squeezenet1_1");
  compare<MobileNetV2>({.classes = 3}, "mobilenet_v2");
}

BOOST_AUTO_TEST_CASE(it_is_adapted_as_asked) {
  const TemporaryFolder folder;
  const auto file = written(folder, CifarResNet());
  const auto model = load<CifarResNet>(file, imagenet(), {.micro_batch = 3});
  BOOST_TEST(model.preprocess().crop == 224);
  BOOST_TEST(model.execution().micro_batch == 3);
  BOOST_TEST(load_as("resnet20", file, unchanged(), {.micro_batch = 5}).execution().micro_batch == 5);
  BOOST_TEST(load_any(file, {.crop = 32}).fit(torch::rand({1, 3, 40, 40})).size(2) == 32);
}

BOOST_AUTO_TEST_CASE(names_of_another_library) {
  const ConvNeXt network(ConvNeXtOptions{.depths = {1}, .widths = {4}, .classes = 2});
  Checkpoint checkpoint = shapes_of(state_of(*network));
  const std::vector<std::pair<std::string, std::string>> names{
      {"features.0.", "downsample_layers.0."},
      {"features.1.0.layer_scale", "stages.0.0.gamma"},
      {"features.1.0.block.0.", "stages.0.0.dwconv."},
      {"features.1.0.block.2.", "stages.0.0.norm."},
      {"features.1.0.block.3.", "stages.0.0.pwconv1."},
      {"features.1.0.block.5.", "stages.0.0.pwconv2."},
      {"classifier.0.", "norm."},
      {"classifier.2.", "head."}};
  for (auto& [name, tensor] : checkpoint.tensors)
    for (const auto& [ours, theirs] : names)
      if (name.starts_with(ours)) name = theirs + name.substr(ours.size());
  const TemporaryFolder folder;
  const auto file = folder.path() / "theirs.safetensors";
  write_safetensors(file, checkpoint.tensors);
  const Images images = test::some_images({1, 3, 8, 8});
  BOOST_TEST(load<ConvNeXt>(file)(images).equal(adapt(network)(images)));
  BOOST_TEST(load_any(file)(images).equal(adapt(network)(images)));
}

BOOST_AUTO_TEST_CASE(every_family_refuses_the_others) {
  std::vector<std::pair<std::string, Checkpoint>> all;
  all.emplace_back("vgg", shapes_of(state_of(*VGG(small_vgg))));
  all.emplace_back("convnext", shapes_of(state_of(*ConvNeXt(small_convnext))));
  all.emplace_back("resnet", shapes_of(state_of(*ResNet(ResNetOptions{.depths = {1}}))));
  all.emplace_back("cifar_resnet", shapes_of(state_of(*CifarResNet())));
  all.emplace_back("squeezenet", shapes_of(state_of(*SqueezeNet())));
  all.emplace_back("squeezenet", shapes_of(state_of(*SqueezeNet(SqueezeNetOptions::squeezenet1_1()))));
  all.emplace_back("mobilenet", shapes_of(state_of(*MobileNetV2())));
  for (const auto& [name, checkpoint] : all) {
    for (const pellucid::detail::Family& family : pellucid::detail::families()) {
      if (family.name == name) {
        BOOST_CHECK_NO_THROW(family.variant_of(checkpoint, "it"));
      } else {
        BOOST_CHECK_EXCEPTION(family.variant_of(checkpoint, "some.pth"), Error,
                              says({"some.pth is not a checkpoint of a ", "; load it as the network"}));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(shapes_that_are_of_none) {
  const auto refuses = [](auto options, Checkpoint checkpoint, const std::string& name, const Tensor& tensor,
                          std::vector<std::string> words) {
    for (auto& [other, value] : checkpoint.tensors)
      if (other == name) value = tensor;
    BOOST_CHECK_EXCEPTION(decltype(options)::of(checkpoint, "some.pth"), Error, says(words));
  };
  const Checkpoint vgg = shapes_of(state_of(*VGG(small_vgg)));
  refuses(small_vgg, vgg, "features.3.weight", torch::rand({6, 5, 3, 3}),
          {"some.pth is not a checkpoint of a VGG", "'features.3.weight' is of shape [6, 5, 3, 3]",
           "[any, 4, 3, 3] is expected"});
  refuses(small_vgg, vgg, "classifier.0.weight", torch::rand({7, 25}), {"25 values", "6 channels"});
  refuses(small_vgg, vgg, "features.0.weight", torch::rand({0, 3, 3, 3}), {"[0, 3, 3, 3]"});
  refuses(small_vgg, shapes_of({}), "", {}, {"no tensor 'features.0.weight'"});
  const Checkpoint convnext = shapes_of(state_of(*ConvNeXt(small_convnext)));
  refuses(small_convnext, convnext, "features.0.0.weight", torch::rand({4, 3, 2, 3}), {"[any, 3, any, 2]"});
  // A wide ResNet, and a ResNeXt.
  const Checkpoint resnet = shapes_of(state_of(*ResNet(ResNetOptions{.depths = {1}})));
  refuses(ResNetOptions(), resnet, "layer1.0.conv1.weight", torch::rand({128, 64, 1, 1}),
          {"is not a checkpoint of a ResNet that can be loaded", "[64, any, 1, 1] is expected"});
  refuses(ResNetOptions(), resnet, "layer1.0.conv2.weight", torch::rand({64, 4, 3, 3}),
          {"[64, 64, 3, 3] is expected"});
}

BOOST_AUTO_TEST_CASE(a_file_of_another_network_is_told_apart) {
  const TemporaryFolder folder;
  const auto file = written(folder, ResNet(ResNetOptions{.depths = {2, 2, 2, 2}, .bottleneck = false}));
  BOOST_CHECK_EXCEPTION(load<VGG>(file), Error,
                        says({file.string(), "not a checkpoint of a VGG", "'features.0.weight'"}));
  for (const std::string other : {"vgg16", "resnet34", "vgg", "resnet20"})
    BOOST_CHECK_EXCEPTION(
        load_as(other, file), Error,
        says({file.string() + " is not a checkpoint of " + other, "those of resnet18; ask for resnet18"}));
  BOOST_CHECK_EXCEPTION(load_as("vgg17", file), Error,
                        says({"no architecture 'vgg17'", "vgg16_bn", "convnext_tiny", "mobilenet_v2"}));
  BOOST_CHECK_EXCEPTION(load_as("vgg16", folder.path() / "none.pth"), Error, says({"there is no such file"}));

  const auto own = written(folder, VGG(small_vgg));
  BOOST_CHECK_EXCEPTION(load_as("vgg16", own), Error, says({"of vgg in a shape of its own; ask for vgg"}));

  write_safetensors(file, {{"first", torch::rand({1})}, {"second", torch::rand({1})}});
  BOOST_CHECK_EXCEPTION(load_any(file), Error, says({"'first', 'second'", "vgg, resnet, cifar_resnet"}));
  BOOST_CHECK_EXCEPTION(load_as("vgg16", file), Error, says({"a VGG", "no tensor 'features.0.weight'"}));
}

BOOST_AUTO_TEST_CASE(a_network_with_tensors_amiss) {
  NamedTensors tensors =
      state_of(*ResNet(ResNetOptions{.depths = {1, 1}, .bottleneck = false, .classes = 4}));
  std::erase_if(tensors, [](const auto& named) { return named.first == "layer2.0.bn1.bias"; });
  tensors.emplace_back("layer2.0.conv7.weight", torch::rand({2}));
  const TemporaryFolder folder;
  const auto file = folder.path() / "network.safetensors";
  write_safetensors(file, tensors);
  BOOST_CHECK_EXCEPTION(
      load<ResNet>(file), Error,
      says({file.string(), "missing (1): layer2.0.bn1.bias", "extra (1): 'layer2.0.conv7.weight'"}));
}

BOOST_AUTO_TEST_CASE(a_size_that_no_machine_has) {
  // Sizes are only claimed: a tensor of one value can have any, with strides of 0.
  const Tensor one = torch::zeros({1});
  const std::int64_t huge = std::int64_t(1) << 40;
  const Checkpoint checkpoint{
      {{"features.0.weight", one.expand({huge, 3, 3, 3})}, {"classifier.0.weight", one.expand({10, huge})}},
      {}};
  BOOST_CHECK_EXCEPTION(pellucid::detail::model_of<VGG>(checkpoint, "some.pth", {}, {}), Error,
                        says({"some.pth", "no network of this size"}));
}

BOOST_AUTO_TEST_CASE(architectures_have_names) {
  const auto names = architecture_names();
  for (const std::string name :
       {"vgg", "vgg16", "vgg16_bn", "resnet", "resnet50", "convnext", "convnext_tiny", "squeezenet1_0",
        "squeezenet1_1", "mobilenet_v2", "resnet20", "resnet56"})
    BOOST_TEST(std::count(names.begin(), names.end(), name) == 1, name);
}

BOOST_AUTO_TEST_CASE(photos_through_squeezenet) {
  const auto labels = classify_photos<SqueezeNet>("squeezenet1_0.pth", imagenet());
  if (!labels.empty()) BOOST_TEST(right(labels) == 28);
}

BOOST_AUTO_TEST_CASE(photos_through_mobilenet) {
  const auto labels = classify_photos<MobileNetV2>("mobilenet_v2.pth",
                                                   {.resize = 256, .crop = 224, .mean = {0.5}, .std = {0.5}});
  if (!labels.empty()) BOOST_TEST(right(labels) == 27);
}

BOOST_AUTO_TEST_CASE(photos_through_a_resnet_for_cifar) {
  Preprocess small = imagenet();
  small.resize = small.crop = 32;
  const auto labels = classify_photos<CifarResNet>("resnet20_cifar10.pth", small);
  if (labels.empty()) return;
  constexpr std::int64_t bird = 2, cat = 3, dog = 5, truck = 9;
  BOOST_TEST(labels.at("022_bald_eagle.JPEG") == bird);
  BOOST_TEST(labels.at("207_golden_retriever.JPEG") == dog);
  BOOST_TEST(labels.at("258_samoyed.jpg") == dog);
  BOOST_TEST(labels.at("285_Egyptian_cat.JPEG") == cat);
  BOOST_TEST(labels.at("407_ambulance.JPEG") == truck);
}

BOOST_AUTO_TEST_CASE(real_checkpoints_are_recognised) {
  const std::filesystem::path models = std::filesystem::path(PELLUCID_TEST_DATA) / "models";
  if (absent(models)) return;
  const std::vector<std::pair<std::string, std::string>> files{{"squeezenet1_0.pth", "squeezenet1_0"},
                                                               {"mobilenet_v2.pth", "mobilenet_v2"},
                                                               {"resnet20_cifar10.pth", "resnet20"}};
  for (const auto& [file, name] : files)
    BOOST_TEST(architecture_of(read_checkpoint(models / file), file) == name);
  BOOST_CHECK_EXCEPTION(load_any(models / "tiny_vgg.pth"), Error, says({"tiny_vgg.pth", "it begins with"}));
  BOOST_CHECK_EXCEPTION(load_as("resnet50", models / "squeezenet1_0.pth"), Error,
                        says({"ask for squeezenet1_0"}));
}

BOOST_AUTO_TEST_SUITE_END()
