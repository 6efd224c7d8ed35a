// The ways in which a model can be run: what they give, against the network as it is; and which is chosen.
#include <boost/test/unit_test.hpp>

#include <pellucid/activation/patch_scan.hpp>
#include <pellucid/attack/methods/fgsm.hpp>
#include <pellucid/attribution/methods/grad_cam.hpp>
#include <pellucid/attribution/methods/integrated_gradients.hpp>
#include <pellucid/attribution/methods/layer_activation.hpp>
#include <pellucid/attribution/methods/occlusion.hpp>
#include <pellucid/attribution/methods/score_cam.hpp>
#include <pellucid/attribution/methods/smoothgrad.hpp>
#include <pellucid/model/any_model.hpp>
#include <pellucid/model/predict.hpp>
#include <pellucid/model/script.hpp>
#include <pellucid/model/zoo/cifar_resnet.hpp>
#include <pellucid/model/zoo/convnext.hpp>
#include <pellucid/model/zoo/mobilenet_v2.hpp>
#include <pellucid/model/zoo/resnet.hpp>
#include <pellucid/model/zoo/vgg.hpp>

#include <ATen/record_function.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <memory>
#include <thread>
#include <type_traits>

#include "image/temporary.hpp"
#include "support.hpp"

namespace {

using namespace pellucid;
using test::difference;
using test::relative_difference;
using test::some_images;

const Execution other_layout{.layout = Layout::channels_last};
const Execution folded{.folded = true};
const Execution both{.layout = Layout::channels_last, .folded = true};
const Execution half{.layout = Layout::channels_last, .precision = Precision::bfloat16, .folded = true};

/// A network whose batch norms have something to do, and how another is made. Ways of rounding are compared
/// in double: the gradient of a ReLU jumps at 0, and in float32 two ways find themselves on both sides of it
/// now and then.
template <class Network, class Options>
struct Made {
  explicit Made(Options given, torch::Dtype type = torch::kFloat) : options(given), network(seeded(options)) {
    network->to(type);
    const torch::NoGradGuard no_grad;
    for (auto& buffer : network->named_buffers()) {
      if (buffer.key().ends_with("running_mean")) buffer->normal_(0, 0.5);
      if (buffer.key().ends_with("running_var")) buffer->uniform_(0.5, 2);
    }
    for (auto& parameter : network->named_parameters())
      if (parameter->dim() == 1) parameter->uniform_(0.5, 1);
  }

  auto as(const Execution& how) const {
    return adapt(network.ptr(), imagenet_colours(), how,
                 [given = options] { return uninitialized<Network>(given).ptr(); });
  }

  static Network seeded(const Options& options) {
    torch::manual_seed(3);
    return Network(options);
  }

  static Preprocess imagenet_colours() {
    return {.mean = {0.485, 0.456, 0.406}, .std = {0.229, 0.224, 0.225}};
  }

