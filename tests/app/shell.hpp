#pragma once
/// The program as a shell runs it, in a folder with a small network and an image.
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <pellucid/image/npy.hpp>
#include <pellucid/image/write.hpp>

#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "image/temporary.hpp"

using namespace pellucid;
using nlohmann::json;

struct Outcome {
  int code = -1;
  std::string out{}, err{};
};

/// A network whose answers are known: scores = W · flatten(relu(2x)), two classes, images 1×3×2×2. For images
/// above 0 the gradient of a score is 2·W, whatever the noise.
inline const Tensor& weights() {
  static const Tensor values =
      torch::tensor({0.5,  -1.0, 0.25, 2.0,  0.0, 1.5, -0.5, 0.75,  1.0, -0.25, 0.5,  -2.0,  //
                     -0.5, 0.5,  1.25, -1.0, 1.0, 0.5, 0.5,  -0.75, 2.0, 0.25,  -1.5, 1.0})
          .to(torch::kFloat)
          .view({2, 12});
  return values;
}

/// Values that an 8-bit PNG holds, all above 0 and below 1.
inline Tensor image() {
  return torch::tensor({51, 102, 153, 204, 30, 60, 90, 120, 150, 180, 210, 240})
      .to(torch::kFloat)
      .div_(255)
      .view({1, 3, 2, 2});
}

class Shell {
 public:
  Shell() {
    torch::jit::Module body("Doubling");
    body.define("def forward(self, x):\n  return torch.relu(2 * x)\n");
    torch::jit::Module network("Network");
    network.register_parameter("weight", weights(), false);
    network.register_module("body", body);
    network.define(
        "def forward(self, x):\n  return torch.matmul(self.body.forward(x).flatten(1), self.weight.t())\n");
    network.save(path("net.pt"));
    write_png(path("a.png"), to_picture(image()));
    write_npy(path("a.npy"), image());
    folder_.put("labels.txt", "cat\ndog\n");
  }

  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string put(const std::string& name, const std::string& bytes) const {
    return folder_.put(name, bytes).string();
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      names.push_back(entry.path().filename().string());
    return names;
  }

  /// Runs the program in the folder, whose files can be named without it.
  Outcome run(const std::string& arguments, const std::string& to = "") const {
    const std::string out = to.empty() ? "'" + path("stdout") + "'" : to;
    const std::string command = "cd '" + folder_.path().string() + "' && '" + PELLUCID_BIN_DIR "/pellucid' " +
                                arguments + " >" + out + " 2>'" + path("stderr") + "'";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, to.empty() ? contents(path("stdout")) : "",
            contents(path("stderr"))};
  }

  /// A request that must be refused, in a line or a few, with these words and without output.
  void refused(const std::string& arguments, const std::vector<std::string>& words, int code = 2) const {
    const Outcome outcome = run(arguments);
    BOOST_TEST_CONTEXT(arguments << "\n" << outcome.err) {
      BOOST_TEST(outcome.code == code);
      BOOST_TEST(outcome.out == "");
      BOOST_TEST(outcome.err.starts_with("pellucid: "));
      BOOST_TEST(std::count(outcome.err.begin(), outcome.err.end(), '\n') <= 3);
      BOOST_TEST(outcome.err.find("frame #") == std::string::npos);
      for (const std::string& word : words)
        BOOST_TEST_CONTEXT(word) BOOST_TEST(outcome.err.find(word) != std::string::npos);
    }
  }

  json document(const std::string& arguments) const {
    const Outcome outcome = run(arguments + " --json");
    BOOST_TEST_CONTEXT(arguments) {
      BOOST_TEST(outcome.code == 0);
      BOOST_TEST(outcome.err == "");
    }
    return json::parse(outcome.out);
  }

 private:
  TemporaryFolder folder_;
};

inline const std::string model = " --model net.pt --preprocess unchanged ";
inline const std::string with_input = model + "--input a.png ";

inline double far(const Tensor& a, const Tensor& b) {
  BOOST_REQUIRE_EQUAL(a.sizes(), b.sizes());
  return (a - b).abs().max().item<double>();
}
