// Layers of TorchScript files, against what forward hooks saw in Python.
#include <boost/test/unit_test.hpp>

#include <pellucid/model/script.hpp>

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <sstream>

#include "reference/reference.hpp"

namespace {

using namespace pellucid;

const std::filesystem::path folder = std::filesystem::path(PELLUCID_TEST_REFERENCE) / "layers";

std::string layer_name(const reference::Record& record, const reference::Entry& entry) {
  return record.calls(entry.name) > 1 ? entry.name + "#" + std::to_string(entry.call + 1) : entry.name;
}

/// Compares every submodule of a network, seen in one pass, and some of them with the pass cut off behind
/// them.
void compare(const std::string& network, const std::string& kind) {
  if (!std::filesystem::exists(folder / (network + ".hooks.pt"))) {
    BOOST_TEST_MESSAGE(
        "passed over: there is no reference data; python3-torch and python3-torchvision make it");
    return;
  }
  const reference::Record record = reference::load((folder / (network + ".hooks.pt")).string());
  const ScriptModel model = load_script(folder / (network + "." + kind + ".pt"));
  const torch::NoGradGuard no_grad;
  std::set<std::string> known{""};
  for (const LayerInfo& layer : model.layers(record.input)) known.insert(layer.name);
  std::vector<std::string> names;
  std::vector<const reference::Entry*> entries;
  int lost = 0;
  for (const reference::Entry& entry : record.entries) {
    const std::string name = layer_name(record, entry);
    if (known.contains(name)) {
      names.push_back(name);
      entries.push_back(&entry);
      continue;
    }
    // A traced file says nothing of a submodule that gave back its input.
    BOOST_TEST(kind == "traced");
    BOOST_TEST(entry.kind == "StochasticDepth", network << ": no layer " << name);
    ++lost;
  }
  const auto outputs = model.observe(record.input, names);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const double most = 1e-5 * entries[i]->range;
    BOOST_TEST(entries[i]->difference(outputs[i]) <= most, network << " " << kind << " " << names[i]);
    if (i % 16 != 0) continue;
    const Tensor cut = model.activation(record.input, names[i]);
    BOOST_TEST(entries[i]->difference(cut) <= most, network << " " << kind << " cut at " << names[i]);
  }
  BOOST_TEST_MESSAGE(network << ", " << kind << ": " << names.size() << " agree, " << lost
                             << " not in the file");
  BOOST_TEST(names.size() > 40U);
}

/// The type of the totals that LibTorch tells: signed in 1.13, not in 2.
template <class Total>
Total total_of(void (c10::MemoryReportingInfoBase::*)(void*, std::int64_t, Total, Total, c10::Device));
using Total = decltype(total_of(&c10::MemoryReportingInfoBase::reportMemoryUsage));

