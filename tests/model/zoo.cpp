// The architectures, against torchvision's own on the same weights.
#include <boost/test/unit_test.hpp>

#include <pellucid/model/script.hpp>
#include <pellucid/model/weights/load.hpp>
#include <pellucid/model/zoo/convnext.hpp>
#include <pellucid/model/zoo/vgg.hpp>

#include <filesystem>
#include <set>

#include "image/temporary.hpp"
#include "reference/reference.hpp"
#include "support.hpp"

namespace {

using namespace pellucid;

const std::filesystem::path folder = std::filesystem::path(PELLUCID_TEST_REFERENCE) / "layers";

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

template <class Network>
void compare(Network network, const std::string& name) {
  if (!std::filesystem::exists(folder / (name + ".hooks.pt"))) {
    BOOST_TEST_MESSAGE("passed over: there is no reference data; python3-torchvision makes it");
    return;
  }
  const auto file = torch::jit::load((folder / (name + ".scripted.pt")).string());
  BOOST_TEST(names_of(network->named_parameters()) == names_of(file.named_parameters()),
             boost::test_tools::per_element());
  Checkpoint checkpoint;
  for (const auto& tensor : file.named_parameters())
    checkpoint.tensors.emplace_back(tensor.name, tensor.value);
  for (const auto& tensor : file.named_buffers()) checkpoint.tensors.emplace_back(tensor.name, tensor.value);
  load_into(*network, checkpoint, name);

  const reference::Record record = reference::load((folder / (name + ".hooks.pt")).string());
  const auto model = adapt(network);
  const torch::NoGradGuard no_grad;
  BOOST_TEST(test::relative_difference(model(record.input), record.scores) < 1e-5);

  std::set<std::string> known;
  for (const LayerInfo& layer : model.layers(record.input)) known.insert(layer.name);
  std::vector<std::string> names;
  std::vector<const reference::Entry*> entries;
  for (const reference::Entry& entry : record.entries) {
    if (entry.name.empty() || entry.kind == "StochasticDepth") continue;  // the network; left out in the zoo
    BOOST_TEST(known.contains(entry.name), name << " has no layer " << entry.name);
    names.push_back(entry.name);
    entries.push_back(&entry);
  }
  BOOST_TEST(names.size() > 30U);
  const auto outputs = model.observe(record.input, names);
  for (std::size_t i = 0; i < names.size(); ++i)
    BOOST_TEST(entries[i]->difference(outputs[i]) <= 1e-5 * entries[i]->range, name << " " << names[i]);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(model_zoo)

BOOST_AUTO_TEST_CASE(convnext_tiny) {
  compare(ConvNeXt(), "convnext_tiny");
}

BOOST_AUTO_TEST_CASE(vgg16) {
  compare(VGG(), "vgg16");
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

BOOST_AUTO_TEST_CASE(shapes_that_are_none) {
  BOOST_CHECK_EXCEPTION(ConvNeXt(ConvNeXtOptions{.depths = {1, 1}, .widths = {8}}), Error,
                        says({"2 depths and 1 widths"}));
  BOOST_CHECK_EXCEPTION(VGG(VGGOptions{.plan = {0, 0}}), Error, says({"at least one convolution"}));
}

BOOST_AUTO_TEST_SUITE_END()
