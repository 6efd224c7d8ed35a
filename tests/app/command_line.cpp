#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <pellucid/image/npy.hpp>
#include <pellucid/image/read.hpp>
#include <pellucid/image/write.hpp>
#include <pellucid/model/weights/load.hpp>
#include <pellucid/model/weights/safetensors.hpp>
#include <pellucid/model/zoo/vgg.hpp>

#include "app/shell.hpp"

using namespace pellucid;
using nlohmann::json;

namespace {

const std::string commands[] = {"activations", "attack", "classify", "dream",   "explain", "explore",
                                "gallery",     "invert", "layers",   "patches", "shapes"};

Tensor gradient_of_class(std::int64_t label) {
  return 2 * weights()[label].view({1, 3, 2, 2});
}

/// softmax of the scores of `image()`
Tensor probabilities() {
  return torch::softmax((2 * image()).flatten(1).to(torch::kDouble).matmul(weights().to(torch::kDouble).t()),
                        1)[0];
}

}  // namespace

BOOST_AUTO_TEST_SUITE(app_command_line)

BOOST_AUTO_TEST_CASE(help_on_every_level) {
  const Shell shell;
  const Outcome top = shell.run("--help");
  BOOST_TEST(top.code == 0);
  BOOST_TEST(top.err == "");
  for (const std::string& command : commands) {
    BOOST_TEST(top.out.find("\n  " + command) != std::string::npos);
    const Outcome help = shell.run(command + " --help");
    BOOST_TEST(help.code == 0);
    BOOST_TEST(help.err == "");
    BOOST_TEST(help.out.find("Usage: pellucid " + command) != std::string::npos);
    BOOST_TEST(help.out.find(command == "gallery" || command == "shapes" ? "--out" : "--model") !=
               std::string::npos);
    BOOST_TEST(help.out.find("Examples:\n  pellucid " + command) != std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_command_is_answered_with_the_list) {
  const Shell shell;
  shell.refused(
      "", {"no command",
           "activations, attack, classify, dream, explain, explore, gallery, invert, layers, patches, shapes",
           "--help"});
  shell.refused(
      "explian --model net.pt",
      {"'explian'",
       "activations, attack, classify, dream, explain, explore, gallery, invert, layers, patches, shapes"});
  shell.refused("--verbose", {"'--verbose'", "pellucid --help"});
  shell.refused("classify" + with_input + "--frob 3", {"--frob", "pellucid classify --help"});
  shell.refused("classify --input a.png", {"--model"});
  shell.refused("classify --model net.pt", {"--input"});
  shell.refused("explain" + with_input + "--samples many", {"--samples"});
}

BOOST_AUTO_TEST_CASE(layers_are_listed) {
  const Shell shell;
  const Outcome listed = shell.run("layers" + with_input);
  BOOST_TEST(listed.code == 0);
  BOOST_TEST(listed.out.find("body  Doubling  1×3×2×2") != std::string::npos);
  const json document = shell.document("layers" + with_input);
  BOOST_TEST(document["layers"].size() == 1);
  BOOST_TEST(document["layers"][0]["name"] == "body");
  BOOST_TEST(document["layers"][0]["kind"] == "Doubling");
  BOOST_TEST((document["layers"][0]["shape"] == json{1, 3, 2, 2}));
  BOOST_TEST(document["layers"][0]["parameters"] == 0);
  BOOST_TEST(document["layers"][0]["receptive_field"].is_null());  // so small an image cannot tell
  BOOST_TEST((document["input"]["shape"] == json{1, 3, 2, 2}));
  // Without an input: a grey image of the usual size, or of the size that is cropped to.
  const Outcome usual = shell.run("layers --model net.pt");
  BOOST_TEST(usual.out.find("1×3×224×224 (--input") != std::string::npos);
  torch::jit::Module added("Added"), network("Picky");
  added.define("def forward(self, x):\n  return x + torch.ones([1, 3, 2, 2])\n");
  network.register_module("added", added);
  network.define("def forward(self, x):\n  return self.added.forward(x)\n");
  network.save(shell.path("picky.pt"));
  shell.refused("layers --model picky.pt", {"[1, 3, 224, 224]", "--input"});
  shell.put("two.json", R"({"crop": 2})");
  const json grey = shell.document("layers --model net.pt --preprocess two.json");
  BOOST_TEST((grey["layers"][0]["shape"] == json{1, 3, 2, 2}));
}

BOOST_AUTO_TEST_CASE(a_checkpoint_is_a_model) {
  const Shell shell;
  VGG network(VGGOptions{.plan = {4, 0}, .classes = 3, .hidden = 0, .pool = 1});
  write_safetensors(shell.path("net.safetensors"), state_of(*network.ptr()));
  const torch::NoGradGuard no_grad;
  const auto expected = torch::softmax(network->forward(image()), 1)[0].max().item<double>();
  for (const std::string name : {"net.safetensors", "vgg:net.safetensors"}) {
    const json document = shell.document("classify --preprocess unchanged --input a.png --model " + name);
    BOOST_TEST(std::abs(document["images"][0]["probability"].get<double>() - expected) < 1e-6);
  }
  const json layers = shell.document("layers --preprocess unchanged --input a.png --model net.safetensors");
  BOOST_TEST(layers["layers"][0]["name"] == "features.0");
  BOOST_TEST(layers["layers"][0]["kind"] == "Conv2d");
  BOOST_TEST(layers["layers"][0]["parameters"] == 4 * 3 * 9 + 4);
  shell.refused("classify --input a.png --model resnet50:net.safetensors", {"net.safetensors", "vgg"});
  shell.refused("classify --input a.png --model resent50:net.safetensors", {"'resent50'", "resnet50"});
  shell.refused("classify --input a.png --model vgg:none.safetensors", {"none.safetensors"});
}

BOOST_AUTO_TEST_CASE(classes_come_with_probabilities_and_names) {
  const Shell shell;
  const Tensor expected = probabilities();
  const std::int64_t best = expected.argmax().item<std::int64_t>();
  for (const std::string input : {"a.png", "a.npy"}) {
    const json document =
        shell.document("classify" + model + "--labels labels.txt --array p.npy --out p.png --input " + input);
    const json& entry = document.at("images").at(0);
    BOOST_TEST(entry["input"] == input);
    BOOST_TEST(entry["predicted"] == best);
    BOOST_TEST(std::abs(entry["probability"].get<double>() - expected[best].item<double>()) < 1e-6);
    BOOST_TEST(entry["top"].size() == 2);  // the network has no more
    BOOST_TEST(entry["top"][0]["name"] == (best == 0 ? "cat" : "dog"));
    BOOST_TEST(far(read_npy(shell.path("p.npy"))[0], expected.to(torch::kFloat)) < 1e-6);
    BOOST_TEST(read_image(shell.path("p.png")).size(3) > 100);
  }
  const Outcome told = shell.run("classify" + with_input + "--labels labels.txt");
  BOOST_TEST(told.out.find(best == 0 ? "%  cat (0)" : "%  dog (1)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(attributions_of_a_linear_network) {
  const Shell shell;
  const std::int64_t best = probabilities().argmax().item<std::int64_t>();
  const auto array = [&](const std::string& options) {
    const Outcome outcome = shell.run("explain" + with_input + "--array a_.npy --out a_.png " + options);
    BOOST_TEST_CONTEXT(options << "\n" << outcome.err) {
      BOOST_TEST(outcome.code == 0);
      BOOST_TEST(outcome.err == "");
      BOOST_TEST(read_image(shell.path("a_.png")).size(3) > 500);
    }
    return read_npy(shell.path("a_.npy"));
  };
  BOOST_TEST(far(array("--method gradient"), gradient_of_class(best)) < 1e-6);
  BOOST_TEST(far(array("--method gradient --target 1,0"),
                 torch::cat({gradient_of_class(1), gradient_of_class(0)})) < 1e-6);
  BOOST_TEST(far(array("--method input-x-gradient --target 0"), image() * gradient_of_class(0)) < 1e-6);
  BOOST_TEST(far(array("--method integrated-gradients --target 0 --steps 3"),
                 image() * gradient_of_class(0)) < 1e-5);
  // The mean of a constant colour in each channel taken off.
  const Tensor from_mean = image() - image().mean({2, 3}, true);
  BOOST_TEST(far(array("--method integrated-gradients --baseline mean --target 1"),
                 from_mean * gradient_of_class(1)) < 1e-5);
  BOOST_TEST(far(array("--method integrated-gradients --baseline a.npy --target 1"),
                 torch::zeros({1, 3, 2, 2})) < 1e-6);
  BOOST_TEST(far(array("--method smoothgrad --noise 0.01 --samples 7 --target 1"), gradient_of_class(1)) <
             1e-5);
  BOOST_TEST(far(array("--method smoothgrad-squared --noise 0.01 --samples 6 --target 1"),
                 gradient_of_class(1).square()) < 1e-5);
  BOOST_TEST(far(array("--method vargrad --noise 0.01 --samples 6 --target 1"), torch::zeros({1, 3, 2, 2})) <
             1e-6);
  // All ReLUs are on: guided backpropagation keeps what is positive.
  const Tensor positive = 2 * weights()[0].clamp_min(0).view({1, 3, 2, 2});
  BOOST_TEST(far(array("--method guided-backprop --target 0"), positive) < 1e-6);
  BOOST_TEST(far(array("--method deconvnet --target 0"), positive) < 1e-6);
  // Grad-CAM at `body`: channels 2x weighted by the mean of W over their four places.
  const Tensor alpha = weights()[1].view({1, 3, 4}).mean(2).view({1, 3, 1, 1});
  const Tensor map = (alpha * 2 * image()).sum(1, true).clamp_min(0);
  BOOST_TEST(far(array("--method grad-cam --layer body --target 1"), map) < 1e-6);
  BOOST_TEST(far(array("--method grad-cam --target 1 --no-upsample"), map) < 1e-6);
}

BOOST_AUTO_TEST_CASE(maps_and_values_of_a_layer) {
  const Shell shell;
  const auto array = [&](const std::string& options) {
    const Outcome outcome = shell.run("explain" + with_input + "--array a_.npy --out a_.png " + options);
    BOOST_TEST_CONTEXT(options << "\n" << outcome.err) {
      BOOST_TEST(outcome.code == 0);
      BOOST_TEST(outcome.err == "");
      BOOST_TEST(read_image(shell.path("a_.png")).size(3) > 50);
    }
    return read_npy(shell.path("a_.npy"));
  };
  // The layer `body` gives a = 2x, and the score of a class is g·a.
  const Tensor a = 2 * image(), g = weights()[1].view({1, 3, 2, 2}), positive = g.clamp_min(0);
  const Tensor cam = (g.mean({2, 3}, true) * a).sum(1, true).clamp_min(0);
  BOOST_TEST(far(array("--method layer-cam --target 1"), (positive * a).sum(1, true)) < 1e-6);
  const Tensor plus = (positive / (2 + positive * a.sum({2, 3}, true))).sum({2, 3}, true);
  BOOST_TEST(far(array("--method grad-cam-plus-plus --target 1 --layer body"), (plus * a).sum(1, true)) <
             1e-6);
  BOOST_TEST(far(array("--method guided-grad-cam --target 1"), cam * 2 * positive) < 1e-6);
  std::vector<double> seen;  // scores of the image through each channel
  for (std::int64_t c = 0; c < 3; ++c) {
    const Tensor mask = (a[0][c] - a[0][c].min()) / (a[0][c].max() - a[0][c].min());
    seen.push_back((g * a * mask).sum().item<double>());
  }
  const Tensor share = torch::softmax(torch::tensor(seen), 0).view({1, 3, 1, 1});
  BOOST_TEST(far(array("--method score-cam --target 1 --no-upsample"), (share * a).sum(1, true)) < 1e-6);

  const Tensor from_mean = image() - image().mean({2, 3}, true);
  BOOST_TEST(far(array("--method occlusion --target 1"), (2 * g * from_mean).sum(1, true)) < 1e-6);
  BOOST_TEST(far(array("--method occlusion --target 1 --window 1 --stride 1 --baseline black"),
                 (g * a).sum(1, true)) < 1e-6);

  const std::string of_body = " --layer body --target 1 ";
  const std::string activation = "--method layer-activation --layer body ";
  BOOST_TEST(far(array(activation), a.sum(1, true)) < 1e-6);
  BOOST_TEST(far(array(activation + "--no-upsample"), a) < 1e-6);
  BOOST_TEST(shell.document("explain" + with_input + activation)["images"][0]["objective"].is_null());
  BOOST_TEST(shell.run("explain" + with_input + activation).out.find("nothing that was asked about") !=
             std::string::npos);
  shell.refused("explain" + with_input + activation + "--target 0,1", {"--target", "layer-activation"});
  shell.refused("explain" + with_input + activation + "--check", {"--check", "layer-activation"});
  shell.refused("explain" + with_input + "--method layer-conductance --no-upsample --check" + of_body,
                {"--check", "--no-upsample", "body"});
  BOOST_TEST(far(array("--method layer-gradient-x-activation --no-upsample" + of_body), g * a) < 1e-6);
  BOOST_TEST(far(array("--method layer-conductance --steps 4" + of_body), (g * a).sum(1, true)) < 1e-5);
  const json document =
      shell.document("explain" + with_input + "--method layer-conductance --no-upsample" + of_body);
  BOOST_TEST(document["options"]["layer"] == "body");
  BOOST_TEST(document["options"]["steps"] == 50);
  BOOST_TEST(document["options"]["baseline"] == "black");
  BOOST_TEST(document["options"]["upsample"] == false);
  BOOST_TEST((document["images"][0]["shape"] == json{1, 3, 2, 2}));
  BOOST_TEST(std::abs(document["images"][0]["completeness_gap"].get<double>()) < 1e-4);
  BOOST_TEST(document["images"][0]["completeness_gap_share"].get<double>() < 1e-4);

  const std::string explain = "explain" + with_input;
  shell.refused(explain + "--method layer-activation", {"layer-activation", "--layer"});
  shell.refused(explain + "--method layer-conductance --layer body --channel 1", {"--channel", "body"});
  shell.refused(explain + "--method layer-cam --layer bodi", {"bodi", "body"});
  torch::jit::Module flat("Flat");
  flat.register_parameter("weight", weights(), false);
  flat.define("def forward(self, x):\n  return torch.matmul(x.flatten(1), self.weight.t())\n");
  flat.save(shell.path("flat.pt"));
  const std::string of_flat = "explain --model flat.pt --preprocess unchanged --input a.png ";
  for (const std::string method : {"layer-cam", "guided-grad-cam"})
    shell.refused(of_flat + "--method " + method, {"--method " + method + ": no layer was named",
                                                   "shows none; give a method that needs none"});
  shell.refused(explain + "--method gradient --window 2", {"--window", "occlusion"});
  shell.refused(explain + "--method score-cam --stride 2", {"--stride", "occlusion"});
  shell.refused(explain + "--method occlusion --window -1", {"window -1"});
  for (const std::string zero : {"--window 0", "--stride 0"})
    shell.refused(explain + "--method occlusion " + zero, {zero + ": give 1 pixel or more"});
  const json occluded = shell.document(explain + "--method occlusion --window 1 --baseline noise");
  BOOST_TEST(occluded["options"]["stride"] == 1);
  BOOST_TEST(occluded["options"]["seed"] == 0);
  shell.refused(explain + "--method occlusion --window 2", {"covers the whole", "less than 2"});
  shell.refused(explain + "--method occlusion --window 2 --stride 3", {"stride of 3", "at most 2"});
  shell.refused(explain + "--method occlusion --seed 1", {"--seed", "occlusion", "noise"});
  shell.refused(explain + "--method guided-grad-cam --no-upsample", {"--no-upsample", "grad-cam"});
}

BOOST_AUTO_TEST_CASE(tokens_are_laid_over_the_image) {
  const Shell shell;
  torch::jit::Module same("Same"), network("Tokens");
  same.define("def forward(self, x):\n  return 1 * x\n");
  network.register_module("tokens", same);
  network.register_module("head", same.clone());
  network.define(
      "def forward(self, x):\n  return self.head.forward(self.tokens.forward(x.flatten(2).transpose(1, "
      "2)).sum(1))\n");
  network.save(shell.path("tokens.pt"));
  const std::string explain = "explain --model tokens.pt --preprocess unchanged --input a.png ";
  const auto array = [&](const std::string& options) {
    const Outcome outcome = shell.run(explain + "--array a_.npy --out a_.png " + options);
    BOOST_TEST_CONTEXT(options << "\n" << outcome.err) BOOST_TEST(outcome.code == 0);
    return read_npy(shell.path("a_.npy"));
  };
  // The score of class 1 is the sum of the second channel: a gradient of 1 there.
  const Tensor x = image(), second = x.narrow(1, 1, 1);
  BOOST_TEST(far(array("--method grad-cam --target 1"), second) < 1e-6);
  BOOST_TEST(far(array("--method layer-activation --layer tokens"), x.sum(1, true)) < 1e-6);
  BOOST_TEST(far(array("--method layer-activation --layer tokens --no-upsample"),
                 x.flatten(2).transpose(1, 2)) < 1e-6);
  BOOST_TEST(far(array("--method layer-activation --layer head --no-upsample"), x.sum({2, 3})) < 1e-6);
  shell.refused(explain + "--method layer-activation --layer head", {"'head'", "1×3", "--no-upsample"});
}

BOOST_AUTO_TEST_CASE(parts_of_a_layer_are_explained) {
  const Shell shell;
  const auto array = [&](const std::string& options) {
    const Outcome outcome = shell.run("explain" + with_input + "--method gradient --array a_.npy " + options);
    BOOST_TEST_CONTEXT(options << "\n" << outcome.err) BOOST_TEST(outcome.code == 0);
    return read_npy(shell.path("a_.npy"));
  };
  Tensor channel = torch::zeros({1, 3, 2, 2});
  channel[0][1] = 2.0 / 4;  // the mean of 2x over four places
  BOOST_TEST(far(array("--layer body --channel 1"), channel) < 1e-6);
  Tensor neuron = torch::zeros({1, 3, 2, 2});
  neuron[0][2][1][0] = 2;
  BOOST_TEST(far(array("--layer body --neuron 2,1,0"), neuron) < 1e-6);
  Tensor strongest = torch::zeros({1, 3, 2, 2});
  strongest[0][2][1][1] = 2;
  BOOST_TEST(far(array("--layer body --neuron 2"), strongest) < 1e-6);
  BOOST_TEST(far(array("--layer body"), 8 * image() / 12) < 1e-6);  // the mean of (2x)² over twelve places

  const json document = shell.document("explain" + with_input + "--method gradient --layer body --neuron 2");
  const json& asked = document["images"][0]["objective"];
  BOOST_TEST(asked["layer"] == "body");
  BOOST_TEST(asked["neuron"] == 2);
  BOOST_TEST(asked["y"] == 1);
  BOOST_TEST(asked["x"] == 1);
}

BOOST_AUTO_TEST_CASE(explanations_as_json) {
  const Shell shell;
  const Tensor p = probabilities();
  const json smooth =
      shell.document("explain" + with_input +
                     "--input a.npy --labels labels.txt --method smoothgrad --noise 0.01 --samples 6 "
                     "--seed 3 --target 0");
  BOOST_TEST(smooth["method"] == "smoothgrad");
  BOOST_TEST(smooth["options"]["samples"] == 6);
  BOOST_TEST(smooth["options"]["noise"] == 0.01);
  BOOST_TEST(smooth["options"]["seed"] == 3);
  BOOST_TEST(smooth["images"].size() == 2);
  for (const json& entry : smooth["images"]) {
    BOOST_TEST(entry["predicted"] == p.argmax().item<std::int64_t>());
    BOOST_TEST(std::abs(entry["probability"].get<double>() - p.max().item<double>()) < 1e-6);
    BOOST_TEST(entry["objective"]["class"] == 0);
    BOOST_TEST(entry["objective"]["name"] == "cat");
    BOOST_TEST(std::abs(entry["objective"]["probability"].get<double>() - p[0].item<double>()) < 1e-6);
    BOOST_TEST(entry["samples"] == 6);
    BOOST_TEST(entry["standard_error"].get<double>() < 1e-5);  // the gradient is the same everywhere
    BOOST_TEST(!entry.contains("completeness_gap"));
    BOOST_TEST(entry["notices"].empty());
  }
  BOOST_TEST(smooth["images"][1]["input"] == "a.npy");
  const json integrated = shell.document("explain" + with_input + "--method integrated-gradients");
  BOOST_TEST(std::abs(integrated["images"][0]["completeness_gap"].get<double>()) < 1e-4);
  BOOST_TEST(integrated["images"][0]["completeness_gap_share"].get<double>() < 1e-4);
  BOOST_TEST(!integrated["images"][0].contains("standard_error"));
  BOOST_TEST(integrated["options"]["baseline"] == "black");
}

BOOST_AUTO_TEST_CASE(a_person_is_told_what_was_explained) {
  const Shell shell;
  const Outcome told =
      shell.run("explain" + with_input + "--labels labels.txt --method integrated-gradients --target 0");
  BOOST_TEST(told.code == 0);
  for (const std::string word :
       {"a.png\n", "the model says", "cat (0)", "integrated-gradients", "steps 50", "gap"})
    BOOST_TEST_CONTEXT(word << "\n" << told.out) BOOST_TEST(told.out.find(word) != std::string::npos);
  // A black image in front of a ReLU: no gradient at all.
  write_npy(shell.path("black.npy"), torch::zeros({1, 3, 2, 2}));
  const Outcome zero = shell.run("explain" + model + "--input black.npy --method gradient --out zero.png");
  BOOST_TEST(zero.code == 0);
  BOOST_TEST(zero.out.find("zero everywhere") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(explanations_are_checked) {
  const Shell shell;
  // Scores are linear in images above 0, so that the gradient explains every change, and is the same
  // everywhere.
  const json document = shell.document("explain" + with_input + "--method gradient --target 0 --check");
  const json& checks = document["images"][0]["checks"];
  BOOST_TEST(checks["unit"] == "probability");
  BOOST_TEST(checks["fractions"].size() == 5);  // four pixels
  BOOST_TEST(checks["insertion"]["values"].size() == 5);
  const double sure = probabilities()[0].item<double>();
  BOOST_TEST(std::abs(checks["insertion"]["values"][4].get<double>() - sure) < 1e-6);
  BOOST_TEST(std::abs(checks["deletion"]["values"][0].get<double>() - sure) < 1e-6);
  BOOST_TEST(checks["deletion"]["random_area"].is_number());
  BOOST_TEST(checks["infidelity"].get<double>() < 1e-8);
  BOOST_TEST(checks["unexplained"].get<double>() < 1e-6);
  BOOST_TEST(checks["max_sensitivity"].get<double>() < 1e-6);
  BOOST_TEST(checks["randomization"].size() == 1);
  BOOST_TEST((checks["randomization"][0]["shuffled"] == json{"weight"}));
  BOOST_TEST(std::abs(checks["randomization"][0]["cosine"].get<double>()) <= 1);
  BOOST_TEST(checks["verdict"].get<std::string>().find("Down to weight, cosine ") == 0);

  const Outcome told =
      shell.run("explain" + with_input + "--method input-x-gradient --target 0,1 --check --out c.png");
  BOOST_TEST(told.code == 0);
  BOOST_TEST(told.err == "");
  for (const std::string word : {"insertion", "deletion", "random order", "infidelity", "max-sensitivity",
                                 "randomisation", "rank correlation", "as it must", "higher is better"})
    BOOST_TEST_CONTEXT(word << "\n" << told.out) BOOST_TEST(told.out.find(word) != std::string::npos);
  const Images plain = read_image(shell.path("c.png"));
  BOOST_TEST(shell.run("explain" + with_input + "--method input-x-gradient --target 0,1 --out d.png").code ==
             0);
  BOOST_TEST(plain.size(2) > read_image(shell.path("d.png")).size(2) + 2 * 320);  // curves, and maps, twice

  // A black image in front of a ReLU has no gradient, whatever the weights: nothing is compared.
  write_npy(shell.path("black.npy"), torch::zeros({1, 3, 2, 2}));
  const std::string black = "explain" + model + "--input black.npy --method gradient --check";
  const json dead = shell.document(black)["images"][0]["checks"];
  BOOST_TEST(dead["randomization"][0]["zero"] == true);
  BOOST_TEST(dead["randomization"][0]["rank_correlation"].is_null());
  BOOST_TEST(dead["randomization"][0]["cosine"].is_null());
  BOOST_TEST(dead["verdict"].get<std::string>().find("nothing to compare") != std::string::npos);
  BOOST_TEST(shell.run(black).out.find("zero              zero") != std::string::npos);

  // The probability of the only class is 1 whatever the image: the score itself is drawn.
  torch::jit::Module single("Single");
  single.register_parameter("weight", weights().narrow(0, 0, 1).clone(), false);
  single.define("def forward(self, x):\n  return torch.matmul(x.flatten(1), self.weight.t())\n");
  single.save(shell.path("single.pt"));
  const json alone = shell.document(
      "explain --model single.pt --preprocess unchanged --input a.png --method gradient "
      "--check")["images"][0]["checks"];
  BOOST_TEST(alone["unit"] == "objective");
  const double score = (weights()[0] * image().flatten()).sum().item<double>();
  BOOST_TEST(std::abs(alone["deletion"]["values"][0].get<double>() - score) < 1e-5);

  // About a layer, and of what is no image.
  const json layer =
      shell.document("explain" + with_input + "--method gradient --layer body --channel 1 --check");
  BOOST_TEST(layer["images"][0]["checks"]["unit"] == "objective");
  write_npy(shell.path("v.npy"), torch::linspace(0.1, 1, 24).view({2, 12}));
  const json vectors =
      shell.document("explain --model net.pt --input v.npy --method gradient --check --out v.png");
  BOOST_TEST(vectors["images"].size() == 2);
  BOOST_TEST(vectors["images"][1]["checks"]["fractions"].size() == 13);
}

BOOST_AUTO_TEST_CASE(arrays_that_are_no_images) {
  const Shell shell;
  torch::jit::Module network("Vectors");
  network.register_parameter("weight", weights(), false);
  network.define("def forward(self, x):\n  return torch.matmul(x.flatten(1), self.weight.t())\n");
  network.save(shell.path("any.pt"));
  const Tensor values = torch::linspace(-1, 2, 24);
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{2, 12}, {2, 4, 3}, {2, 12, 1, 1}, {2, 3, 1, 2, 2}}) {
    write_npy(shell.path("v.npy"), values.view(shape));
    const Outcome explained = shell.run(
        "explain --model any.pt --input v.npy --method input-x-gradient --target 1 --array e.npy --out "
        "e.png");
    BOOST_TEST_CONTEXT(c10::str(shape) << explained.err) BOOST_TEST(explained.code == 0);
    BOOST_TEST(far(read_npy(shell.path("e.npy")), values.view(shape) * weights()[1].repeat({2}).view(shape)) <
               1e-6);
    BOOST_TEST(read_image(shell.path("e.png")).size(3) > 20);
    write_npy(shell.path("p.npy"), torch::linspace(0, 1, 24).view(shape));
    const Outcome attacked = shell.run(
        "attack --model any.pt --input p.npy --method fgsm --epsilon 0.1 --array e.npy --out e.png");
    BOOST_TEST_CONTEXT(c10::str(shape) << attacked.err) BOOST_TEST(attacked.code == 0);
    shell.refused("attack --model any.pt --input v.npy --method fgsm --epsilon 0.1",
                  {"v.npy: values from -1 to 2", "pixels, 0 to 1", "255", "--preprocess"});
  }
}

BOOST_AUTO_TEST_CASE(one_step_of_the_gradient_sign) {
  const Shell shell;
  // Of two classes, the cross-entropy grows along the other's weights minus the label's.
  const auto attacked = [](std::int64_t away, double epsilon) {
    const Tensor along = (weights()[1 - away] - weights()[away]).sign().view({1, 3, 2, 2});
    return torch::clamp(image() + epsilon * along, 0, 1);
  };
  const auto array = [&](const std::string& options) {
    const Outcome outcome = shell.run(
        "attack" + with_input + "--method fgsm --array x.npy --out x.png --labels labels.txt " + options);
    BOOST_TEST_CONTEXT(options << "\n" << outcome.err) BOOST_TEST(outcome.code == 0);
    BOOST_TEST(read_image(shell.path("x.png")).size(3) > 500);
    return read_npy(shell.path("x.npy"));
  };
  BOOST_TEST(far(array("--epsilon 51/255 --label 0"), attacked(0, 0.2)) < 1e-6);
  BOOST_TEST(far(array("--epsilon 0.05 --label 1"), attacked(1, 0.05)) < 1e-6);
  BOOST_TEST(far(array("--epsilon 0.05 --target 1"), attacked(0, 0.05)) < 1e-6);
  BOOST_TEST(far(array("--epsilon 0"), image()) == 0);

  const Tensor before = probabilities();
  const std::int64_t best = before.argmax().item<std::int64_t>();
  const Tensor changed = attacked(best, 0.2);
  const Tensor after =
      torch::softmax((2 * changed).flatten(1).matmul(weights().t()).to(torch::kDouble), 1)[0];
  const json entry = shell.document("attack" + with_input + "--method fgsm --epsilon 0.2")["images"][0];
  BOOST_TEST(entry["input"] == "a.png");
  BOOST_TEST(entry["label"] == best);
  BOOST_TEST(entry["steps"].size() == 2);
  const auto near = [](const json& value, const Tensor& expected) {
    return std::abs(value.get<double>() - expected.item<double>()) < 1e-5;
  };
  const json &first = entry["steps"][0], &last = entry["steps"][1];
  BOOST_TEST(first["step"] == 0);
  BOOST_TEST(first["predicted"] == best);
  BOOST_TEST(first["epsilon"] == 0);
  BOOST_TEST(near(first["probability"], before[best]));
  BOOST_TEST(near(first["label_probability"], before[best]));
  BOOST_TEST(last["step"] == 1);
  BOOST_TEST(last["predicted"] == after.argmax().item<std::int64_t>());
  BOOST_TEST(near(last["probability"], after.max()));
  BOOST_TEST(near(last["label_probability"], after[best]));
  BOOST_TEST(last["epsilon"] == 0.2);

  shell.refused("attack" + with_input + "--method fgsm", {"--epsilon"});
  for (const std::string wrong : {"-0.1", "1/0", "two", "4/255x", "1.5", "nan"})
    shell.refused("attack" + with_input + "--method fgsm --epsilon=" + wrong, {"--epsilon", wrong, "4/255"});
  shell.refused("attack" + with_input + "--method pdg --epsilon 0.1",
                {"pdg", "fgsm, ifgsm, minimal-epsilon, pgd"});
  shell.refused("attack" + with_input + "--method fgsm --epsilon 0.1 --label 0 --target 1",
                {"--label", "--target"});
  shell.refused("attack" + with_input + "--method fgsm --epsilon 0.1 --label 2", {"--label 2", "0 to 1"});
}

/// By how much the score of the class that the network gives `image()` is above the other's: 2 Δw · image.
double margin() {
  return (2 * (weights()[1] - weights()[0]) * image().flatten()).sum().item<double>();
}

BOOST_AUTO_TEST_CASE(attacks_in_steps) {
  const Shell shell;
  BOOST_REQUIRE(margin() > 0);  // it is class 1
  const Tensor difference = weights()[0] - weights()[1];
  const Tensor cube = image() + 0.05 * difference.sign().view({1, 3, 2, 2});
  const Tensor ball = image() + 0.05 * (difference / difference.norm()).view({1, 3, 2, 2});
  const auto array = [&](const std::string& options) {
    const Outcome outcome = shell.run("attack" + with_input + "--array x.npy --out x.png " + options);
    BOOST_TEST_CONTEXT(options << "\n" << outcome.err) BOOST_TEST(outcome.code == 0);
    BOOST_TEST(read_image(shell.path("x.png")).size(3) > 500);
    return read_npy(shell.path("x.npy"));
  };
  BOOST_TEST(far(array("--method ifgsm --epsilon 0.05"), cube) < 1e-6);
  BOOST_TEST(far(array("--method ifgsm --epsilon 0.05 --steps 2 --target 0"), cube) < 1e-6);
  BOOST_TEST(far(array("--method ifgsm --epsilon 0.5 --steps 2 --step-size 5/200"), cube) < 1e-6);
  BOOST_TEST(far(array("--method pgd --epsilon 0.05 --restarts 2 --seed 3"), cube) < 1e-6);
  BOOST_TEST(far(array("--method pgd --norm 2 --epsilon 0.05 --step-size 0.05"), ball) < 1e-6);

  // Three steps of 0.01 in each value: the margin falls by 2 · 0.01 · Σ|Δw| each.
  const double fall = 0.02 * difference.abs().sum().item<double>();
  const std::string steps =
      "attack" + with_input + "--method ifgsm --epsilon 0.5 --steps 3 --step-size 0.01 ";
  const json document = shell.document(steps);
  BOOST_TEST(document["method"] == "ifgsm");
  BOOST_TEST(document["options"]["epsilon"] == 0.5);
  BOOST_TEST(document["options"]["steps"] == 3);
  BOOST_TEST(document["options"]["step_size"] == 0.01);
  BOOST_TEST(document["options"]["stop_early"] == false);
  const json& entry = document["images"][0];
  BOOST_TEST(entry["label"] == 1);
  BOOST_TEST(entry["succeeded"] == true);
  BOOST_TEST(entry["passes"]["forward"] == 4);
  BOOST_TEST(entry["passes"]["backward"] == 3);
  BOOST_REQUIRE(entry["steps"].size() == 4);
  std::size_t reached = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const double left = margin() - fall * double(i);
    const json& step = entry["steps"][i];
    BOOST_TEST(step["step"] == i);
    BOOST_TEST(step["predicted"] == (left > 0 ? 1 : 0));
    BOOST_TEST(std::abs(step["label_probability"].get<double>() - 1 / (1 + std::exp(-left))) < 1e-5);
    BOOST_TEST(std::abs(step["epsilon"].get<double>() - 0.01 * double(i)) < 1e-12);
    BOOST_TEST(!step.contains("target_probability"));
    if (left > 0) reached = i + 1;
  }
  BOOST_TEST(reached < 3);
  // Left out, the steps go 1.25 ε far in all, those of pgd 2.5 ε.
  const auto step_size = [&](const std::string& method) {
    return shell.document("attack" + with_input + method)["options"]["step_size"].get<double>();
  };
  BOOST_TEST(std::abs(step_size("--method ifgsm --epsilon 0.08") - 0.01) < 1e-12);
  BOOST_TEST(std::abs(step_size("--method pgd --epsilon 0.08 --steps 5") - 0.04) < 1e-12);
  const json early = shell.document(steps + "--stop-early");
  BOOST_TEST(early["images"][0]["steps"].size() == reached + 1);
  const json target = shell.document(steps + "--target 0");
  BOOST_TEST(target["images"][0]["target"] == 0);
  BOOST_TEST(std::abs(target["images"][0]["steps"][3]["target_probability"].get<double>() +
                      entry["steps"][3]["label_probability"].get<double>() - 1) < 1e-6);
  const Outcome told = shell.run(steps + "--labels labels.txt");
  for (const std::string word : {"a.png\n", "away from dog (1)", "step", "how sure", "7.65/255", "cat (0)"})
    BOOST_TEST_CONTEXT(word << "\n" << told.out) BOOST_TEST(told.out.find(word) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_smallest_change) {
  const Shell shell;
  // The margin falls by 2ε Σ|Δw|.
  const double exact = margin() / (2 * (weights()[1] - weights()[0]).abs().sum().item<double>());
  const std::string attack = "attack" + with_input + "--method minimal-epsilon ";
  const json document = shell.document(attack + "--array x.npy --out x.png");
  const json& entry = document["images"][0];
  const double found = entry["minimal_epsilon"].get<double>();
  BOOST_TEST(found > exact - 1e-6);
  BOOST_TEST(found < exact + 1.01e-4);
  BOOST_TEST(entry["passes"]["backward"] == 1);
  BOOST_TEST(entry["passes"]["forward"].get<int>() <= 12);
  BOOST_TEST(entry["steps"].back()["predicted"] == 0);
  BOOST_TEST(far(read_npy(shell.path("x.npy")),
                 image() + found * (weights()[0] - weights()[1]).sign().view({1, 3, 2, 2})) < 1e-6);
  const json none = shell.document(attack + "--epsilon 0.01");
  BOOST_TEST(none["images"][0]["minimal_epsilon"].is_null());
  BOOST_TEST(none["images"][0]["succeeded"] == false);
  shell.refused(attack + "--epsilon 1e-8", {"--epsilon 1e-08", "minimal-epsilon", "0.0001"});
  const Outcome told = shell.run(attack);
  BOOST_TEST(told.out.find("smallest found: 0.01") != std::string::npos);
  BOOST_TEST(told.out.find("1 backward") != std::string::npos);
  BOOST_TEST(shell.run(attack + "--epsilon 0.01").out.find("none found up to 2.55/255") != std::string::npos);
}

/// Three photos, the second of which is the image with its values halved, so with half the margin, and three
/// ε: none, one between the ε at which the second falls and that of the others, and one beyond both.
std::string attack_on_photos(const Shell& shell) {
  std::filesystem::create_directories(shell.path("photos/more"));
  std::filesystem::copy(shell.path("a.png"), shell.path("photos/b.png"));
  std::filesystem::copy(shell.path("a.png"), shell.path("photos/more/a.PNG"));
  write_png(shell.path("photos/half.png"), to_picture(image() / 2));
  const double exact = margin() / (2 * (weights()[1] - weights()[0]).abs().sum().item<double>());
  const std::string between = std::to_string(0.75 * exact), beyond = std::to_string(1.2 * exact);
  return "attack" + model + "--input photos --method fgsm --epsilon 0," + between + "," + beyond + " ";
}

BOOST_AUTO_TEST_CASE(accuracy_of_a_folder_against_epsilon) {
  const Shell shell;
  const std::string attack = attack_on_photos(shell);
  const json document = shell.document(attack + "--out curve.png");
  BOOST_REQUIRE(document["withstood"].size() == 3);
  BOOST_TEST(!document.contains("accuracy"));  // nobody said what is right
  const int still[] = {3, 2, 0};
  for (std::size_t i = 0; i < 3; ++i) {
    const json& point = document["withstood"][i];
    BOOST_TEST(point["count"] == still[i]);
    BOOST_TEST(point["images"] == 3);
    BOOST_TEST(point["counted"] == "still as before");
    BOOST_TEST(point["unmoved"] == 0);
    BOOST_TEST(std::abs(point["share"].get<double>() - still[i] / 3.0) < 1e-12);
  }
  BOOST_REQUIRE(document["images"].size() == 3);
  BOOST_TEST(document["images"][0]["input"] == "photos/b.png");
  BOOST_TEST(document["images"][1]["input"] == "photos/half.png");
  BOOST_TEST(document["images"][2]["input"] == "photos/more/a.PNG");
  const json& half = document["images"][1]["epsilons"][1];
  BOOST_TEST(half["succeeded"] == true);
  BOOST_TEST(half["predicted"] == 0);
  BOOST_TEST(half["passes"]["forward"] == 2);
  BOOST_TEST(half["passes"]["backward"] == 1);
  BOOST_TEST(document["images"][1]["notices"].empty());
  BOOST_TEST(read_image(shell.path("curve.png")).size(3) == 480);
  const Outcome told = shell.run(attack);
  BOOST_TEST(told.out.find("66.7 %") != std::string::npos);
  // Towards a class, and away from one that it is not.
  const json towards = shell.document(attack + "--target 0 --labels labels.txt");
  BOOST_TEST(towards["reached"][1]["count"] == 1);
  BOOST_TEST(towards["images"][1]["label_name"] == "dog");
  BOOST_TEST(towards["images"][1]["target_name"] == "cat");
  BOOST_TEST(towards["images"][1]["epsilons"][0]["predicted_name"] == "dog");
  BOOST_TEST(towards["images"][1]["epsilons"][1]["predicted_name"] == "cat");
  BOOST_TEST(towards["images"][1]["epsilons"][1]["target_probability"].get<double>() > 0.5);
  BOOST_TEST(shell.document(attack + "--label 0")["accuracy"][0]["count"] == 0);
  // What cannot be read is left out, and told.
  shell.put("photos/broken.jpg", "no image");
  const Outcome left_out = shell.run(attack);
  BOOST_TEST(left_out.code == 0);
  BOOST_TEST(left_out.err.find("left out") != std::string::npos);
  BOOST_TEST(left_out.err.find("broken.jpg") != std::string::npos);
  BOOST_TEST(left_out.out == told.out);
  std::filesystem::create_directories(shell.path("none"));
  shell.refused("attack" + model + "--input none --epsilon 0.1", {"none", ".png, .jpg"});
  shell.refused(attack + "--array x.npy", {"--array", "one --epsilon"});
  shell.refused("attack" + with_input + "--epsilon 0,2", {"--epsilon", "2", "4/255"});
}

/// A picture that cannot be made takes nothing away of what was found; what cannot work is refused first.
BOOST_AUTO_TEST_CASE(work_that_is_finished_is_told) {
  const Shell shell;
  std::filesystem::create_symlink("/dev/full", shell.path("full.png"));
  for (const std::string epsilon : {"0.05", "0,0.05"}) {
    const Outcome outcome = shell.run("attack" + with_input + "--out full.png --epsilon " + epsilon +
                                      (epsilon == "0.05" ? " --array x.npy" : ""));
    BOOST_TEST_CONTEXT(outcome.err) BOOST_TEST(outcome.code == 1);
    BOOST_TEST(outcome.out.find(epsilon == "0.05" ? "a.png\n" : "still as before") != std::string::npos);
    BOOST_TEST(outcome.out.find("written") == std::string::npos);
  }
  BOOST_TEST(read_npy(shell.path("x.npy")).numel() == 12);
  for (const std::string& asked : {"classify" + with_input, "explain" + with_input + "--method gradient ",
                                   "activations" + with_input + "--layer body "}) {
    const Outcome outcome = shell.run(asked + "--out full.png --array z.npy");
    BOOST_TEST_CONTEXT(asked << outcome.err) BOOST_TEST(outcome.code == 1);
    BOOST_TEST(outcome.out.find("a.png") != std::string::npos);
    BOOST_TEST(outcome.out.find("written") == std::string::npos);
    BOOST_TEST(std::filesystem::remove(shell.path("z.npy")));
  }

  torch::jit::Module linear("Linear");
  linear.register_parameter("weight", weights(), false);
  linear.define("def forward(self, x):\n  return torch.matmul(x.flatten(1), self.weight.t())\n");
  linear.save(shell.path("linear.pt"));
  const std::string attack =
      "attack --model linear.pt --input a.npy --epsilon 0.05 --array y.npy --out x.png ";
  shell.refused(attack + "--explain guided-backprop", {"ReLU"});
  shell.refused(attack + "--explain grad-cam", {"--explain grad-cam", "; give a"});
  write_npy(shell.path("rows.npy"), image().view({1, 12}));
  shell.refused("attack --model linear.pt --input rows.npy --epsilon 0.05 --out x.png --explain grad-cam",
                {"--explain grad-cam", "rows.npy", "1×12"});
  BOOST_TEST(!std::filesystem::exists(shell.path("y.npy")));

  torch::jit::Module one("One");
  one.register_parameter("weight", weights().narrow(0, 0, 1).clone(), false);
  one.define("def forward(self, x):\n  return torch.matmul(x.flatten(1), self.weight.t())\n");
  one.save(shell.path("one.pt"));
  shell.refused("attack --model one.pt --input a.npy --epsilon 0.05", {"gives 1 score", "two classes"});
}

/// Black: every ReLU is off, so the gradient of any score is zero.
BOOST_AUTO_TEST_CASE(images_from_which_no_way_goes) {
  const Shell shell;
  write_npy(shell.path("black.npy"), torch::zeros({2, 3, 2, 2}));
  const std::string attack = "attack" + model + "--input black.npy a.npy --method fgsm ";
  const std::string no_way = "no way to go was found";
  const json swept = shell.document(attack + "--epsilon 0,0.1");
  for (std::size_t k = 0; k < 2; ++k) BOOST_TEST(swept["withstood"][k]["unmoved"] == 2);
  for (std::size_t i = 0; i < 3; ++i) {
    const json& entry = swept["images"][i];
    BOOST_TEST(entry["epsilons"][1]["unmoved"] == (i < 2));
    BOOST_REQUIRE(entry["notices"].size() == (i < 2 ? 1U : 0U));
    if (i < 2) BOOST_TEST(entry["notices"][0].get<std::string>().find(no_way) != std::string::npos);
  }
  const std::string told = shell.run(attack + "--epsilon 0,0.1").out;
  for (const std::string& word :
       {std::string("no way found"), "notice  black.npy[0], black.npy[1]: " + no_way})
    BOOST_TEST_CONTEXT(word << "\n" << told) BOOST_TEST(told.find(word) != std::string::npos);

  const json explained = shell.document(attack + "--epsilon 0.1 --explain gradient --out x.png");
  const json& notices = explained["images"][0]["notices"];
  BOOST_TEST(explained["images"][0]["unmoved"] == true);
  BOOST_REQUIRE(notices.size() == 3);  // the attack's, and one for each map
  BOOST_TEST(notices[1].get<std::string>().starts_with("the map before the attack, for class "));
  BOOST_TEST(notices[2].get<std::string>().starts_with("the map after the attack, for class "));
  BOOST_TEST(explained["images"][2]["notices"].empty());
}

/// The network says class 1 of all three photos, and the last is said to show class 0.
BOOST_AUTO_TEST_CASE(accuracy_with_the_classes_of_a_file) {
  const Shell shell;
  const std::string attack = attack_on_photos(shell);
  shell.put("right.csv", "b.png,1\r\nhalf.png, 1\n\na.PNG,0\nanother.png,7\n");
  const std::string labelled = attack + "--label-file right.csv ";
  const json document = shell.document(labelled);
  BOOST_TEST(!document.contains("withstood"));
  BOOST_REQUIRE(document["accuracy"].size() == 3);
  // a.PNG is wrong from the beginning; half.png falls first, then b.png.
  const int right[] = {2, 1, 0};
  for (std::size_t i = 0; i < 3; ++i) {
    BOOST_TEST(document["accuracy"][i]["count"] == right[i]);
    BOOST_TEST(document["accuracy"][i]["counted"] == "still right");
  }
  BOOST_TEST(document["images"][2]["label"] == 0);
  BOOST_REQUIRE(document["images"][2]["notices"].size() == 1);
  BOOST_TEST(document["images"][0]["notices"].empty());
  const Outcome told = shell.run(labelled + "--out curve.png");
  for (const std::string word : {"still right", "notice  photos/more/a.PNG: the model did not say class 0"})
    BOOST_TEST_CONTEXT(word << "\n" << told.out) BOOST_TEST(told.out.find(word) != std::string::npos);
  // Towards a class, the label is only told.
  const json towards = shell.document(labelled + "--target 0");
  BOOST_TEST(towards["reached"][1]["count"] == 1);
  BOOST_TEST(towards["images"][2]["label"] == 0);

  const auto refused = [&](const std::string& lines, const std::vector<std::string>& words) {
    shell.put("right.csv", lines);
    shell.refused(labelled, words);
  };
  refused("b.png,1\nhalf.png,1\n", {"--label-file right.csv", "no line for a.PNG"});
  refused("b.png,1\nhalf.png,2\na.PNG,0\n", {"--label-file right.csv", "half.png: class 2", "0 to 1"});
  refused("b.png,1\nhalf.png\n", {"right.csv", "line 2 is 'half.png'", "NAME,K"});
  refused("b.png,one\n", {"right.csv", "line 1 is 'b.png,one'", "NAME,K"});
  refused(",1\n", {"right.csv", "line 1", "NAME,K"});
  refused("b.png,1\nb.png,0\n", {"right.csv", "line 2", "b.png", "class 1"});
  refused("\n", {"right.csv", "holds no line"});
  shell.refused(attack + "--label-file none.csv", {"none.csv", "no such file"});
  shell.refused(labelled + "--label 1", {"--label", "--label-file"});
  std::filesystem::copy(shell.path("a.png"), shell.path("photos/more/b.png"));
  refused("b.png,1\nhalf.png,1\na.PNG,0\n", {"photos/b.png", "photos/more/b.png"});
}

BOOST_AUTO_TEST_CASE(an_attack_is_explained) {
  const Shell shell;
  const std::string attack = "attack" + with_input + "--method ifgsm --epsilon 0.05 --out x.png ";
  BOOST_TEST(shell.run(attack).code == 0);
  const auto height = [&] { return read_image(shell.path("x.png")).size(2); };
  const std::int64_t alone = height();
  for (const std::string method : {"gradient", "grad-cam"}) {
    const Outcome outcome = shell.run(attack + "--explain " + method);
    BOOST_TEST_CONTEXT(outcome.err) BOOST_TEST(outcome.code == 0);
    BOOST_TEST(height() > 2 * alone);  // two more rows of pictures
  }
  BOOST_TEST(shell.document(attack + "--explain gradient")["explain"] == "gradient");
  const std::string array =
      "attack" + model + "--input a.npy --method fgsm --epsilon 0.05 --explain gradient ";
  BOOST_TEST(shell.run(array + "--out x.png").code == 0);
  shell.refused(array, {"--explain", "--out"});
  shell.refused(attack + "--explain gradients", {"--explain gradients", "smoothgrad"});
  shell.refused(attack + "--explain layer-activation", {"--explain layer-activation", "pixels"});
  BOOST_TEST(shell.run("attack --help").out.find("layer-activation") == std::string::npos);
  shell.refused("attack" + with_input + "--epsilon 0,0.1 --out x.png --explain gradient",
                {"--explain", "one --epsilon"});
}

BOOST_AUTO_TEST_CASE(options_that_an_attack_does_not_use) {
  const Shell shell;
  const std::string attack = "attack" + with_input;
  shell.refused(attack + "--epsilon 0.1 --steps 3", {"--steps", "fgsm", "ifgsm, pgd"});
  shell.refused(attack + "--method ifgsm --epsilon 0.1 --norm 2", {"--norm", "ifgsm", "pgd"});
  shell.refused(attack + "--method minimal-epsilon --seed 2", {"--seed", "minimal-epsilon", "pgd"});
  shell.refused(attack + "--method minimal-epsilon --stop-early", {"--stop-early"});
  shell.refused(attack + "--method minimal-epsilon --epsilon 0.1,0.2", {"minimal-epsilon", "one --epsilon"});
  shell.refused(attack + "--method pgd --epsilon 0.1 --norm 1", {"--norm 1", "inf"});
  shell.refused(attack + "--method pgd --epsilon 0.1 --steps 0", {"steps is 0", "at least 1"});
  shell.refused(attack + "--method pgd --epsilon 0.1 --restarts 0", {"restarts is 0"});
  for (const std::string wrong : {"x", "0", "0/255"})
    shell.refused(attack + "--method pgd --epsilon 0.1 --step-size " + wrong, {"--step-size " + wrong});
  shell.refused(attack + "--method ifgsm", {"--epsilon", "4/255"});
}

BOOST_AUTO_TEST_CASE(activations_of_a_layer) {
  const Shell shell;
  const json document = shell.document("activations" + with_input + "--layer body --array b.npy --out b.png");
  const json& layer = document["images"][0]["layers"][0];
  BOOST_TEST(layer["layer"] == "body");
  BOOST_TEST((layer["shape"] == json{1, 3, 2, 2}));
  BOOST_TEST(std::abs(layer["min"].get<double>() - 2 * 30.0 / 255) < 1e-6);
  BOOST_TEST(std::abs(layer["max"].get<double>() - 2 * 240.0 / 255) < 1e-6);
  BOOST_TEST(std::abs(layer["mean"].get<double>() - (2 * image()).mean().item<double>()) < 1e-6);
  BOOST_TEST(far(read_npy(shell.path("b.npy")), 2 * image()) < 1e-6);
  BOOST_TEST(read_image(shell.path("b.png")).size(3) > 200);
  shell.refused("activations" + with_input + "--layer boddy", {"boddy", "body", "pellucid layers"});
  shell.refused("activations" + with_input + "--layer body,body --array b.npy", {"--array", "one"});
  shell.refused("activations" + with_input, {"--layer", "--all", "pellucid layers"});
}

BOOST_AUTO_TEST_CASE(activations_in_the_order_and_the_part_asked_for) {
  const Shell shell;
  const std::string body = "activations" + with_input + "--layer body ";
  const auto channels = [&](const std::string& options) {
    std::vector<std::int64_t> numbers;
    const json document = shell.document(body + options);
    for (const json& one : document["images"][0]["layers"][0]["channels"]) numbers.push_back(one["channel"]);
    return numbers;
  };
  // Twice the largest values of the image: 204, 120 and 240, over 255.
  BOOST_TEST(channels("") == (std::vector<std::int64_t>{0, 1, 2}), boost::test_tools::per_element());
  BOOST_TEST(channels("--sort") == (std::vector<std::int64_t>{2, 0, 1}), boost::test_tools::per_element());
  BOOST_TEST(
      channels("--sort --channels 0-1 --out part.png --scale own") == (std::vector<std::int64_t>{0, 1}),
      boost::test_tools::per_element());
  BOOST_TEST(channels("--channels 1") == (std::vector<std::int64_t>{1}), boost::test_tools::per_element());
  const json sorted = shell.document(body + "--sort")["images"][0]["layers"][0]["channels"];
  BOOST_TEST(std::abs(sorted[0]["max"].get<double>() - 2 * 240.0 / 255) < 1e-6);
  // Of the array and of the text only what was asked for: twice the largest of 30, 60, 90 and 120.
  const Outcome told = shell.run(body + "--channels 1 --array part.npy");
  BOOST_TEST(told.out.find("channels 1 (0.941)") != std::string::npos);
  BOOST_TEST(far(read_npy(shell.path("part.npy")), 2 * image().narrow(1, 1, 1)) < 1e-6);
  shell.refused(body + "--channels 1-3", {"--channels 1-3", "'body'", "3 channels, 0 to 2"});
  for (const std::string bad : {"2-1", "1-", "-1", "a-b", "1-2-3", "99999999999999999999"})
    shell.refused(body + "--channels=" + bad, {"--channels", bad, "0-15"});
  shell.refused(body + "--scale log", {"--scale log", "shared or own"});
}

BOOST_AUTO_TEST_CASE(gradients_of_units) {
  const Shell shell;
  const std::string body = "activations" + with_input + "--layer body --gradients ";
  // body = relu(2x), and x is above 0: a unit is twice one pixel.
  const json document =
      shell.document(body + "--channels 1-2 --place 0,1 --array units.npy --out units.png")["images"][0];
  const json& units = document["layers"][0]["units"];
  BOOST_TEST(document["layers"][0]["layer"] == "body");
  BOOST_REQUIRE(units.size() == 2U);
  BOOST_TEST(units[0]["neuron"] == 1);
  BOOST_TEST(units[0]["y"] == 0);
  BOOST_TEST(units[0]["x"] == 1);
  BOOST_TEST(std::abs(units[0]["value"].get<double>() - 2 * 60.0 / 255) < 1e-6);
  BOOST_TEST(units[1]["largest_gradient"] == 2);
  Tensor expected = torch::zeros({2, 3, 2, 2});
  expected[0][1][0][1] = expected[1][2][0][1] = 2;
  BOOST_TEST(far(read_npy(shell.path("units.npy")), expected) == 0);
  BOOST_TEST(read_image(shell.path("units.png")).size(3) > 300);
  // Left out, the place is where each channel is largest: the last pixel. The strongest channel is 2.
  const json all = shell.document(body + "--sort")["images"][0]["layers"][0]["units"];
  BOOST_REQUIRE(all.size() == 3U);
  BOOST_TEST(all[0]["neuron"] == 2);
  BOOST_TEST(all[0]["y"] == 1);
  BOOST_TEST(all[0]["x"] == 1);
  // The same file twice is two images.
  BOOST_TEST(shell.document(body + "--input a.png")["images"].size() == 2U);
  const Outcome told = shell.run(body + "--channels 0");
  BOOST_TEST(told.code == 0);
  BOOST_TEST(told.out.find("channel") != std::string::npos);
  BOOST_TEST(told.out.find("1, 1") != std::string::npos);
  shell.refused(body + "--place 2,0", {"row y 2", "0 to 1"});
  shell.refused(body + "--place 1", {"--place", "Y,X"});
  shell.refused("activations" + with_input + "--layer body --place 0,0", {"--place", "--gradients"});
  // A layer with its channels last.
  torch::jit::Module last("Last"), network("Network");
  last.define("def forward(self, x):\n  return (2 * x).permute([0, 2, 3, 1])\n");
  network.register_module("last", last);
  network.define("def forward(self, x):\n  return self.last.forward(x).flatten(1)\n");
  network.save(shell.path("last.pt"));
  write_npy(shell.path("eight.npy"), torch::rand({1, 3, 8, 8}));
  shell.refused("activations --model last.pt --input eight.npy --layer last --gradients",
                {"--gradients", "'last'", "1×8×8×3", "channels last"});
  shell.refused("activations" + model + "--input a.png a.png --layer body --gradients --array u.npy",
                {"--array", "one image", "2 were given"});
}

BOOST_AUTO_TEST_CASE(a_tour_through_all_layers) {
  const Shell shell;
  const json listed = shell.document("layers" + with_input);
  const json toured =
      shell.document("activations" + with_input + "--all --out tour.png")["images"][0]["layers"];
  BOOST_REQUIRE(toured.size() == listed["layers"].size());
  BOOST_TEST(toured[0]["layer"] == "body");
  BOOST_TEST(toured[0]["kind"] == "Doubling");
  BOOST_TEST((toured[0]["shape"] == json{1, 3, 2, 2}));
  BOOST_TEST(toured[0]["channels"][0]["channel"] == 2);
  BOOST_TEST(read_image(shell.path("tour.png")).size(3) > 300);
  const Outcome told = shell.run("activations" + with_input + "--all --scale own");
  BOOST_TEST(told.code == 0);
  BOOST_TEST(told.out.find("body   Doubling  1×3×2×2  2 (1.88), 0 (1.6), 1 (0.941)") != std::string::npos);
  for (const std::string option : {"--layer body", "--gradients", "--sort", "--channels 0", "--array a2.npy"})
    shell.refused("activations" + with_input + "--all " + option,
                  {"--all", option.substr(0, option.find(' '))});
}

BOOST_AUTO_TEST_CASE(an_option_without_meaning_is_refused) {
  const Shell shell;
  const std::string explain = "explain" + with_input;
  shell.refused(explain + "--method gradient --samples 9", {"--samples", "gradient", "smoothgrad"});
  shell.refused(explain + "--method vargrad --until 0.1", {"--until", "vargrad"});
  shell.refused(explain + "--method smoothgrad --steps 9", {"--steps", "integrated-gradients"});
  shell.refused(explain + "--method integrated-gradients --seed 9", {"--seed", "noise"});
  shell.refused(explain + "--method deconvnet --baseline black", {"--baseline"});
  shell.refused(explain + "--method gradient --no-upsample", {"--no-upsample", "grad-cam"});
  shell.refused(explain + "--method gradient --channel 1", {"--channel", "--layer"});
  shell.refused(explain + "--method gradient --neuron 1,2 --layer body", {"--neuron", "C,Y,X"});
  shell.refused(explain + "--method gradient --layer body --target 1", {"--target", "--layer"});
  shell.refused(explain + "--method gradient --layer body --channel 1 --neuron 1", {"--channel", "--neuron"});
  shell.refused("layers" + with_input + "--out a.png", {"--out"});
}

BOOST_AUTO_TEST_CASE(values_out_of_range_are_refused) {
  const Shell shell;
  const std::string explain = "explain" + with_input;
  shell.refused(explain + "--method magic", {"magic", "smoothgrad, smoothgrad-squared"});
  shell.refused(explain + "--method smoothgrad --samples 0", {"samples is 0"});
  shell.refused(explain + "--method smoothgrad --noise -0.5", {"noise is -0.5"});
  shell.refused(explain + "--method integrated-gradients --steps 0", {"steps is 0"});
  shell.refused(explain + "--method integrated-gradients --baseline white", {"white", "black, mean, blur"});
  shell.refused(explain + "--method gradient --target 2", {"class 2", "0 to 1"});
  shell.refused(explain + "--method gradient --target -1", {"class -1"});
  shell.refused(explain + "--method gradient --layer body --channel 3", {"channel 3", "0 to 2"});
  shell.refused(explain + "--method gradient --layer bodi", {"bodi", "body"});
  shell.refused(explain + "--threads 0", {"--threads 0"});
  shell.refused(explain + "--device gpu", {"gpu", "cuda"});
  shell.refused("patches --model shapes-vgg --images . --layer features.4 --precision auto",
                {"fp32 or bf16"});
  shell.refused(explain + "--precision fp16", {"--precision fp16", "fp32, bf16 or auto"});
  write_npy(shell.path("bad.npy"), torch::full({1, 3, 2, 2}, std::nan("")));
  shell.refused("explain" + model + "--input bad.npy --method gradient", {"bad.npy", "NaN"});
  if (!at::hasCUDA()) shell.refused(explain + "--device cuda", {"--device cuda", "--device cpu"});
}

BOOST_AUTO_TEST_CASE(in_any_precision_the_map_is_the_same) {
  const Shell shell;
  shell.run("shapes --out world --count 1");
  const std::string explain = "explain --model shapes-vgg --method smoothgrad --samples 10 --input " +
                              list_images(shell.path("world")).at(0).string();
  double sampling_error = 0;
  const auto map = [&](const std::string& precision) {
    const json found =
        shell.document(explain + " --precision " + precision + " --array " + precision + ".npy");
    sampling_error = found["images"][0]["standard_error"];
    return read_npy(shell.path(precision + ".npy"));
  };
  const Tensor expected = map("fp32");
  // How bfloat16 is rounded differs from processor to processor; nowhere may it be seen beside the noise.
  const double most = 0.5 * sampling_error;
  for (const std::string precision : {"bf16", "auto"}) {
    const Tensor found = map(precision);
    const double far = (found - expected).norm().item<double>() / expected.norm().item<double>();
    BOOST_TEST(far < most, precision);
    BOOST_TEST((far > 0 || precision == "auto"));
  }
}

BOOST_AUTO_TEST_CASE(dreams_of_a_class) {
  const Shell shell;
  // Scores are linear in images above 0: each step goes along the weights, up to black and white.
  const std::string dream = "dream" + model + "--target 0 --objective score --preset plain --size 2 ";
  const json document = shell.document(dream + "--steps 300 --array x.npy --out x.png");
  const json& its = document["images"][0];
  BOOST_TEST(its["preset"] == "plain");
  BOOST_TEST(its["objective"]["class"] == 0);
  BOOST_TEST(its["objective"]["probability"] == its["probability"]);
  BOOST_TEST(its["predicted"] == 0);
  BOOST_TEST(its["predicted_name"].is_null());
  BOOST_TEST(its["value"].get<double>() > its["value_before"].get<double>());
  const Tensor made = read_npy(shell.path("x.npy")), w = weights()[0].view({1, 3, 2, 2});
  const Tensor extreme = torch::where(w > 0, torch::ones_like(w), torch::zeros_like(w));
  BOOST_TEST(far(made.masked_select(w != 0), extreme.masked_select(w != 0)) < 1e-6);
  BOOST_TEST(its["extreme"].get<double>() == 11 / 12.0, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(std::filesystem::exists(shell.path("x.png")));

  BOOST_TEST(shell.document(dream + "--steps 3 --seed 5") == shell.document(dream + "--steps 3 --seed 5"));
  const Outcome told = shell.run(dream + "--steps 3 --labels labels.txt");
  BOOST_TEST(told.code == 0);
  BOOST_TEST(told.out.find("cat (0)") != std::string::npos);

  // Two at once; frames beside the picture.
  BOOST_TEST(
      shell.document("dream" + model + "--target 0,1 --size 2 --steps 2 --preset plain")["images"].size() ==
      2U);
  BOOST_TEST(shell.run(dream + "--steps 4 --every 2 --out film.png").code == 0);
  for (const std::string frame : {"film-0000.png", "film-0002.png", "film-0004.png"})
    BOOST_TEST(std::filesystem::exists(shell.path(frame)), frame);
}

BOOST_AUTO_TEST_CASE(dreams_of_a_layer_and_their_comparison) {
  const Shell shell;
  const std::string dream = "dream" + model + "--size 16 --layer body ";
  for (const std::string part : {"--channel 0,2", "--neuron 1", "--neuron 1,0,1", ""})
    BOOST_TEST(shell.run(dream + part + " --steps 2 --decay 0.1").code == 0, part);
  const json document = shell.document(dream + "--channel 1 --steps 2 --compare --out compared.png");
  BOOST_TEST(document["images"].size() == 10U);
  BOOST_TEST(document["images"][9]["preset"] == "natural");
  // An image to begin with, at several sizes.
  BOOST_TEST(
      shell.run("dream" + with_input + "--layer body --preset plain --octaves 2 --steps 2 --array x.npy")
          .code == 0);
  BOOST_TEST(read_npy(shell.path("x.npy")).size(3) == 2);
}

BOOST_AUTO_TEST_CASE(dreams_that_are_refused) {
  const Shell shell;
  const std::string dream = "dream" + model + "--size 8 ";
  std::filesystem::create_directories(shell.path("two"));
  for (const std::string file : {"two/a.png", "two/b.png"})
    std::filesystem::copy(shell.path("a.png"), shell.path(file));
  shell.refused(dream + "--target 0 --input two", {"--input two has 2"});
  shell.refused("layers" + model + "--input two", {"one image", "--input two has 2"});
  shell.refused(dream, {"--target", "--layer"});
  shell.refused(dream + "--target 1 --layer body", {"--target", "--layer"});
  shell.refused(dream + "--channel 1", {"--layer"});
  shell.refused(dream + "--target 1 --objective softmax", {"softmax", "score or log-odds"});
  shell.refused(dream + "--layer body --objective score", {"--objective", "--target"});
  shell.refused(dream + "--layer body --neuron 1,2", {"C,Y,X"});
  shell.refused(dream + "--layer body --channel 7", {"channel 7", "0 to 2"});
  shell.refused(dream + "--target 0 --preset magic", {"'magic'", "natural"});
  shell.refused(dream + "--target 0 --preset natural --decay 0.1", {"--preset", "--decay"});
  shell.refused(dream + "--target 0 --compare --preset natural", {"--compare"});
  shell.refused(dream + "--target 0 --every 2", {"--out"});
  shell.refused(dream + "--target 0 --decay 2", {"L2", "0 to 1"});
  shell.refused(dream + "--target 0 --steps 0", {"0 steps"});
  shell.refused("dream" + model + "--target 0", {".height", "crops"});
}

BOOST_AUTO_TEST_CASE(inversions) {
  const Shell shell;
  const json document =
      shell.document("invert" + with_input + "--layer body --lambda 0,1 --array x.npy --out x.png");
  BOOST_TEST(document["images"].size() == 2U);
  const json& free = document["images"][0];
  BOOST_TEST(free["layer"] == "body");
  BOOST_TEST(free["errors"].size() == 4U);
  BOOST_TEST(free["errors"][3].get<double>() < free["errors"][0].get<double>());
  BOOST_TEST(free["total_variation_weight"] == 0);
  BOOST_TEST(document["images"][1]["total_variation_weight"] == 50);
  // A layer that doubles what is above 0 knows the image: without total variation it comes back.
  BOOST_TEST(far(read_npy(shell.path("x.npy")).slice(0, 0, 1), image()) < 0.2);
  BOOST_TEST(shell.run("invert" + with_input + "--layer body --cosine --faster 100").code == 0);
  shell.refused("invert" + with_input, {"--layer"});
  shell.refused("invert" + model + "--layer body", {"--input"});
  shell.refused("invert" + with_input + "--layer bodi", {"bodi", "body"});
  shell.refused("invert" + with_input + "--layer body --lambda -1", {"--lambda -1"});
  shell.refused("invert" + with_input + "--layer body --faster 0.5", {"--faster 0.5"});
}

BOOST_AUTO_TEST_CASE(files_that_are_no_good_are_named) {
  const Shell shell;
  shell.refused("classify --model none.pt --input a.png", {"none.pt"});
  shell.refused("classify --model vgg16:vgg16.pth --input a.png", {"vgg16.pth"});
  shell.put("half.pt", contents(shell.path("net.pt")).substr(0, 700));
  shell.refused("classify --model half.pt --input a.png", {"half.pt"});
  shell.refused("classify" + model + "--input none.png", {"none.png"});
  shell.put("text.png", "no picture");
  shell.refused("classify" + model + "--input text.png", {"text.png", "PNG or JPEG"});
  shell.put("one.txt", "cat\n");
  shell.refused("classify" + with_input + "--labels one.txt", {"one.txt", "1 labels", "2"});
  shell.refused("classify" + with_input + "--labels none.txt", {"none.txt"});
  shell.refused("dream" + model + "--target 0 --size 2 --steps 1 --preset plain --labels one.txt",
                {"one.txt", "1 labels", "2"});
  const std::string with_preprocess = "classify --model net.pt --input a.png --preprocess ";
  const std::pair<const char*, const char*> wrong[] = {
      {R"({"size": 3})", "\"size\""},
      {R"({"crop": "3"})", "\"crop\""},
      {R"({"crop": 2.5})", "\"crop\""},
      {R"({"resize": -1})", "\"resize\""},
      {R"({"mean": 0.5})", "\"mean\""},
      {R"({"std": [1, 1, 0]})", "\"std\""},
      {R"({"mean": [0, 0, 0], "std": [1, 1]})", "\"mean\" has 3"},
      {R"({"interpolation": "cubic"})", "\"interpolation\""},
      {R"([1])", "object"},
      {R"({"crop": )", "not JSON"}};
  for (const auto& [text, word] : wrong) {
    shell.put("p.json", text);
    shell.refused(with_preprocess + "p.json", {"p.json", word});
  }
  shell.refused(with_preprocess + "imagnet", {"imagnet", "imagenet"});
  // Two inputs of different sizes make no array, but two rows of a picture.
  write_npy(shell.path("large.npy"), torch::rand({1, 3, 4, 4}));
  shell.refused("explain" + with_input + "--input large.npy --method gradient --array x.npy",
                {"one size", "large.npy"});
}

BOOST_AUTO_TEST_CASE(outputs_are_whole_or_not_there) {
  const Shell shell;
  const auto before = shell.files();
  // Found before the model is even looked for.
  shell.refused("explain --model none.pt --input a.png --out none/a.png", {"none/a.png", "no folder"});
  shell.refused("explain --model none.pt --input a.png --array none/a.npy", {"none/a.npy", "no folder"});
  shell.refused("explain" + with_input + "--out a.jpg", {"a.jpg", ".png"});
  shell.refused("explain" + with_input + "--array a.png", {"a.png", ".npy"});
  shell.refused("explain" + with_input + "--method gradient --target 7 --out x.png --array x.npy",
                {"class 7"});
  auto after = shell.files();
  std::erase_if(after, [](const std::string& name) { return name == "stdout" || name == "stderr"; });
  BOOST_TEST(after.size() == before.size());
  if (std::filesystem::exists("/dev/full")) {
    const Outcome full = shell.run("classify" + with_input, "/dev/full");
    BOOST_TEST(full.code == 1);
    BOOST_TEST(full.err.starts_with("pellucid: "));
  }
}

BOOST_AUTO_TEST_CASE(without_preprocess_photos_are_fed_as_they_are_and_that_is_said) {
  const Shell shell;
  const Outcome outcome = shell.run("classify --model net.pt --input a.png");
  BOOST_TEST(outcome.code == 0);
  BOOST_TEST(outcome.err.find("--preprocess imagenet") != std::string::npos);
  BOOST_TEST(shell.run("classify --model net.pt --input a.npy").err == "");
}

/// How many of the photos, named NNN_name after their class, a network names right.
int right_photos(const Shell& shell, const std::string& model_options, const std::string& labels,
                 int& photos) {
  const std::filesystem::path data = PELLUCID_TEST_DATA;
  const auto lines = [](const std::filesystem::path& file) {
    std::istringstream text(contents(file));
    std::vector<std::string> all;
    for (std::string line; std::getline(text, line);) all.push_back(line);
    return all;
  };
  const auto names = lines(data / "imagenet_classes.txt");
  const json document =
      shell.document("classify " + model_options + " --labels '" + (data / labels).string() + "' --input '" +
                     (data / "photos").string() + "'/[0-9]*");
  int right = 0;
  photos = 0;
  for (const json& entry : document["images"]) {
    const std::string file = std::filesystem::path(entry["input"].get<std::string>()).filename().string();
    right += entry["top"][0]["name"] == names.at(std::stoul(file.substr(0, 3)));
    ++photos;
  }
  return right;
}

BOOST_AUTO_TEST_CASE(real_networks_name_real_photos) {
  const std::filesystem::path data = PELLUCID_TEST_DATA;
  if (!std::filesystem::exists(data / "photos")) {
    BOOST_TEST_MESSAGE("passed over: there is no " << data.string());
    return;
  }
  const Shell shell;
  int photos = 0;
  const auto model_file = [&](const std::string& name) {
    return "--model '" + (data / "models" / name).string() + "'";
  };
  BOOST_TEST(right_photos(shell, model_file("squeezenet1_0.torchscript.pt") + " --preprocess imagenet",
                          "imagenet_classes.txt", photos) == 28);
  BOOST_TEST(photos == 28);
  shell.put("darknet.json", R"({"resize": 256, "crop": 224})");
  BOOST_TEST(right_photos(shell, model_file("darknet_tiny.torchscript.pt") + " --preprocess darknet.json",
                          "models/darknet_tiny.labels.txt", photos) >= 27);
}

BOOST_AUTO_TEST_SUITE_END()