/// The most bytes of tensors that were there at once, of those made while it is told of them.
struct Peak : c10::MemoryReportingInfoBase {
  std::int64_t held = 0, most = 0;
  void reportMemoryUsage(void*, std::int64_t size, Total, Total, c10::Device) override {
    most = std::max(most, held += size);
  }
  bool memoryProfilingEnabled() const override { return true; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(model_script)

BOOST_AUTO_TEST_CASE(resnet18) {
  compare("resnet18", "scripted"), compare("resnet18", "traced");
}
BOOST_AUTO_TEST_CASE(vgg16) {
  compare("vgg16", "scripted"), compare("vgg16", "traced");
}
BOOST_AUTO_TEST_CASE(convnext_tiny) {
  compare("convnext_tiny", "scripted"), compare("convnext_tiny", "traced");
}
BOOST_AUTO_TEST_CASE(densenet121) {
  compare("densenet121", "scripted"), compare("densenet121", "traced");
}
BOOST_AUTO_TEST_CASE(squeezenet1_0) {
  compare("squeezenet1_0", "scripted"), compare("squeezenet1_0", "traced");
}
BOOST_AUTO_TEST_CASE(mobilenet_v2) {
  compare("mobilenet_v2", "scripted"), compare("mobilenet_v2", "traced");
}
BOOST_AUTO_TEST_CASE(googlenet) {
  compare("googlenet", "scripted"), compare("googlenet", "traced");
}
BOOST_AUTO_TEST_CASE(swin_t) {
  compare("swin_t", "scripted"), compare("swin_t", "traced");
}

BOOST_AUTO_TEST_CASE(an_argument_that_is_none) {
  if (!std::filesystem::exists(folder / "upsample.scripted.pt")) return;
  const ScriptModel model = load_script(folder / "upsample.scripted.pt");
  const Tensor x = torch::tensor({1.0F, 2.0F, 3.0F, 4.0F}).view({1, 1, 2, 2});
  BOOST_TEST(model(x).equal(x.repeat_interleave(2, 2).repeat_interleave(2, 3)));
}

BOOST_AUTO_TEST_CASE(a_layer_that_is_overwritten_keeps_its_values_and_its_gradient) {
  torch::jit::Module doubled("doubled"), outer("outer");
  doubled.define("def forward(self, x):\n    return x * 2.0\n");
  outer.register_module("doubled", doubled);
  outer.define(
      "def forward(self, x):\n    y = self.doubled.forward(x)\n    y.relu_()\n    return (y * y).sum(1)\n");
  const ScriptModel model = adapt(outer);
  const Tensor x = torch::tensor({{-1.0F, 3.0F}}).requires_grad_();
  const auto seen = model.observe(x, {"doubled", ""});
  BOOST_TEST(seen[0].equal(torch::tensor({{-2.0F, 6.0F}})));
  BOOST_TEST(seen[1].item<float>() == 36);
  // S = Σ relu(y)², so ∂S/∂y = 2·relu(y)
  const Tensor gradient = torch::autograd::grad({seen[1].sum()}, {seen[0]})[0];
  BOOST_TEST(gradient.equal(torch::tensor({{0.0F, 12.0F}})));
}

BOOST_AUTO_TEST_CASE(memory_is_reused_only_where_nobody_sees_it) {
  torch::jit::Module conv("conv");
  torch::manual_seed(3);
  conv.register_parameter("weight", torch::randn({4, 3, 3, 3}), false);
  conv.define("def forward(self, x):\n  return torch.conv2d(x, self.weight)\n");
  torch::jit::Module net("net");
  net.register_module("conv", conv);
  net.define(
      "def forward(self, x):\n  y = self.conv.forward(x)\n  z = torch.relu(y)\n  w = torch.relu(z)\n"
      "  return w.sum([2, 3]) + torch.relu(x).sum()\n");
  const auto model = adapt(net);
  const Images x = torch::randn({2, 3, 5, 5});
  const Images unchanged = x.clone();
  const Tensor y = torch::conv2d(x, conv.attr("weight").toTensor());
  const Tensor scores = torch::relu(y).sum({2, 3}) + torch::relu(x).sum();
  const auto seen = model.observe(x, {"", "conv"});
  BOOST_TEST(seen[0].allclose(scores, 1e-5, 1e-5));
  BOOST_TEST(seen[1].allclose(y, 1e-6, 1e-6));
  BOOST_TEST(model(x).allclose(scores, 1e-5, 1e-5));
  BOOST_TEST(model.activation(x, "conv").allclose(y, 1e-6, 1e-6));
  BOOST_TEST(x.equal(unchanged));
}

BOOST_AUTO_TEST_CASE(an_input_that_is_overwritten) {
  torch::jit::Module half("half"), outer("outer");
  half.define("def forward(self, x):\n    return x * 0.5\n");
  outer.register_module("half", half);
  outer.register_buffer("off", torch::full({2}, 0.5, torch::kDouble));
  outer.define(
      "def forward(self, x):\n    x.sub_(self.off)\n    y = self.half.forward(x)\n    return torch.relu(x) + "
      "y\n");
  const ScriptModel model = adapt(outer);
  const Tensor x = torch::tensor({{0.25F, 2.5F}}).requires_grad_();
  const auto seen = model.observe(x, {"half", ""});
  BOOST_TEST(seen[0].allclose(torch::tensor({{-0.125F, 1.0F}})));
  BOOST_TEST(seen[1].allclose(torch::tensor({{-0.125F, 3.0F}})));
  const Tensor gradient = torch::autograd::grad({seen[1].sum()}, {x})[0];
  BOOST_TEST(gradient.allclose(torch::tensor({{0.5F, 1.5F}})));
  BOOST_TEST(x[0][0].item<float>() == 0.25F);
}

BOOST_AUTO_TEST_CASE(layers_in_branches_and_loops_are_silent) {
  torch::jit::Module twice("twice"), outer("outer");
  twice.define("def forward(self, x):\n    return x * 2.0\n");
  outer.register_module("twice", twice);
  outer.define(
      "def forward(self, x):\n    y = self.twice.forward(x)\n    for i in range(x.size(0)):\n"
      "      y = self.twice.forward(y)\n    return y\n");
  const ScriptModel model = adapt(outer);
  const Tensor x = torch::ones({2, 3});
  std::ostringstream printed;
  std::streambuf* const out = std::cout.rdbuf(printed.rdbuf());
  const Tensor scores = model(x);
  const auto layers = model.layers(x);
  std::cout.rdbuf(out);
  BOOST_TEST(printed.str() == "");
  BOOST_TEST(scores.equal(torch::full({2, 3}, 8.0F)));
  BOOST_REQUIRE(layers.size() == 1u);
  BOOST_TEST(layers[0].name == "twice");
}

BOOST_AUTO_TEST_CASE(a_view_sees_what_overwrites_its_tensor) {
  torch::jit::Module inner("inner");
  inner.define("def forward(self, x):\n    return x + 1.0\n");
  torch::jit::Module outer("outer");
  outer.register_module("inner", inner);
  outer.define(
      "def forward(self, x):\n    y = self.inner.forward(x)\n    first = y[:, 0]\n    y.mul_(10.0)\n    "
      "return first "
      "+ y[:, 1]\n");
  const ScriptModel model = adapt(outer);
  const auto seen = model.observe(torch::tensor({{1.0F, 2.0F}}), {"inner", ""});
  BOOST_TEST(seen[0].equal(torch::tensor({{2.0F, 3.0F}})));
  BOOST_TEST(seen[1].item<float>() == 50);
}

BOOST_AUTO_TEST_CASE(the_pass_ends_behind_the_last_layer_asked_for) {
  torch::jit::Module first("first"), second("second"), outer("outer");
  first.define("def forward(self, x):\n    return x.relu()\n");
  second.define("def forward(self, x):\n    return x.sigmoid().tanh()\n");
  outer.register_module("first", first);
  outer.register_module("second", second);
  outer.define("def forward(self, x):\n    return self.second.forward(self.first.forward(x))\n");
  const pellucid::detail::ScriptGraph graph(outer);
  const auto operators = [](const std::shared_ptr<torch::jit::Graph>& g) {
    return std::distance(g->nodes().begin(), g->nodes().end());
  };
  BOOST_TEST(operators(graph.cut({"first"})) == 1);
  BOOST_TEST(operators(graph.cut({"second"})) == 3);
  BOOST_TEST(operators(graph.cut({""})) == 3);
}

BOOST_AUTO_TEST_CASE(a_list_of_the_layers_holds_none_of_their_outputs) {
  // 20 layers that give 1 MB each: the network itself never needs more than the input and the output of one.
  torch::jit::Module outer("outer");
  std::string body = "def forward(self, x):\n";
  for (int i = 0; i < 20; ++i) {
    torch::jit::Module sine("sine" + std::to_string(i));
    sine.define("def forward(self, x):\n    return x.sin()\n");
    outer.register_module("sine" + std::to_string(i), sine);
    body += "    x = self.sine" + std::to_string(i) + ".forward(x)\n";
  }
  outer.define(body + "    return x\n");
  const ScriptModel model = adapt(outer);
  const Images x = torch::ones({1, 1, 512, 512});
  const auto peak = std::make_shared<Peak>();
  const c10::DebugInfoGuard told(c10::DebugInfoKind::PROFILER_STATE, peak);
  const auto layers = model.layers(x);
  BOOST_REQUIRE(layers.size() == 20U);
  for (const LayerInfo& layer : layers)
    BOOST_TEST((layer.shape == std::vector<std::int64_t>{1, 1, 512, 512}));
  BOOST_TEST(peak->most >= 1 << 20);
  BOOST_TEST(peak->most <= 3 << 20);  // and a copy of the images
}

BOOST_AUTO_TEST_CASE(a_submodule_called_twice_must_be_named_with_its_call) {
  torch::jit::Module inner("inner"), outer("outer");
  inner.define("def forward(self, x):\n    return x * 2.0\n");
  outer.register_module("twice", inner);
  outer.define("def forward(self, x):\n    return self.twice.forward(self.twice.forward(x))\n");
  const ScriptModel model = adapt(outer);
  const Tensor x = torch::ones({1, 2});
  BOOST_TEST(model.activation(x, "twice#1")[0][0].item<float>() == 2);
  BOOST_TEST(model.activation(x, "twice#2")[0][0].item<float>() == 4);
  BOOST_CHECK_EXCEPTION(model.activation(x, "twice"), Error, [](const Error& error) {
    return std::string(error.what())
               .find("called 2 times in one pass: say which call, 'twice#1' to 'twice#2'") !=
           std::string::npos;
  });
}

BOOST_AUTO_TEST_SUITE_END()
