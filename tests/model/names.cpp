// Checkpoints with other libraries' names.
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/model/adapt.hpp>
#include <pellucid/model/weights/load.hpp>
#include <pellucid/model/weights/names.hpp>
#include <pellucid/model/weights/safetensors.hpp>
#include <pellucid/model/zoo/convnext.hpp>
#if __has_include(<pellucid/model/zoo/resnet.hpp>)
#include <pellucid/model/zoo/resnet.hpp>
#endif

#include "image/temporary.hpp"
#include "reference/reference.hpp"
#include "support.hpp"

namespace {

using namespace pellucid;

const std::filesystem::path folder = std::filesystem::path(PELLUCID_TEST_REFERENCE) / "other_libraries";

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// Every tensor holds its own place in the list.
Checkpoint named(const std::vector<std::string>& names) {
  Checkpoint checkpoint;
  for (const std::string& name : names)
    checkpoint.tensors.emplace_back(name, torch::full({3}, double(checkpoint.tensors.size())));
  return checkpoint;
}

void check(const Pairs& pairs) {
  std::vector<std::string> names;
  for (const auto& [theirs, ours] : pairs) names.push_back(theirs);
  const Checkpoint renamed = with_torchvision_names(named(names));
  BOOST_TEST_REQUIRE(renamed.tensors.size() == pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto& [name, tensor] = renamed.tensors[i];
    BOOST_TEST(name == pairs[i].second, pairs[i].first << " became " << name);
    BOOST_TEST(tensor.flatten()[0].item<double>() == double(i));
  }
}

void check_unchanged(const std::vector<std::string>& names) {
  Pairs pairs;
  for (const std::string& name : names) pairs.emplace_back(name, name);
  check(pairs);
}

bool has_reference() {
  if (std::filesystem::exists(folder)) return true;
  BOOST_TEST_MESSAGE("passed over: there are no networks of other libraries; CONTRIBUTING.md tells how to");
  return false;
}

/// The library's own network and one of ours with its weights give the same scores.
template <class Network>
void compare(Network network, const std::string& name) {
  const auto file = folder / (name + ".safetensors");
  load_into(*network, with_torchvision_names(read_safetensors(file)), file.string());
  const reference::Record record = reference::load((folder / (name + ".pt")).string());
  const torch::NoGradGuard no_grad;
  BOOST_TEST(test::relative_difference(adapt(network)(record.input), record.scores) < 1e-5, name);
}

/// The names are those under which torchvision's network gives the library's scores.
void compare_names(const std::string& name) {
  const Checkpoint given = read_safetensors(folder / (name + ".safetensors"));
  const Checkpoint renamed = with_torchvision_names(given);
  const reference::Record record = reference::load((folder / (name + ".pt")).string());
  BOOST_TEST(renamed.tensors.size() == record.entries.size());
  BOOST_TEST(record.entries.size() > 30U);
  for (const reference::Entry& entry : record.entries) {
    const Tensor* tensor = renamed.find(entry.name);
    BOOST_TEST_REQUIRE(tensor != nullptr, name << ": " << entry.kind << " should be " << entry.name);
    BOOST_TEST(entry.difference(*tensor) == 0, name << ": " << entry.name);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(model_names)

BOOST_AUTO_TEST_CASE(of_the_original_convnext) {
  check({{"downsample_layers.0.0.weight", "features.0.0.weight"},
         {"downsample_layers.0.1.bias", "features.0.1.bias"},
         {"downsample_layers.1.0.weight", "features.2.0.weight"},
         {"downsample_layers.3.1.bias", "features.6.1.bias"},
         {"stages.0.0.gamma", "features.1.0.layer_scale"},
         {"stages.0.0.dwconv.weight", "features.1.0.block.0.weight"},
         {"stages.0.2.dwconv.bias", "features.1.2.block.0.bias"},
         {"stages.1.0.norm.weight", "features.3.0.block.2.weight"},
         {"stages.2.26.pwconv1.weight", "features.5.26.block.3.weight"},
         {"stages.2.26.pwconv1.bias", "features.5.26.block.3.bias"},
         {"stages.3.1.pwconv2.weight", "features.7.1.block.5.weight"},
         {"norm.weight", "classifier.0.weight"},
         {"norm.bias", "classifier.0.bias"},
         {"head.weight", "classifier.2.weight"},
         {"head.bias", "classifier.2.bias"}});
}

BOOST_AUTO_TEST_CASE(of_timms_convnext) {
  check({{"stem.0.weight", "features.0.0.weight"},
         {"stem.1.bias", "features.0.1.bias"},
         {"stages.0.blocks.0.gamma", "features.1.0.layer_scale"},
         {"stages.0.blocks.0.conv_dw.weight", "features.1.0.block.0.weight"},
         {"stages.0.blocks.2.norm.bias", "features.1.2.block.2.bias"},
         {"stages.1.downsample.0.weight", "features.2.0.weight"},
         {"stages.3.downsample.1.bias", "features.6.1.bias"},
         {"stages.1.blocks.0.mlp.fc1.weight", "features.3.0.block.3.weight"},
         {"stages.1.blocks.0.mlp.fc1.bias", "features.3.0.block.3.bias"},
         {"stages.2.blocks.26.mlp.fc2.weight", "features.5.26.block.5.weight"},
         {"stages.3.blocks.1.mlp.fc2.bias", "features.7.1.block.5.bias"},
         {"head.norm.weight", "classifier.0.weight"},
         {"head.fc.bias", "classifier.2.bias"}});
}

BOOST_AUTO_TEST_CASE(of_hugging_faces_convnext) {
  check({{"convnext.embeddings.patch_embeddings.weight", "features.0.0.weight"},
         {"convnext.embeddings.layernorm.bias", "features.0.1.bias"},
         {"convnext.encoder.stages.0.layers.0.layer_scale_parameter", "features.1.0.layer_scale"},
         {"convnext.encoder.stages.0.layers.2.dwconv.weight", "features.1.2.block.0.weight"},
         {"convnext.encoder.stages.1.layers.0.layernorm.bias", "features.3.0.block.2.bias"},
         {"convnext.encoder.stages.1.downsampling_layer.0.weight", "features.2.0.weight"},
         {"convnext.encoder.stages.3.downsampling_layer.1.bias", "features.6.1.bias"},
         {"convnext.encoder.stages.2.layers.26.pwconv1.weight", "features.5.26.block.3.weight"},
         {"convnext.encoder.stages.3.layers.1.pwconv2.bias", "features.7.1.block.5.bias"},
         {"convnext.layernorm.weight", "classifier.0.weight"},
         {"classifier.weight", "classifier.2.weight"},
         {"classifier.bias", "classifier.2.bias"}});
}

BOOST_AUTO_TEST_CASE(of_hugging_faces_resnet) {
  check({{"resnet.embedder.embedder.convolution.weight", "conv1.weight"},
         {"resnet.embedder.embedder.normalization.running_mean", "bn1.running_mean"},
         {"resnet.encoder.stages.0.layers.0.shortcut.convolution.weight", "layer1.0.downsample.0.weight"},
         {"resnet.encoder.stages.3.layers.0.shortcut.normalization.bias", "layer4.0.downsample.1.bias"},
         {"resnet.encoder.stages.0.layers.0.layer.0.convolution.weight", "layer1.0.conv1.weight"},
         {"resnet.encoder.stages.1.layers.0.layer.1.convolution.weight", "layer2.0.conv2.weight"},
         {"resnet.encoder.stages.2.layers.35.layer.2.convolution.weight", "layer3.35.conv3.weight"},
         {"resnet.encoder.stages.2.layers.35.layer.2.normalization.running_var", "layer3.35.bn3.running_var"},
         {"resnet.encoder.stages.3.layers.2.layer.0.normalization.num_batches_tracked",
          "layer4.2.bn1.num_batches_tracked"},
         {"classifier.1.weight", "fc.weight"},
         {"classifier.1.bias", "fc.bias"}});
}

BOOST_AUTO_TEST_CASE(of_torchvision_or_nobody_stay) {
  check_unchanged({"features.0.0.weight", "features.0.1.weight", "features.1.0.layer_scale",
                   "features.1.0.block.0.weight", "features.2.0.weight", "classifier.0.weight",
                   "classifier.2.weight"});
  check_unchanged({"conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight", "layer1.0.bn1.weight",
                   "layer1.0.downsample.0.weight", "fc.weight"});
  check_unchanged({"features.0.weight", "classifier.6.bias"});
  check_unchanged({});
  // A transformer with names that are ConvNeXt's in other company, and names that are nearly so.
  check_unchanged({"norm.weight", "head.weight", "stem.0.weight", "classifier.weight", "classifier.1.weight",
                   "stages.0.0.gamma", "stages.0.blocks.0.norm.weight"});
  check_unchanged({"stages.0.0.dwconv", "stages.0.0.dwconv.", "stages.0.0.dwconv.weight.more",
                   "stages.0.dwconv.weight", "stages.a.0.dwconv.weight", "stages.-1.0.dwconv.weight",
                   "stages..0.dwconv.weight", "stages.0.00.dwconv.weight", "stages.01.0.dwconv.weight",
                   "stages.99999999999999999999.0.dwconv.weight", "xstages.0.0.dwconv.weight", "stages.",
                   ""});
}

BOOST_AUTO_TEST_CASE(what_a_known_library_adds_stays) {
  check({{"stages.0.blocks.0.conv_dw.weight", "features.1.0.block.0.weight"},
         {"stages.0.blocks.0.mlp.grn.weight", "stages.0.blocks.0.mlp.grn.weight"},
         {"head.pre_logits.fc.weight", "head.pre_logits.fc.weight"}});
  // ConvNeXt V2 is another network, and is refused as one.
  ConvNeXt network(ConvNeXtOptions{.depths = {1}, .widths = {4}, .classes = 2});
  const Checkpoint second = with_torchvision_names(
      named({"downsample_layers.0.0.weight", "stages.0.0.dwconv.weight", "stages.0.0.grn.gamma"}));
  BOOST_CHECK_EXCEPTION(load_into(*network, second, "v2.pt"), Error,
                        says({"features.1.0.layer_scale", "extra (1): 'stages.0.0.grn.gamma'"}));
}

BOOST_AUTO_TEST_CASE(shapes_become_torchvisions) {
  const Tensor scale = torch::rand({5}), weight = torch::rand({20, 5}), wide = torch::rand({20, 5, 3, 3});
  const Checkpoint renamed =
      with_torchvision_names(Checkpoint{{{"stages.0.blocks.0.conv_dw.weight", wide},
                                         {"stages.0.blocks.0.gamma", scale},
                                         {"stages.0.blocks.0.mlp.fc1.weight", weight.reshape({20, 5, 1, 1})},
                                         {"stages.0.blocks.0.mlp.fc2.weight", weight},
                                         {"stages.1.blocks.0.mlp.fc1.weight", wide}},
                                        {{"by", "hand"}}});
  BOOST_TEST(renamed.find("features.1.0.layer_scale")->equal(scale.reshape({5, 1, 1})));
  BOOST_TEST(renamed.find("features.1.0.layer_scale")->is_alias_of(scale));
  BOOST_TEST(renamed.find("features.1.0.block.3.weight")->equal(weight));
  BOOST_TEST(renamed.find("features.1.0.block.5.weight")->equal(weight));
  // What is no linear layer's is left for load_into to refuse.
  BOOST_TEST(renamed.find("features.3.0.block.3.weight")->equal(wide));
  BOOST_TEST(renamed.find("features.1.0.block.0.weight")->equal(wide));
  BOOST_TEST(renamed.metadata.at("by") == "hand");
}

BOOST_AUTO_TEST_CASE(two_names_for_one_tensor) {
  BOOST_CHECK_EXCEPTION(
      with_torchvision_names(named({"stages.0.0.dwconv.weight", "features.1.0.block.0.weight"})), Error,
      says({"facebookresearch/ConvNeXt", "'stages.0.0.dwconv.weight' and 'features.1.0.block.0.weight'",
            "one library"}));
}

BOOST_AUTO_TEST_CASE(other_libraries_convnexts_give_their_scores) {
  if (!has_reference()) return;
  for (const std::string name :
       {"original_convnext", "timm_convnext", "timm_convnext_conv", "hugging_face_convnext"})
    compare(ConvNeXt(ConvNeXtOptions{.depths = {1, 1, 2, 1}, .widths = {8, 16, 24, 32}, .classes = 7}), name);
}

BOOST_AUTO_TEST_CASE(other_libraries_resnets_have_torchvisions_names) {
  if (!has_reference()) return;
  for (const std::string name : {"timm_resnet_basic", "timm_resnet_bottleneck", "hugging_face_resnet_basic",
                                 "hugging_face_resnet_bottleneck"})
    compare_names(name);
}

#if __has_include(<pellucid/model/zoo/resnet.hpp>)
BOOST_AUTO_TEST_CASE(other_libraries_resnets_give_their_scores) {
  if (!has_reference()) return;
  for (const bool bottleneck : {false, true}) {
    const std::string kind = bottleneck ? "bottleneck" : "basic";
    const ResNetOptions options{.depths = {1, 2, 1, 1}, .bottleneck = bottleneck, .classes = 7};
    compare(ResNet(options), "timm_resnet_" + kind);
    compare(ResNet(options), "hugging_face_resnet_" + kind);
  }
}
#endif

BOOST_AUTO_TEST_SUITE_END()