  Options options;
  Network network;
};

const ConvNeXtOptions small_convnext{.depths = {1, 1}, .widths = {8, 16}, .classes = 7, .layer_scale = 0.7};

const ResNetOptions small_resnet{.depths = {1, 1}, .bottleneck = false, .classes = 7};

const Made<ResNet, ResNetOptions>& resnet() {
  static const Made<ResNet, ResNetOptions> one(small_resnet);
  return one;
}

template <class Model>
Tensor gradient_of(const Model& model, const Images& images) {
  return Attribution<Gradient>()(model, images, Class{2}).attribution;
}

/// How often an operator runs while images go through a model.
template <class Model>
int runs_of(const std::string& name, const Model& model, const Images& images) {
  thread_local int count = 0;
  thread_local std::string wanted;
  count = 0;
  wanted = name;
  const auto handle = at::addThreadLocalCallback(
      at::RecordFunctionCallback([](const at::RecordFunction& run) -> std::unique_ptr<at::ObserverContext> {
        count += wanted == run.name();
        return nullptr;
      }));
  model(images);
  at::removeCallback(handle);
  return count;
}

/// Whether this processor has convolutions in bfloat16 here: LibTorch 1.13 has none without AVX-512.
bool has_bfloat16() {
  try {
    const auto bfloat16 = torch::TensorOptions(torch::kBFloat16);
    const Tensor x = torch::ones({1, 1, 4, 4}, bfloat16).requires_grad_();
    torch::conv2d(x, torch::ones({1, 1, 3, 3}, bfloat16)).sum().backward();
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

/// ‖a − b‖ / ‖b‖
double distance(const Tensor& a, const Tensor& b) {
  return (a - b).norm().item<double>() / b.norm().item<double>();
}

/// ‖standard error‖ / ‖A‖
double sampling_error(const Explanation& explained) {
  return explained.standard_error.norm().item<double>() / explained.attribution.norm().item<double>();
}

/// scores N×1, of a function that takes its time.
auto slow(Execution how, std::function<double(const Tensor&)> milliseconds, int& passes) {
  return adapt(test::Function([=, &passes](const Tensor& x) {
                 ++passes;
                 std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(milliseconds(x)));
                 return x.square().flatten(1).sum(1, true);
               }),
               unchanged(), how);
}

BOOST_AUTO_TEST_SUITE(model_execution)

BOOST_AUTO_TEST_CASE(a_batch_norm_folded_by_hand) {
  for (const bool bias : {false, true}) {
    pellucid::detail::Steps steps("place");
    steps.push_back(pellucid::detail::conv2d(1, 1, 1, {.bias = bias}));
    steps.push_back(pellucid::detail::batch_norm(1));
    steps.eval();
    const torch::NoGradGuard no_grad;
    for (auto& value : steps.named_parameters()) value->fill_(value.key() == "1.weight" ? 3 : 1);
    steps.named_parameters()["0.weight"].fill_(2);
    if (bias) steps.named_parameters()["0.bias"].fill_(5);
    steps.named_buffers()["1.running_mean"].fill_(4);
    steps.named_buffers()["1.running_var"].fill_(0.25 - 1e-5);
    const Tensor x = some_images({2, 1, 3, 3});
    // (2x + b − 4) / √0.25 · 3 + 1
    const Tensor expected = 12 * x + (bias ? 7 : -23);
    BOOST_TEST(difference(steps.forward(x), expected) < 1e-5);
    BOOST_TEST((steps.fold() == std::vector<std::string>{"place.0"}));
    BOOST_TEST(difference(steps.forward(x), expected) < 1e-5);
    BOOST_TEST(steps.fold().empty());
  }
}

BOOST_AUTO_TEST_CASE(folded_or_in_another_layout_it_is_the_same_network) {
  const auto compare = [&]<class Network, class Options>(std::type_identity<Network>, const Options& options,
                                                         int batch_norms) {
    const Made<Network, Options> made(options), exact(options, torch::kDouble);
    const Images images = some_images({3, 3, 64, 64}), exact_images = images.to(torch::kDouble);
    const auto plain = made.as({}), exact_plain = exact.as({});
    BOOST_TEST(runs_of("aten::batch_norm", plain, images) == batch_norms);
    const Tensor scores = plain(images), gradient = gradient_of(exact_plain, exact_images);
    for (const Execution& how : {other_layout, folded, both}) {
      const auto model = made.as(how);
      BOOST_TEST(runs_of("aten::batch_norm", model, images) == (how.folded ? 0 : batch_norms));
      BOOST_TEST(relative_difference(model(images), scores) < 2e-5);
      BOOST_TEST(distance(gradient_of(exact.as(how), exact_images), gradient) < 1e-10);
    }
    BOOST_TEST(difference(plain(images), scores) == 0);
  };
  compare(std::type_identity<ResNet>(), small_resnet, 6);
  compare(std::type_identity<ResNet>(), ResNetOptions{.depths = {1, 1}, .classes = 7}, 9);
  compare(std::type_identity<MobileNetV2>(), MobileNetV2Options{.classes = 7}, 52);
  compare(std::type_identity<CifarResNet>(), CifarResNetOptions{.blocks = 1}, 7);
  compare(std::type_identity<ConvNeXt>(), small_convnext, 0);
}

BOOST_AUTO_TEST_CASE(the_scale_of_a_convnext_block_is_folded) {
  const Made<ConvNeXt, ConvNeXtOptions> made(small_convnext);
  const Images images = some_images({2, 3, 64, 64});
  const auto plain = made.as({}), model = made.as(folded);
  BOOST_TEST(runs_of("aten::mul", plain, images) == 2);
  BOOST_TEST(relative_difference(model(images), plain(images)) < 2e-5);  // the first pass folds
  BOOST_TEST(runs_of("aten::mul", model, images) == 0);
  BOOST_TEST(model.layers(images).size() == plain.layers(images).size());
  for (const LayerInfo& layer : plain.layers(images))
    BOOST_TEST(relative_difference(model.activation(images, layer.name),
                                   plain.activation(images, layer.name)) < 2e-5,
               layer.name);
}

BOOST_AUTO_TEST_CASE(every_layer_can_still_be_seen) {
  const Images images = some_images({2, 3, 64, 64});
  const auto plain = resnet().as({}), model = resnet().as(both);
  const auto layers = plain.layers(images);
  BOOST_TEST(layers.size() > 15);
  BOOST_TEST(model.layers(images).size() == layers.size());
  for (const LayerInfo& layer : layers)
    BOOST_TEST(relative_difference(model.activation(images, layer.name),
                                   plain.activation(images, layer.name)) < 2e-5,
               layer.name);
}

BOOST_AUTO_TEST_CASE(the_methods_give_the_same_maps) {
  const Images images = some_images({2, 3, 64, 64}).to(torch::kDouble);
  const Made<ResNet, ResNetOptions> made(small_resnet, torch::kDouble);
  const auto plain = made.as({}), model = made.as(both);
  const auto compare = [&](const auto& method) {
    const Tensor expected = method(plain, images, Class{{1, 2}}).attribution;
    const Tensor found = method(model, images, Class{{1, 2}}).attribution;
    BOOST_TEST(found.is_contiguous());
    BOOST_TEST(distance(found, expected) < 1e-10);
  };
  compare(Attribution<SmoothGrad>({.samples = 5}));
  compare(Attribution<IntegratedGradients>({.steps = 5}));
  compare(Attribution<GradCAM>({.relu = false}));
  compare(Attribution<GradCAM>({.layer = "layer1.0.conv1"}));
  compare(Attribution<ScoreCAM>({.layer = "maxpool"}));
  compare(Attribution<LayerActivation>({.layer = "layer2.0.conv1"}));
  compare(Attribution<Occlusion>({.window = 32, .stride = 16}));
}

/// A model that sees what it is given, and brings it into no other order.
struct Seeing {
  Layout layout = Layout::contiguous;
  bool* all = nullptr;

  Tensor operator()(const Images& images) const {
    *all &= images.is_contiguous(layout == Layout::contiguous ? torch::MemoryFormat::Contiguous
                                                              : torch::MemoryFormat::ChannelsLast);
    return images.square().flatten(1).sum(1, true);
  }
  Execution execution() const { return {.layout = layout}; }
};

BOOST_AUTO_TEST_CASE(variants_of_images_are_made_in_the_layout) {
  for (const Layout layout : {Layout::contiguous, Layout::channels_last}) {
    bool all = true;
    const Seeing model{layout, &all};
    for (const bool already : {false, true}) {
      Images images = some_images({2, 3, 6, 5});
      if (already) images = images.contiguous(torch::MemoryFormat::ChannelsLast);
      const auto smooth = Attribution<SmoothGrad>({.samples = 4})(model, images, Class{0});
      BOOST_TEST(difference(smooth.attribution, 2 * images) < 1e-6);
      BOOST_TEST(smooth.images.is_contiguous());
      Attribution<IntegratedGradients>({.steps = 3})(model, images, Class{0});
      Attribution<Occlusion>()(model, images, Class{0});
      const auto attacked = Attack<FGSM>()(model, images, Class{0});
      BOOST_TEST(attacked.images.is_contiguous());
      BOOST_TEST(attacked.original.is_contiguous());
    }
    BOOST_TEST(all);
  }
}

BOOST_AUTO_TEST_CASE(the_network_gets_its_images_in_its_layout) {
  bool all = true;
  const auto model = adapt(test::Function([&](const Tensor& x) {
                             all &= x.is_contiguous(torch::MemoryFormat::ChannelsLast);
                             return x.square().flatten(1).sum(1, true);
                           }),
                           unchanged(), other_layout);
  predict(model, some_images({2, 3, 6, 5}));
  model.observe(some_images({2, 3, 6, 5}), {""});
  BOOST_TEST(all);
}

BOOST_AUTO_TEST_CASE(what_is_prepared_without_a_graph_has_one_later) {
  const Images images = some_images({1, 3, 64, 64}).to(torch::kDouble);
  const Made<ResNet, ResNetOptions> made(small_resnet, torch::kDouble);
  const Tensor expected = gradient_of(made.as({}), images);
  const auto model = made.as(both);
  {
    const c10::InferenceMode no_graph;
    model(images);
    model.activation(images, "conv1");
  }
  BOOST_TEST(distance(gradient_of(model, images), expected) < 1e-10);
}

BOOST_AUTO_TEST_CASE(a_model_within_another_is_measured_unseen) {
  const Images images = some_images({1, 3, 64, 64});
  const auto around = [](const auto& inner) {
    return adapt([inner](const Tensor& x) { return inner(x).log_softmax(1); });
  };
  const auto expected = around(resnet().as({})).layers(images);
  const auto found = around(resnet().as({.micro_batch = 0})).layers(images);
  BOOST_REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    BOOST_TEST(found[i].name == expected[i].name);
    BOOST_TEST(found[i].shape == expected[i].shape, boost::test_tools::per_element());
  }
  // A convolution that took over a batch norm is no layer any more.
  const auto prepared = around(resnet().as(folded));
  BOOST_CHECK_THROW(prepared.activation(images, "conv1"), Error);
  BOOST_TEST(relative_difference(prepared.activation(images, "bn1"),
                                 resnet().as({}).activation(images, "bn1")) < 2e-5);
}

BOOST_AUTO_TEST_CASE(a_scan_that_goes_on_is_not_measured) {
  BOOST_CHECK_EXCEPTION(
      pellucid::detail::scan_plan(resnet().as(Execution::automatic()), {64, 64}, {"layer1"}), Error,
      [](const Error& error) { return std::string(error.what()).find("automatic") != std::string::npos; });
  const auto text = pellucid::detail::scan_plan(resnet().as(half), {64, 64}, {"", "layer1"}).execution;
  const std::string type = has_bfloat16() ? "BFloat16" : "Float";
  BOOST_TEST(text.find(type + ", channels last, folded") != std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(bfloat16_is_near) {
  const Images images = some_images({2, 3, 64, 64});
  const auto plain = resnet().as({}), model = resnet().as(half);
  const auto explained = Attribution<SmoothGrad>({.samples = 6})(model, images, Class{1});
  BOOST_TEST(explained.notices.empty());
  BOOST_TEST(explained.attribution.scalar_type() == torch::kFloat);
  const Tensor expected = Attribution<SmoothGrad>({.samples = 6})(plain, images, Class{1}).attribution;
  BOOST_TEST(distance(explained.attribution, expected) < 0.5 * sampling_error(explained));
  if (has_bfloat16()) BOOST_TEST(distance(explained.attribution, expected) > 1e-5);
  BOOST_TEST(model(images).scalar_type() == torch::kFloat);
  BOOST_TEST(distance(model(images), plain(images)) < 0.02);
  for (const std::string layer : {"conv1", "layer2", "fc"}) {
    const Tensor seen = model.activation(images, layer);
    BOOST_TEST(seen.scalar_type() == torch::kFloat);
    BOOST_TEST(distance(seen, plain.activation(images, layer)) < 0.02, layer);
  }
  // An objective of one's own, whose numbers are rounded to few bits.
  Attribution<Gradient>()(model, images, [](const auto& m, const Images& x) { return m(x).select(1, 3); });
  const auto cam = Attribution<GradCAM>({.relu = false});
  BOOST_TEST(distance(cam(model, images, Class{1}).attribution, cam(plain, images, Class{1}).attribution) <
             0.05);
}

BOOST_AUTO_TEST_CASE(where_bfloat16_cannot_be_it_is_said) {
  const Images images = some_images({2, 3, 32, 32});
  const auto plain = test::small_net();
  const auto model =
      adapt(std::make_shared<test::SmallNet>(), unchanged(), {.precision = Precision::bfloat16});
  const SettledExecution how = model.execution(images);
  BOOST_TEST((how.precision == Precision::float32));
  BOOST_TEST(how.micro_batch == 8);
  BOOST_TEST(how.notice.find("float32") != std::string::npos);
  BOOST_TEST(how.notice.find("by its fourth argument") != std::string::npos, how.notice);
  const auto function =
      adapt(test::Function([](const Tensor& x) { return x.flatten(1); }), unchanged(), model.execution());
  BOOST_TEST(function.execution(images).notice.find("it is a function") != std::string::npos);
  const auto explained = Attribution<SmoothGrad>({.samples = 4})(model, images, Class{1});
  BOOST_TEST(difference(explained.attribution,
                        Attribution<SmoothGrad>({.samples = 4})(plain, images, Class{1}).attribution) == 0);

  // An operator without a backward pass in it, in LibTorch 1.13.
  bool lacks = false;
  try {
    const Tensor x = torch::rand({2, 2}).to(torch::kBFloat16).requires_grad_();
    torch::hardtanh(x, 0, 6).sum().backward();
  } catch (const c10::Error&) {
    lacks = true;
  }
  const Made<MobileNetV2, MobileNetV2Options> mobile({.classes = 7});
  BOOST_TEST(mobile.as(half).execution(images).notice.empty() == !lacks);
  const double off = distance(gradient_of(mobile.as(half), images), gradient_of(mobile.as(both), images));
  BOOST_TEST(off < (lacks ? 1e-6 : 0.2));
}

BOOST_AUTO_TEST_CASE(what_is_automatic_is_measured_once_for_each_shape) {
  int passes = 0;
  const auto contiguous_is_slow = [](const Tensor& x) {
    return x.is_contiguous(torch::MemoryFormat::ChannelsLast) ? 0.0 : 2.0 * double(x.size(0));
  };
  const auto model = slow(Execution::automatic(), contiguous_is_slow, passes);
  const Images images = some_images({2, 3, 8, 8});
  {
    const c10::InferenceMode no_graph;  // of the caller
    BOOST_TEST((model.execution(images).layout == Layout::channels_last));
  }
  BOOST_TEST((model.execution(images).precision == Precision::float32));  // a function has no other
  BOOST_TEST(model.execution(images).notice.empty());
  const int measured = passes;
  BOOST_TEST(measured > 4);
  model.execution(images.narrow(0, 0, 1));
  model.at_any_size().execution(images);
  const auto copy = model;
  copy.execution(images);
  BOOST_TEST(passes == measured);
  model.execution(some_images({1, 3, 4, 4}));
  BOOST_TEST(passes > measured);
  BOOST_TEST(AnyModel(model).execution(images).micro_batch == model.execution(images).micro_batch);
  BOOST_TEST(AnyModel(model).execution().micro_batch == 0);

  const auto images_are_slow = [](const Tensor& x) {
    return x.is_contiguous(torch::MemoryFormat::ChannelsLast) && x.size(0) > 1 ? 2.0 * double(x.size(0)) : 0;
  };
  BOOST_TEST(
      (slow(Execution::automatic(), images_are_slow, passes).execution(images).layout == Layout::contiguous));
  // Images without places have no layout to choose.
  BOOST_TEST((slow(Execution::automatic(), images_are_slow, passes).execution(some_images({2, 9})).layout ==
              Layout::contiguous));
}

BOOST_AUTO_TEST_CASE(a_layout_that_is_far_behind_is_not_measured_again) {
  int passes = 0, behind = 0;
  const auto much_slower = [&](const Tensor& x) {
    if (x.is_contiguous(torch::MemoryFormat::ChannelsLast)) return 4.0;
    ++behind;
    return 40.0 * double(x.size(0));
  };
  const auto model = slow({.micro_batch = 4, .layout = Layout::automatic}, much_slower, passes);
  BOOST_TEST((model.execution(some_images({2, 3, 8, 8})).layout == Layout::channels_last));
  BOOST_TEST(behind == 2);  // the first pass, which is slower anyway, and one more
  BOOST_TEST(passes == 4);
  const auto a_little_slower = [&](const Tensor& x) {
    return x.is_contiguous(torch::MemoryFormat::ChannelsLast) ? 40.0 : 50.0;
  };
  passes = 0;
  const auto other = slow({.micro_batch = 4, .layout = Layout::automatic}, a_little_slower, passes);
  BOOST_TEST((other.execution(some_images({2, 3, 8, 8})).layout == Layout::channels_last));
  BOOST_TEST(passes == 8);
}

BOOST_AUTO_TEST_CASE(layouts_that_are_hard_to_tell_apart_are_measured_longer) {
  int passes = 0;
  const auto hardly_slower = [](const Tensor& x) {
    return x.is_contiguous(torch::MemoryFormat::ChannelsLast) ? 40.0 : 41.0;
  };
  const auto model = slow({.micro_batch = 4, .layout = Layout::automatic}, hardly_slower, passes);
  model.execution(some_images({2, 3, 8, 8}));
  BOOST_TEST(passes == 22);  // a first one and ten, of each
}

BOOST_AUTO_TEST_CASE(the_micro_batch_grows_while_that_helps) {
  int passes = 0;
  const Images images = some_images({2, 3, 4, 4});
  const auto grows = [&](std::function<double(const Tensor&)> milliseconds, const Images& of) {
    const auto model = slow({.micro_batch = 0}, std::move(milliseconds), passes);
    return model.execution(of).micro_batch;
  };
  BOOST_TEST(grows([](const Tensor&) { return 8.0; }, images) == 32);
  BOOST_TEST(grows([](const Tensor& x) { return 0.5 * double(x.size(0) * x.size(0)); }, images) == 4);
  BOOST_TEST(grows([](const Tensor& x) { return x.size(0) <= 8 ? 6.0 : 30.0; }, images) == 8);
  // Where passes are long it is not measured: 16, and fewer of large images.
  const auto long_passes = [](const Tensor& x) { return 70.0 * double(x.size(0)); };
  BOOST_TEST(grows(long_passes, images) == 16);
  BOOST_TEST(grows(long_passes, some_images({2, 3, 448, 224})) == 8);
}

/// Sums of images, in so many milliseconds: of bfloat16, and of others.
struct Timed : torch::nn::Module {
  Timed(double given_bfloat16, double given_others) : bfloat16(given_bfloat16), others(given_others) {
    weight = register_parameter("weight", torch::ones({1}));
  }
  Tensor forward(const Tensor& x) {
    const double milliseconds = x.scalar_type() == torch::kBFloat16 ? bfloat16 : others;
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(milliseconds));
    return (x * weight).flatten(1).sum(1, true);
  }
  double bfloat16, others;
  Tensor weight{};
};

BOOST_AUTO_TEST_CASE(bfloat16_has_to_be_worth_it) {
  const auto chosen = [](double bfloat16, double others) {
    const auto make = [=] { return std::make_shared<Timed>(bfloat16, others); };
    const auto model =
        adapt(make(), unchanged(),
              {.micro_batch = 1, .layout = Layout::contiguous, .precision = Precision::automatic}, make);
    return model.execution(some_images({1, 3, 4, 4})).precision;
  };
  BOOST_TEST((chosen(20, 40) == Precision::bfloat16));
  BOOST_TEST((chosen(39, 40) == Precision::float32));
  BOOST_TEST((chosen(40, 20) == Precision::float32));
}

BOOST_AUTO_TEST_CASE(a_model_that_cannot_be_run_tells_why_itself) {
  const auto model =
      adapt(test::Function([](const Tensor&) -> Tensor { TORCH_CHECK(false, "no such thing"); }), unchanged(),
            Execution::automatic());
  BOOST_CHECK_EXCEPTION(predict(model, some_images({1, 3, 4, 4})), Error, [](const Error& error) {
    return std::string(error.what()).find("no such thing") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(what_was_prepared_follows_the_network) {
  const Images images = some_images({2, 3, 64, 64});
  const Made<ResNet, ResNetOptions> made({.depths = {1}, .bottleneck = false, .classes = 7});
  const auto plain = made.as({}), model = made.as(both);
  const Tensor before = model(images);
  {
    const torch::NoGradGuard no_grad;
    made.network->named_parameters()["conv1.weight"].mul_(2);
  }
  BOOST_TEST(relative_difference(model(images), plain(images)) < 2e-5);
  BOOST_TEST(relative_difference(model(images), before) > 1e-3);
  // As optimizers do, past LibTorch's own count of what was written.
  made.network->named_parameters()["fc.weight"].data().mul_(3);
  BOOST_TEST(relative_difference(model(images), plain(images)) < 2e-5);
  made.network->named_parameters()["bn1.weight"].set_data(torch::full({64}, 0.25));
  BOOST_TEST(relative_difference(model(images), plain(images)) < 2e-5);

  const std::vector<std::string> layers{"layer1.0.conv1", "fc"};
  BOOST_TEST(relative_difference(model.shuffled(layers, 5)(images), plain.shuffled(layers, 5)(images)) <
             2e-5);
  BOOST_TEST(relative_difference(model(images), plain(images)) < 2e-5);
}

BOOST_AUTO_TEST_CASE(torchscript_files_are_run_in_all_of_them) {
  const std::filesystem::path file =
      std::filesystem::path(PELLUCID_TEST_REFERENCE) / "layers" / "resnet18.scripted.pt";
  if (!std::filesystem::exists(file)) {
    BOOST_TEST_MESSAGE("passed over: there is no " << file << "; python3-torchvision makes it");
    return;
  }
  const Images images = some_images({2, 3, 64, 64});
  const auto plain = load_script(file);
  const Tensor scores = plain(images);
  const TemporaryFolder folder;
  const std::filesystem::path exact = folder.path() / "exact.pt";
  torch::jit::Module module = torch::jit::load(file.string());
  module.to(torch::kDouble);
  module.save(exact.string());
  const Images exact_images = images.to(torch::kDouble);
  const Tensor gradient = gradient_of(load_script(exact), exact_images);
  for (const Execution& how : {other_layout, folded, both}) {
    const auto model = load_script(file, unchanged(), how);
    BOOST_TEST(runs_of("aten::batch_norm", model, images) == (how.folded ? 0 : 20));
    BOOST_TEST(relative_difference(model(images), scores) < 2e-5);
    BOOST_TEST(distance(gradient_of(load_script(exact, unchanged(), how), exact_images), gradient) < 1e-10);
    for (const std::string layer : {"conv1", "bn1", "layer1.0.conv1", "layer4"})
      BOOST_TEST(relative_difference(model.activation(images, layer), plain.activation(images, layer)) < 2e-5,
                 layer);
  }
  const auto model = load_script(file, unchanged(), half);
  BOOST_TEST(model.execution(images).notice.empty() == has_bfloat16());
  BOOST_TEST(distance(model(images), scores) < 0.03);
  const auto smooth = Attribution<SmoothGrad>({.samples = 20});
  const auto explained = smooth(model, images, Class{2});
  BOOST_TEST(distance(explained.attribution, smooth(plain, images, Class{2}).attribution) <
             0.5 * sampling_error(explained));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
