// Layers of C++ modules written as any user would, with and without marks.
#include <boost/test/unit_test.hpp>

#include <pellucid/model/adapt.hpp>
#include <pellucid/model/predict.hpp>

#include <torch/nn.h>

#include <atomic>
#include <cmath>
#include <thread>

namespace {

using namespace pellucid;
namespace nn = torch::nn;

bool close(const Tensor& a, const Tensor& b) {
  return torch::allclose(a, b, 1e-5, 1e-6);
}

std::vector<std::string> names(const std::vector<LayerInfo>& layers) {
  std::vector<std::string> result;
  for (const LayerInfo& layer : layers) result.push_back(layer.name);
  return result;
}

/// Counts the operators that run while it lives.
struct OperatorCount {
  OperatorCount()
      : handle(at::addThreadLocalCallback(at::RecordFunctionCallback([](const at::RecordFunction&) {
                                            ++count();
                                            return std::unique_ptr<at::ObserverContext>();
                                          }).scopes({at::RecordScope::FUNCTION}))) {
    count() = 0;
  }
  ~OperatorCount() { at::removeCallback(handle); }
  static int& count() {
    thread_local int operators = 0;
    return operators;
  }
  at::CallbackHandle handle;
};

/// conv, batch norm, in-place ReLU, conv, batch norm, shortcut; no marks. What each place gave is kept.
struct ResidualImpl : nn::Module {
  ResidualImpl() {
    conv1 = register_module("conv1", nn::Conv2d(nn::Conv2dOptions(3, 4, 3).padding(1).bias(false)));
    bn1 = register_module("bn1", nn::BatchNorm2d(4));
    conv2 = register_module("conv2", nn::Conv2d(nn::Conv2dOptions(4, 3, 3).padding(1)));
    fc = register_module("fc", nn::Linear(3, 5));
  }
  Tensor forward(Tensor x) {
    Tensor y = conv1->forward(x);
    saw["conv1"] = y.detach().clone();
    y = bn1->forward(y);
    saw["bn1"] = y.detach().clone();
    torch::relu_(y);
    y = conv2->forward(y);
    saw["conv2"] = y.detach().clone();
    y += x;
    return fc->forward(torch::relu_(y).mean({2, 3}));
  }
  nn::Conv2d conv1{nullptr}, conv2{nullptr};
  nn::BatchNorm2d bn1{nullptr};
  nn::Linear fc{nullptr};
  std::map<std::string, Tensor> saw;
};
TORCH_MODULE(Residual);

/// A ConvNeXt block: depthwise convolution, layer norm, two linear layers, layer scale, shortcut.
struct ConvNeXtBlockImpl : nn::Module {
  ConvNeXtBlockImpl() {
    depthwise = register_module("depthwise", nn::Conv2d(nn::Conv2dOptions(8, 8, 7).padding(3).groups(8)));
    norm = register_module("norm", nn::LayerNorm(nn::LayerNormOptions({8})));
    expand = register_module("expand", nn::Linear(8, 32));
    project = register_module("project", nn::Linear(32, 8));
    layer_scale = register_parameter("layer_scale", torch::rand({8, 1, 1}));
  }
  Tensor forward(const Tensor& x) {
    Tensor y = depthwise->forward(x).permute({0, 2, 3, 1});
    y = project->forward(torch::gelu(expand->forward(norm->forward(y))));
    scaled = layer_scale * y.permute({0, 3, 1, 2});
    return x + scaled;
  }
  nn::Conv2d depthwise{nullptr};
  nn::LayerNorm norm{nullptr};
  nn::Linear expand{nullptr}, project{nullptr};
  Tensor layer_scale, scaled;
};
TORCH_MODULE(ConvNeXtBlock);

struct AttentionImpl : nn::Module {
  AttentionImpl() {
    attention = register_module("attention", nn::MultiheadAttention(8, 2));
    head = register_module("head", nn::Linear(8, 3));
  }
  Tensor forward(const Tensor& tokens) {  // N×T×8
    const Tensor t = tokens.transpose(0, 1);
    attended = std::get<0>(attention->forward(t, t, t));
    return head->forward(attended.mean(0));
  }
  nn::MultiheadAttention attention{nullptr};
  nn::Linear head{nullptr};
  Tensor attended;
};
TORCH_MODULE(Attention);

/// A linear layer by hand, of parameters of its own; a module used twice; a branch on the batch size.
struct OddImpl : nn::Module {
  OddImpl() {
    weight = register_parameter("weight", torch::rand({4, 4}));
    bias = register_parameter("bias", torch::rand({4}));
    twice = register_module("twice", nn::Linear(4, 4));
  }
  Tensor forward(const Tensor& x) {
    Tensor y = nn::functional::linear(x, weight, bias);
    y = twice->forward(torch::relu(twice->forward(y)));
    return x.size(0) > 1 ? y * 2 : y;
  }
  Tensor weight, bias;
  nn::Linear twice{nullptr};
};
TORCH_MODULE(Odd);

struct MarkedImpl : nn::Module {
  MarkedImpl() {
    stem = register_module("stem", nn::Sequential(nn::Conv2d(3, 4, 3), nn::ReLU()));
    body = register_module("body", nn::Sequential(nn::Conv2d(4, 4, 3), nn::ReLU(), nn::Conv2d(4, 4, 3)));
    head = register_module("head", nn::Linear(4, 2));
  }
  Tensor forward(Tensor x) {
    x = mark("stem", stem->forward(x));
    x = mark("body", body->forward(x));
    return mark("head", head->forward(x.mean({2, 3})));
  }
  nn::Sequential stem{nullptr}, body{nullptr};
  nn::Linear head{nullptr};
};
TORCH_MODULE(Marked);

/// A convolution whose weight is computed in each pass, and no bias.
struct EqualizedImpl : nn::Module {
  EqualizedImpl() {
    conv = register_module("conv", std::make_shared<Scaled>());
    head = register_module("head", nn::Linear(4, 2));
  }
  Tensor forward(const Tensor& x) { return head->forward(conv->forward(x).mean({2, 3})); }

