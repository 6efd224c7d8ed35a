// How layers hang together, on networks whose drawing is known.
#include <boost/test/unit_test.hpp>

#include <pellucid/model/adapt.hpp>
#include <pellucid/model/layer_edges.hpp>
#include <pellucid/model/script.hpp>
#include <pellucid/model/zoo/resnet.hpp>
#include <pellucid/model/zoo/squeezenet.hpp>

#include <torch/nn.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "support.hpp"

namespace {

using namespace pellucid;
using test::some_images;
namespace nn = torch::nn;

template <class M>
std::vector<LayerEdge> edges_of(const M& model, const Images& images) {
  return layer_edges(model, images, model.layers(images));
}

/// Where the edges to a layer come from.
std::set<std::string> sources(const std::vector<LayerEdge>& edges, const std::string& layer) {
  std::set<std::string> found;
  for (const LayerEdge& edge : edges)
    if (edge.to == layer) found.insert(edge.from);
  return found;
}

using Names = std::set<std::string>;

/// A convolution, a branch with another, a Dropout, the sum of both; and what no gradient goes through.
struct BranchImpl : nn::Module {
  BranchImpl() {
    first = register_module("first", nn::Conv2d(3, 3, 1));
    second = register_module("second", nn::Conv2d(3, 3, 1));
    last = register_module("last", nn::Linear(3, 2));
  }
  Tensor forward(Tensor x) {
    x = mark("stem", x * 2);
    Tensor y = first->forward(x).relu_();
    Tensor z = mark("dropped", mark("within", second->forward(y)));
    mark("strongest", z.argmax(1));
    y = mark("sum", y + z);
    return last->forward(y.mean({2, 3}));
  }
  nn::Conv2d first{nullptr}, second{nullptr};
  nn::Linear last{nullptr};
};

BOOST_AUTO_TEST_SUITE(model_layer_edges)

BOOST_AUTO_TEST_CASE(branches_sums_and_places_that_hand_on) {
  const auto model = adapt(std::make_shared<BranchImpl>());
  const auto edges = edges_of(model, some_images({2, 3, 4, 4}));
  BOOST_TEST((sources(edges, "stem") == Names{""}));
  BOOST_TEST((sources(edges, "first") == Names{"stem"}));
  BOOST_TEST((sources(edges, "second") == Names{"first"}));
  BOOST_TEST((sources(edges, "within") == Names{"second"}));
  BOOST_TEST((sources(edges, "dropped") == Names{"within"}));
  BOOST_TEST((sources(edges, "strongest") == Names{}));
  BOOST_TEST((sources(edges, "sum") == Names{"first", "dropped"}));
  BOOST_TEST((sources(edges, "last") == Names{"sum"}));
  BOOST_TEST(edges.size() == 8U);
}

BOOST_AUTO_TEST_CASE(some_of_the_layers_alone) {
  const auto model = adapt(std::make_shared<BranchImpl>());
  const std::vector<LayerEdge> edges =
      layer_edges(model, some_images({1, 3, 4, 4}), {{.name = "first"}, {.name = "last"}});
  BOOST_TEST((edges == std::vector<LayerEdge>{{"", "first"}, {"first", "last"}}));
  BOOST_CHECK_THROW(layer_edges(model, some_images({1, 3, 4, 4}), {{.name = "firsts"}}), Error);
}

BOOST_AUTO_TEST_CASE(a_residual_network) {
  const ResNetOptions options{.depths = {1, 1}, .bottleneck = false, .classes = 7};
  const torch::NoGradGuard what_the_caller_set_does_not_matter;
  const auto edges = edges_of(adapt(ResNet(options)), some_images({1, 3, 64, 64}));
  BOOST_TEST((sources(edges, "conv1") == Names{""}));
  BOOST_TEST((sources(edges, "layer1.0.conv1") == Names{"maxpool"}));
  BOOST_TEST((sources(edges, "layer2.0.downsample.0") == Names{"layer1.0.relu#2"}));
  BOOST_TEST((sources(edges, "layer2.0.relu#2") == Names{"layer2.0.bn2", "layer2.0.downsample.1"}));
  // These hand on what is within them.
  for (const std::string container : {"layer1", "layer1.0", "layer2", "layer2.0", "layer2.0.downsample"})
    BOOST_TEST((sources(edges, container) == Names{}), container);
}

BOOST_AUTO_TEST_CASE(what_is_put_side_by_side) {
  const auto edges =
      edges_of(adapt(SqueezeNet(SqueezeNetOptions::squeezenet1_1())), some_images({1, 3, 64, 64}));
  const Names both{"features.3.expand1x1_activation", "features.3.expand3x3_activation"};
  BOOST_TEST((sources(edges, "features.3") == both));
  BOOST_TEST((sources(edges, "features.4.squeeze") == Names{"features.3"}));
}

BOOST_AUTO_TEST_CASE(a_torchscript_file_has_the_edges_of_its_module) {
  const std::filesystem::path file =
      std::filesystem::path(PELLUCID_TEST_REFERENCE) / "layers" / "resnet18.scripted.pt";
  if (!std::filesystem::exists(file)) {
    BOOST_TEST_MESSAGE("passed over: there is no " << file << "; python3-torchvision makes it");
    return;
  }
  const Images images = some_images({1, 3, 64, 64});
  const auto scripted = edges_of(load_script(file), images);
  const auto own = edges_of(adapt(ResNet(ResNetOptions::resnet18())), images);
  BOOST_TEST(own.size() > 60U);
  for (const LayerEdge& edge : own)
    BOOST_TEST((sources(scripted, edge.to) == sources(own, edge.to)), edge.from << " → " << edge.to);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
