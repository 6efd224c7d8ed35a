// Models whose weights are shuffled: C++ modules, checkpoints, TorchScript.
#include <boost/test/unit_test.hpp>

#include <pellucid/model/any_model.hpp>
#include <pellucid/model/architectures.hpp>
#include <pellucid/model/load.hpp>
#include <pellucid/model/script.hpp>
#include <pellucid/model/weights/safetensors.hpp>
#include <pellucid/model/zoo/vgg.hpp>

#include <torch/nn.h>

#include <map>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using Names = std::vector<std::string>;

static_assert(ShufflableModel<AnyModel>);
static_assert(ShufflableModel<ScriptModel>);

namespace {

const Images x = test::some_images({2, 3, 8, 8});

/// SmallNet as TorchScript, with the same values under the same names.
torch::jit::Module as_script(test::SmallNet& net) {
  torch::jit::Module script("SmallNet");
  const auto part = [&](const std::string& name, const torch::nn::Module& of, const std::string& call) {
    torch::jit::Module module(name);
    for (const auto& parameter : of.named_parameters())
      module.register_parameter(parameter.key(), parameter.value().detach(), false);
    module.define("def forward(self, x):\n  return " + call + "\n");
    script.register_module(name, module);
  };
  part("last", *net.last,
       "torch.matmul(x, self.weight.t()) + self.bias");  // before the others, but it runs last
  part("first", *net.first, "torch.conv2d(x, self.weight, self.bias, [1, 1], [1, 1])");
  part("second", *net.second, "torch.conv2d(x, self.weight, self.bias, [2, 2])");
  script.define(
      "def forward(self, x):\n  x = torch.relu(self.first.forward(x))\n"
      "  x = torch.relu(self.second.forward(x))\n  return self.last.forward(x.mean([2, 3]))\n");
  return script;
}

/// A module that uses parameters of its own, has one that nobody uses, and registers its parts in another
/// order than they run.
struct Functional : torch::nn::Module {
  Functional() {
    torch::manual_seed(3);
    late = register_module("late", torch::nn::Linear(4, 2));
    unused = register_module("unused", torch::nn::Linear(4, 2));
    matrix = register_parameter("matrix", torch::randn({4, 192}));
    scale = register_parameter("scale", torch::randn({4}));
    head = register_module("head", torch::nn::Sequential(torch::nn::BatchNorm1d(4), torch::nn::ReLU()));
  }
  Tensor forward(const Tensor& t) {
    return late->forward(head->forward(scale * torch::nn::functional::linear(t.flatten(1), matrix)));
  }
  torch::nn::Linear late{nullptr}, unused{nullptr};
  torch::nn::Sequential head{nullptr};
  Tensor matrix{}, scale{};
};

/// Everything that belongs to a module: where its values lie, what they are, and the state of both.
struct State {
  explicit State(const torch::nn::Module& module) {
    for (const auto& parameter : module.named_parameters()) {
      const Tensor& p = parameter.value();
      places.push_back(p.data_ptr());
      values.push_back(p.detach().clone());
      flags.emplace_back(p.requires_grad(), p._version());
    }
    training = module.is_training();
  }
  bool operator==(const State& other) const {
    bool same = places == other.places && flags == other.flags && training == other.training;
    for (std::size_t i = 0; same && i < values.size(); ++i) same = values[i].equal(other.values[i]);
    return same;
  }
  std::vector<void*> places{};
  std::vector<Tensor> values{};
  std::vector<std::pair<bool, std::int64_t>> flags{};
  bool training = false;
};

std::shared_ptr<test::SmallNet> small() {
  return std::make_shared<test::SmallNet>();
}

/// A copy of SmallNet with the values of some parameters in the order that a seed gives.
Tensor expected_scores(const Names& parameters, std::uint64_t seed) {
  const torch::NoGradGuard no_grad;
  const auto net = small();
  for (auto& parameter : net->named_parameters())
    if (std::find(parameters.begin(), parameters.end(), parameter.key()) != parameters.end())
      parameter.value().copy_(
          pellucid::detail::shuffled(parameter.value(), pellucid::detail::seed_of(parameter.key(), seed)));
  return net->forward(x);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(model_shuffle)

BOOST_AUTO_TEST_CASE(a_shuffle_keeps_the_values_and_draws_every_order) {
  const Tensor values = torch::arange(1000, torch::kFloat).view({10, 100});
  const Tensor mixed = pellucid::detail::shuffled(values, 7);
  BOOST_TEST(mixed.sizes() == values.sizes());
  BOOST_TEST(std::get<0>(mixed.flatten().sort()).equal(values.flatten()));
  BOOST_TEST(!mixed.equal(values));
  BOOST_TEST(pellucid::detail::shuffled(values, 7).equal(mixed));
  BOOST_TEST(!pellucid::detail::shuffled(values, 8).equal(mixed));
  BOOST_TEST(values.equal(torch::arange(1000, torch::kFloat).view({10, 100})));
  // A matrix and its transposed view stay those of one another.
  BOOST_TEST(pellucid::detail::shuffled(values.t(), 7).equal(mixed.t()));
  // Each of the 6 orders of 3 values: 1000 of 6000 expected, with a standard deviation of √(6000·5/36) = 29.
  std::map<std::vector<double>, int> seen;
  for (std::uint64_t seed = 0; seed < 6000; ++seed) {
    const Tensor three = pellucid::detail::shuffled(torch::arange(3, torch::kDouble), seed);
    ++seen[std::vector<double>(three.data_ptr<double>(), three.data_ptr<double>() + 3)];
  }
  BOOST_TEST(seen.size() == 6U);
  for (const auto& [order, count] : seen) BOOST_TEST(std::abs(count - 1000) < 130);
  for (const auto type : {torch::kHalf, torch::kBFloat16, torch::kDouble})
    BOOST_TEST(std::get<0>(pellucid::detail::shuffled(torch::arange(9).to(type), 1).to(torch::kLong).sort())
                   .equal(torch::arange(9)));
}

BOOST_AUTO_TEST_CASE(layers_in_the_order_in_which_they_run) {
  BOOST_TEST(test::small_net().weighted_layers(x) == (Names{"first", "second", "last"}));
  const auto functional = std::make_shared<Functional>();
  BOOST_TEST(adapt(functional).weighted_layers(x) == (Names{"matrix", "scale", "head.0", "late"}));
  const auto net = small();
  BOOST_TEST(adapt(as_script(*net)).weighted_layers(x) == (Names{"first", "second", "last"}));
  const auto vgg =
      adapt(VGG(VGGOptions{.plan = {4, 0, 5, 0}, .batch_norm = true, .classes = 3, .hidden = 6, .pool = 1}));
  BOOST_TEST(vgg.weighted_layers(x) == (Names{"features.0", "features.1", "features.4", "features.5",
                                              "classifier.0", "classifier.3", "classifier.6"}));
  BOOST_TEST(AnyModel(vgg).weighted_layers(x) == vgg.weighted_layers(x));
}

BOOST_AUTO_TEST_CASE(a_layer_that_runs_twice_counts_by_its_last_time) {
  struct Twice : torch::nn::Module {
    Twice() {
      shared = register_module("shared", torch::nn::Linear(4, 4));
      between = register_module("between", torch::nn::Linear(4, 4));
    }
    Tensor forward(const Tensor& t) { return shared->forward(between->forward(shared->forward(t))); }
    torch::nn::Linear shared{nullptr}, between{nullptr};
  };
  BOOST_TEST(adapt(std::make_shared<Twice>()).weighted_layers(torch::rand({1, 4})) ==
             (Names{"between", "shared"}));
}

BOOST_AUTO_TEST_CASE(every_parameter_that_an_operator_takes_has_its_turn) {
  // The projection in front takes two parameters of a module with children, and is named by the larger one.
  struct Attends : torch::nn::Module {
    Attends() {
      attention = register_module("attention", torch::nn::MultiheadAttention(4, 2));
      last = register_module("last", torch::nn::Linear(4, 2));
    }
    Tensor forward(const Tensor& t) {
      const Tensor tokens = t.transpose(0, 1);  // T×N×4
      return last->forward(std::get<0>(attention->forward(tokens, tokens, tokens)).mean(0));
    }
    torch::nn::MultiheadAttention attention{nullptr};
    torch::nn::Linear last{nullptr};
  };
  const auto net = std::make_shared<Attends>();
  const auto model = adapt(net);
  const Images tokens = torch::rand({2, 3, 4});
  BOOST_TEST(model.weighted_layers(tokens) ==
             (Names{"attention.in_proj_weight", "attention.in_proj_bias", "attention.out_proj", "last"}));
  {
    const torch::NoGradGuard no_grad;
    net->attention->in_proj_bias.copy_(torch::arange(12));
  }
  const Tensor own = model(tokens).detach();
  BOOST_TEST(!model.shuffled({"attention.in_proj_bias"}, 1)(tokens).allclose(own));
}

BOOST_AUTO_TEST_CASE(a_module_has_its_own_weights_again) {
  const auto net = small();
  net->train();
  const auto model = adapt(net);
  const State before(*net);
  const Tensor own = model(x).detach();
  {
    const auto shuffled = model.shuffled({"last", "second"}, 4);
    BOOST_TEST(shuffled(x).allclose(
        expected_scores({"last.weight", "last.bias", "second.weight", "second.bias"}, 4), 1e-5, 1e-6));
    BOOST_TEST(shuffled.activation(x, "first").sizes() == (std::vector<std::int64_t>{2, 6, 8, 8}));
  }
  BOOST_TEST((State(*net) == before));
  BOOST_TEST(model(x).equal(own));
}

BOOST_AUTO_TEST_CASE(shuffles_add_up) {
  const auto net = small();
  const auto model = adapt(net);
  const State before(*net);
  {
    auto shuffled = std::make_optional(model.shuffled({"last"}, 4));
    auto further = std::make_optional(shuffled->shuffled({"first"}, 4));
    shuffled.reset();
    BOOST_TEST((*further)(x).allclose(
        expected_scores({"last.weight", "last.bias", "first.weight", "first.bias"}, 4), 1e-5, 1e-6));
    const auto copy = *further;
    further.reset();
    BOOST_TEST(!(State(*net) == before));
    copy(x);
  }
  BOOST_TEST((State(*net) == before));
}

BOOST_AUTO_TEST_CASE(nobody_runs_a_module_with_weights_that_he_does_not_know_of) {
  const auto net = small();
  const auto model = adapt(net);
  const Images image = x.clone().requires_grad_();
  const Tensor score = model(image).sum();
  {
    const auto shuffled = model.shuffled({"first", "second"}, 1);
    BOOST_CHECK_EXCEPTION(model(x), Error, says({"shuffled weights", "adapt()"}));
    BOOST_CHECK_EXCEPTION(model.shuffled({"last"}, 1), Error, says({"shuffled weights"}));
    BOOST_CHECK_EXCEPTION(adapt(net)(x), Error, says({"shuffled weights"}));
    // A graph of before would be differentiated with weights that are not its own.
    BOOST_CHECK_THROW(torch::autograd::grad({score}, {image}, {}, /*retain_graph=*/true), c10::Error);
    shuffled(x);
  }
  const Tensor gradient = torch::autograd::grad({score}, {image})[0];
  BOOST_TEST(gradient.equal(torch::autograd::grad({model(image).sum()}, {image})[0]));
}

BOOST_AUTO_TEST_CASE(a_part_of_a_module_is_no_other_module) {
  const auto net = small();
  const auto whole = adapt(net);
  const auto first = adapt(net->first), second = adapt(net->second);
  const Tensor own = first(x).detach(), of_whole = whole(x).detach();
  {
    const auto shuffled = whole.shuffled({"first"}, 1);
    BOOST_CHECK_EXCEPTION(first(x), Error, says({"shuffled weights", "adapt()"}));
    BOOST_CHECK_EXCEPTION(first.shuffled({""}, 1), Error, says({"shuffled weights"}));
    second(torch::rand({1, 6, 8, 8}));  // as it was
    shuffled(x);
    const auto further = second.shuffled({""}, 1);
    BOOST_CHECK_EXCEPTION(shuffled(x), Error, says({"shuffled weights"}));  // another's, beside its own
  }
  BOOST_TEST(first(x).equal(own));
  {
    const auto shuffled = first.shuffled({""}, 1);
    BOOST_CHECK_EXCEPTION(whole(x), Error, says({"shuffled weights"}));
    shuffled(x);
  }
  BOOST_TEST(whole(x).equal(of_whole));
}

BOOST_AUTO_TEST_CASE(another_module_of_the_same_build_takes_the_shuffles) {
  const auto net = small();
  int made = 0;
  const auto model = adapt(net, unchanged(), {}, [&made] {
    ++made;
    return std::make_shared<test::SmallNet>();
  });
  const State before(*net);
  const Tensor own = model(x).detach();
  const auto shuffled = model.shuffled({"last"}, 4), other = model.shuffled({"first"}, 4);
  BOOST_TEST(made == 2);
  BOOST_TEST((State(*net) == before));  // also while they live
  BOOST_TEST(model(x).equal(own));
  BOOST_TEST(shuffled(x).allclose(expected_scores({"last.weight", "last.bias"}, 4), 1e-5, 1e-6));
  BOOST_TEST(other(x).allclose(expected_scores({"first.weight", "first.bias"}, 4), 1e-5, 1e-6));
  BOOST_TEST(shuffled.shuffled({"first"}, 4)(x).allclose(
      expected_scores({"last.weight", "last.bias", "first.weight", "first.bias"}, 4), 1e-5, 1e-6));

  const auto wrong = adapt(torch::nn::Linear(4, 2), unchanged(), {}, [] { return torch::nn::Linear(4, 3); });
  BOOST_CHECK_EXCEPTION(wrong.shuffled({""}, 0), Error, says({"another build", "'weight'"}));
}

BOOST_AUTO_TEST_CASE(a_checkpoint_s_file_and_network_stay_as_they_are) {
  const TemporaryFolder folder;
  VGG network(VGGOptions{.plan = {4, 0}, .batch_norm = true, .classes = 3, .hidden = 0, .pool = 1});
  const std::string file = (folder.path() / "net.safetensors").string();
  {
    const torch::NoGradGuard no_grad;  // statistics that are none of a fresh network
    network->named_buffers()["features.1.running_mean"].fill_(0.25);
  }
  network->eval();
  write_safetensors(file, state_of(*network.ptr()));
  const std::string bytes = contents(file);
  const auto model = load<VGG>(file);
  const AnyModel any = load_any(file);
  const Tensor own = model(x).detach();
  BOOST_TEST(own.equal(network->forward(x)));
  // By hand: the classifier's values in another order.
  const auto shuffled = model.shuffled({"classifier.0"}, 9);
  {
    const torch::NoGradGuard no_grad;
    for (const std::string name : {"classifier.0.weight", "classifier.0.bias"}) {
      Tensor parameter = network->named_parameters()[name];
      parameter.copy_(pellucid::detail::shuffled(parameter, pellucid::detail::seed_of(name, 9)));
    }
  }
  BOOST_TEST(shuffled(x).allclose(network->forward(x), 1e-5, 1e-6));
  BOOST_TEST(any.shuffled({"classifier.0"}, 9)(x).allclose(network->forward(x), 1e-5, 1e-6));
  BOOST_TEST(!shuffled(x).allclose(own));
  BOOST_TEST(model(x).equal(own));  // a copy was shuffled
  BOOST_TEST(any(x).equal(own));
  const auto all = model.shuffled(model.weighted_layers(x), 9);
  all(x);
  BOOST_TEST(model(x).equal(own));
  BOOST_TEST(contents(file) == bytes);
}

BOOST_AUTO_TEST_CASE(torchscript_is_shuffled_as_the_module_is) {
  const auto net = small();
  const auto model = adapt(as_script(*net));
  const Tensor own = model(x).detach();
  BOOST_TEST(own.allclose(net->forward(x), 1e-5, 1e-6));
  const auto shuffled = model.shuffled({"last"}, 4);
  BOOST_TEST(shuffled(x).allclose(expected_scores({"last.weight", "last.bias"}, 4), 1e-5, 1e-6));
  const auto further = shuffled.shuffled({"first"}, 4);
  BOOST_TEST(further(x).allclose(
      expected_scores({"last.weight", "last.bias", "first.weight", "first.bias"}, 4), 1e-5, 1e-6));
  BOOST_TEST(further.weighted_layers(x) == model.weighted_layers(x));
  BOOST_TEST(further.activation(x, "second").sizes() == model.activation(x, "second").sizes());
  BOOST_TEST(shuffled.activation(x, "second").equal(model.activation(x, "second")));
  BOOST_TEST(model(x).equal(own));
}

BOOST_AUTO_TEST_CASE(a_frozen_file_with_folded_batch_norms) {
  torch::jit::Module norm("Norm"), script("Network");
  torch::manual_seed(5);
  norm.register_parameter("weight", torch::rand({4}), false);
  norm.register_parameter("bias", torch::rand({4}), false);
  norm.register_buffer("running_mean", torch::rand({4}));
  norm.register_buffer("running_var", torch::rand({4}));
  norm.define(
      "def forward(self, x):\n  return torch.batch_norm(x, self.weight, self.bias, self.running_mean, "
      "self.running_var, False, 0.1, 1e-5, False)\n");
  script.register_module("norm", norm);
  script.register_parameter("kernel", torch::randn({4, 3, 3, 3}), false);
  script.register_parameter("last", torch::randn({2, 4}), false);
  script.define(
      "def forward(self, x):\n  x = torch.relu(self.norm.forward(torch.conv2d(x, self.kernel)))\n"
      "  return torch.linear(x.mean([2, 3]), self.last)\n");
  script.eval();
  BOOST_TEST(adapt(script).weighted_layers(x) == (Names{"kernel", "norm", "last"}));
  const Tensor mean = norm.attr("running_mean").toTensor().clone();
  adapt(script).shuffled({"kernel", "norm", "last"}, 1)(x);
  BOOST_TEST(norm.attr("running_mean").toTensor().equal(mean));

  for (const bool fold : {true, false}) {
    const auto frozen = adapt(torch::jit::freeze(script, c10::nullopt, fold));
    const Tensor own = frozen(x).detach();
    BOOST_TEST(own.allclose(adapt(script)(x), 1e-4, 1e-5));
    const Names layers = frozen.weighted_layers(x);
    BOOST_TEST(layers ==
               (fold ? Names{"conv2d#1", "linear#1"} : Names{"conv2d#1", "batch_norm#1", "linear#1"}));
    BOOST_TEST(!frozen.shuffled({"linear#1"}, 1)(x).allclose(own));
    BOOST_TEST(!frozen.shuffled({"conv2d#1"}, 1)(x).allclose(own));
    BOOST_TEST(frozen(x).equal(own));
  }
}

BOOST_AUTO_TEST_CASE(wrong_requests) {
  struct Bare {
    Tensor operator()(const Images& t) const { return t.flatten(1).sum(1, true); }
    std::vector<Tensor> observe(const Images& t, const Names&) const { return {(*this)(t)}; }
  };
  BOOST_CHECK_EXCEPTION(test::small_net().shuffled({"third"}, 0), Error, says({"'third'", "no weights"}));
  const auto net = small();
  BOOST_CHECK_EXCEPTION(adapt(as_script(*net)).shuffled({"third"}, 0), Error,
                        says({"'third'", "no weights"}));
  const auto function = test::sum_of([](const Tensor& t) { return t; });
  BOOST_CHECK_EXCEPTION(function.weighted_layers(x), Error, says({"function", "give adapt() the module"}));
  BOOST_CHECK_EXCEPTION(AnyModel(Bare{}).weighted_layers(x), Error, says({"weighted_layers(images)"}));
  BOOST_CHECK_EXCEPTION(AnyModel(Bare{}).shuffled({}, 0), Error, says({"shuffled(layers, seed)"}));
  torch::jit::Module plain("Plain");
  plain.define("def forward(self, x):\n  return x.flatten(1)\n");
  BOOST_CHECK_EXCEPTION(adapt(plain).weighted_layers(x), Error, says({"no weights"}));
}

BOOST_AUTO_TEST_SUITE_END()