  struct Scaled : nn::Module {
    Scaled() { weight = register_parameter("weight", torch::rand({4, 3, 3, 3})); }
    Tensor forward(const Tensor& x) { return torch::conv2d(x, weight * 0.5); }
    Tensor weight;
  };
  std::shared_ptr<Scaled> conv;
  nn::Linear head{nullptr};
};
TORCH_MODULE(Equalized);

std::string message(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(model_module)

BOOST_AUTO_TEST_CASE(residual_network_with_in_place_operators) {
  Residual network;
  network->eval();
  const auto model = adapt(network);
  const Tensor x = torch::rand({2, 3, 8, 8}).requires_grad_();
  const std::vector<std::string> all{"conv1", "bn1", "conv2", "fc"};
  BOOST_TEST(names(model.layers(x)) == all);
  const auto seen = model.observe(x, {"conv1", "bn1", "conv2", ""});
  BOOST_TEST(close(seen[0], network->saw["conv1"]));
  BOOST_TEST(close(seen[1], network->saw["bn1"]));  // before the ReLU that overwrites it
  BOOST_TEST(close(seen[2], network->saw["conv2"]));
  BOOST_TEST(close(seen[3], model(x)));
  // The gradient is that of the layer's output, before it was overwritten: where the ReLU is off it is zero.
  const Tensor gradient = torch::autograd::grad({seen[3].sum()}, {seen[1]}, {}, true)[0];
  BOOST_TEST(gradient.masked_select(seen[1] < 0).abs().max().item<float>() == 0);
  BOOST_TEST(gradient.masked_select(seen[1] > 0).abs().max().item<float>() > 0);
  // …and the layer itself leads on to the images.
  BOOST_TEST(torch::autograd::grad({seen[1].sum()}, {x})[0].abs().max().item<float>() > 0);
}

BOOST_AUTO_TEST_CASE(convnext_block_with_layer_scale) {
  ConvNeXtBlock block;
  const auto model = adapt(block);
  const Tensor x = torch::rand({2, 8, 9, 9});
  const std::vector<std::string> all{"depthwise", "norm", "expand", "project", "layer_scale"};
  BOOST_TEST(names(model.layers(x)) == all);
  BOOST_TEST(close(model.activation(x, "layer_scale"), block->scaled));
  BOOST_TEST(close(model.activation(x, "depthwise"), block->depthwise->forward(x)));
}

BOOST_AUTO_TEST_CASE(multi_head_attention) {
  Attention network;
  const auto model = adapt(network);
  const Tensor x = torch::rand({2, 5, 8});
  const auto layers = names(model.layers(x));
  BOOST_TEST(std::count(layers.begin(), layers.end(), "attention.out_proj") == 1);
  const Tensor out = model.activation(x, "attention.out_proj");
  BOOST_TEST(close(out.view_as(network->attended), network->attended));
}

BOOST_AUTO_TEST_CASE(functional_linear_a_module_called_twice_and_a_branch) {
  Odd network;
  const auto model = adapt(network);
  for (const int batch : {1, 3}) {
    const Tensor x = torch::rand({batch, 4});
    const Tensor first = nn::functional::linear(x, network->weight, network->bias);
    const Tensor once = network->twice->forward(first);
    BOOST_TEST(close(model.activation(x, "twice#1"), once));
    BOOST_TEST(close(model.activation(x, "twice#2"), network->twice->forward(torch::relu(once))));
    BOOST_TEST(close(model(x), network->forward(x)));
  }
  const std::string text = message([&] { model.activation(torch::rand({1, 4}), "twice"); });
  BOOST_TEST(
      text.find("called 2 times in one pass: say which call, 'twice#1' to 'twice#2'") != std::string::npos,
      text);
}

BOOST_AUTO_TEST_CASE(own_parameters_of_a_module_with_children_name_their_product) {
  Odd network;
  const Tensor x = torch::rand({2, 4});
  const Tensor expected = nn::functional::linear(x, network->weight, network->bias);
  BOOST_TEST(close(adapt(network).activation(x, "weight"), expected));
}

BOOST_AUTO_TEST_CASE(marks_name_containers_and_end_the_pass) {
  Marked network;
  const auto model = adapt(network);
  const Tensor x = torch::rand({2, 3, 9, 9});
  BOOST_TEST(close(model.activation(x, "stem"), network->stem->forward(x)));
  BOOST_TEST(close(model.activation(x, "body"), network->body->forward(network->stem->forward(x))));
  BOOST_TEST(close(model.activation(x, "head"), model(x)));

  const auto operators = [&](const std::string& layer) {
    const OperatorCount counting;
    model.activation(x, layer);
    return OperatorCount::count();
  };
  const int stem = operators("stem"), body = operators("body"), head = operators("head");
  BOOST_TEST(stem < body);
  BOOST_TEST(body < head);
  int convolutions = 0;
  for (const LayerInfo& layer : model.layers(x)) convolutions += layer.kind == "Conv2d";
  BOOST_TEST(convolutions == 3);
}

BOOST_AUTO_TEST_CASE(a_mark_ends_the_pass_before_what_is_behind_it) {
  int behind = 0;
  const auto model = adapt([&](const Tensor& x) {
    const Tensor y = mark("first", x * 2);
    ++behind;
    return mark("second", y + 1);
  });
  const Tensor x = torch::ones({1, 2});
  model.layers(x);                // goes through
  model.activation(x, "second");  // learns the names in one more pass
  const int before = behind;
  BOOST_TEST(model.activation(x, "first")[0][0].item<float>() == 2);
  BOOST_TEST(behind == before);
  model.observe(x, {"first", ""});
  BOOST_TEST(behind == before + 1);
}

BOOST_AUTO_TEST_CASE(a_container_without_a_mark_is_refused_with_advice) {
  const nn::Sequential network(nn::Conv2d(3, 4, 3), nn::ReLU(), nn::Flatten(), nn::Linear(4 * 36, 2));
  const auto model = adapt(network);
  const std::string text = message([&] { model.activation(torch::rand({1, 3, 8, 8}), "1"); });
  BOOST_TEST(text.find("there is no layer '1'") != std::string::npos, text);
  BOOST_TEST(text.find("x = pellucid::mark(\"1\", x);") != std::string::npos, text);
  BOOST_TEST(text.find("The closest: 0 3") != std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(a_module_is_left_as_it_was) {
  Residual network;
  network->train();
  network->bn1->eval();
  const auto model = adapt(network);
  const Tensor mean = network->bn1->running_mean.clone();
  model(torch::rand({2, 3, 8, 8}));
  BOOST_TEST(network->is_training());
  BOOST_TEST(!network->bn1->is_training());
  BOOST_TEST(network->conv1->weight.requires_grad());
  BOOST_TEST(network->bn1->running_mean.equal(mean));
  network->bn1->train();
  model(torch::rand({2, 3, 8, 8}));
  BOOST_TEST(network->bn1->is_training());
  BOOST_TEST(network->bn1->running_mean.equal(mean));  // evaluated, not trained
}

BOOST_AUTO_TEST_CASE(a_weight_that_is_computed_is_no_layer) {
  Equalized network;
  const auto model = adapt(network);
  const Tensor x = torch::rand({2, 3, 8, 8});
  BOOST_TEST(names(model.layers(x)) == (std::vector<std::string>{"conv", "head"}));
  BOOST_TEST(close(model.activation(x, "conv"), network->conv->forward(x)));
}

BOOST_AUTO_TEST_CASE(layers_are_known_after_weights_were_replaced) {
  nn::Sequential network(nn::Conv2d(3, 4, 3), nn::ReLU(), nn::Conv2d(4, 4, 3));
  const auto model = adapt(network);
  const Tensor x = torch::rand({2, 3, 8, 8});
  const std::vector<std::string> both{"0", "2"};
  network->to(torch::kDouble);
  network->to(torch::kFloat);
  BOOST_TEST(names(model.layers(x)) == both);
  // All parameters as slices of one tensor.
  nn::utils::vector_to_parameters(nn::utils::parameters_to_vector(network->parameters()),
                                  network->parameters());
  BOOST_TEST(names(model.layers(x)) == both);
  BOOST_TEST(close(model.activation(x, "0"), network[0]->as<nn::Conv2d>()->forward(x)));
}

BOOST_AUTO_TEST_CASE(threads_may_share_a_model) {
  nn::Sequential network(nn::Flatten(), nn::Dropout(0.5), nn::Linear(12, 2));
  network->train();
  const auto model = adapt(network);
  const Tensor x = torch::rand({2, 12}), expected = model(x);
  std::atomic<int> wrong = 0;
  const auto work = [&] {
    for (int i = 0; i < 500; ++i) wrong += close(model(x), expected) ? 0 : 1;
  };
  std::thread first(work), second(work);
  first.join(), second.join();
  BOOST_TEST(wrong == 0);
  BOOST_TEST(network->is_training());
  BOOST_TEST(network[2]->as<nn::Linear>()->weight.requires_grad());
}

BOOST_AUTO_TEST_CASE(a_module_that_is_none_is_refused) {
  const std::string text = message([] { adapt(std::shared_ptr<ResidualImpl>()); });
  BOOST_TEST(text.find("null module") != std::string::npos, text);
  BOOST_TEST(message([] { adapt(Residual(nullptr)); }).find("empty module holder") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_no_model_can_look_at_is_refused_everywhere) {
  Residual network;
  const auto model = adapt(network);
  const auto refused = [&](const Tensor& x, const std::string& word) {
    for (const auto& call :
         {std::function<void()>([&] { model(x); }), std::function<void()>([&] { model.layers(x); }),
          std::function<void()>([&] { model.activation(x, "conv1"); })})
      BOOST_TEST(message(call).find(word) != std::string::npos, message(call));
  };
  refused(torch::rand({0, 3, 8, 8}), "empty batch");
  refused(torch::full({1, 3, 8, 8}, NAN), "NaN");
  refused(torch::rand({5}), "unsqueeze(0)");
}

BOOST_AUTO_TEST_CASE(a_model_that_overwrites_its_input_leaves_the_images) {
  const auto model = adapt([](const Tensor& x) { return Tensor(x).relu_().sum(1, true); });
  const Tensor x = torch::tensor({{-1.0F, 2.0F}});
  BOOST_TEST(model(x).item<float>() == 2);
  BOOST_TEST(x[0][0].item<float>() == -1);
  // Where the crop is a view of the image, and in a callable that is not adapted.
  const auto cropped = adapt([](const Tensor& y) { return Tensor(y).relu_().flatten(1); }, {.crop = 2});
  const Tensor image = torch::full({1, 3, 4, 4}, -1.0F);
  cropped(image);
  predict([](const Tensor& y) { return Tensor(y).relu_().flatten(1); }, image);
  BOOST_TEST(image.max().item<float>() == -1);
}

BOOST_AUTO_TEST_CASE(what_libtorch_refuses_is_said_in_a_line) {
  Residual network;
  const std::string text = message([&] { adapt(network)(torch::rand({2, 4, 8, 8})); });
  BOOST_TEST(text.find("the model could not be run on images of shape [2, 4, 8, 8]: ") == 0, text);
  BOOST_TEST(text.find('\n') == std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(preprocessing_is_part_of_the_model) {
  const auto model =
      adapt([](const Tensor& x) { return x.flatten(1); }, {.mean = {0.5, 0.25, 0}, .std = {2, 1, 0.5}});
  const Tensor scores = model(torch::ones({1, 3, 1, 1}));
  BOOST_TEST(close(scores, torch::tensor({{0.25F, 0.75F, 2.0F}})));
  const std::string text = message([&] { model(torch::ones({1, 4, 1, 1})); });
  BOOST_TEST(text.find("the images have 4 channels; this model normalizes 3") != std::string::npos, text);
}

BOOST_AUTO_TEST_SUITE_END()
