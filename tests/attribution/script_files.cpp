#include <boost/test/unit_test.hpp>

#include <pellucid/attribution/methods/grad_cam.hpp>
#include <pellucid/attribution/methods/gradient.hpp>
#include <pellucid/model/script.hpp>
#include <pellucid/objective/channel.hpp>

#include <torch/nn.h>
#include <torch/serialize.h>

#include <string>
#include <vector>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;
using test::difference;

namespace {

/// A file of a module with a submodule `conv`, 3 → 2 channels of weight 1/4: the scores are its maps' means.
std::filesystem::path network(const TemporaryFolder& folder) {
  torch::jit::Module conv("Conv");
  conv.register_parameter("weight", torch::full({2, 3, 1, 1}, 0.25F), false);
  conv.define("def forward(self, x):\n  return torch.conv2d(x, self.weight)\n");
  torch::jit::Module module("Net");
  module.register_module("conv", conv);
  module.define("def forward(self, x):\n  return self.conv.forward(x).mean([2, 3])\n");
  const auto file = folder.path() / "network.pt";
  module.save(file.string());
  return file;
}

/// The message of what is thrown; one line of it, or the test fails.
std::string refusal(const std::filesystem::path& file) {
  try {
    load_script(file);
  } catch (const Error& error) {
    const std::string message = error.what();
    BOOST_TEST(message.find('\n') == std::string::npos, message);
    BOOST_TEST(message.find(file.filename().string()) != std::string::npos, message);
    return message;
  }
  return "(accepted)";
}

void check_refusal(const std::filesystem::path& file, const std::string& words) {
  const std::string message = refusal(file);
  BOOST_TEST(message.find(words) != std::string::npos, message << " -- does not say: " << words);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attribution_script_files)

BOOST_AUTO_TEST_CASE(a_file_is_read_and_explained) {
  const TemporaryFolder folder;
  const auto model = load_script(network(folder));
  const Images x = test::some_images({2, 3, 4, 4});
  BOOST_TEST(difference(Attribution<Gradient>()(model, x).attribution, torch::full({2, 3, 4, 4}, 0.25 / 16)) <
             1e-7);
  const Tensor of_conv = Attribution<Gradient>()(model, x, Channel{"conv", 1}).attribution;
  BOOST_TEST(difference(of_conv, torch::full({2, 3, 4, 4}, 0.25 / 16)) < 1e-7);
  BOOST_TEST(difference(Attribution<GradCAM>()(model, x).attribution, x.sum(1, true) * 0.25 / 16) < 1e-6);
}

BOOST_AUTO_TEST_CASE(wrong_requests_of_a_file_are_errors_of_one_line) {
  const TemporaryFolder folder;
  const auto model = load_script(network(folder));
  const Images x = test::some_images({1, 3, 4, 4});
  const auto one_line = [](std::vector<std::string> words) {
    return [expected = says(std::move(words))](const Error& error) {
      const std::string message = error.what();
      BOOST_TEST_MESSAGE(message);
      return expected(error) && message.find('\n') == std::string::npos;
    };
  };
  const Attribution<Gradient> why;
  BOOST_CHECK_EXCEPTION(why(model, x, Class{2}), Error, one_line({"class 2", "0 to 1"}));
  BOOST_CHECK_EXCEPTION(why(model, x, Channel{"cony", 0}), Error, one_line({"'cony'", "The closest: conv"}));
  BOOST_CHECK_EXCEPTION(why(model, test::some_images({1, 4, 5, 5}), Class{0}), Error,
                        one_line({"[1, 4, 5, 5]", "could not be run"}));
}

BOOST_AUTO_TEST_CASE(files_that_are_not_there_or_not_torchscript) {
  const TemporaryFolder folder;
  check_refusal(folder.path() / "nothing.pt", "there is no model file");
  check_refusal(folder.path(), "is a folder");
  check_refusal(folder.put("empty.pt", ""), "it is empty");
  check_refusal(folder.put("words.pt", "this is not a model, but a sentence"), "it is not a zip archive");
  check_refusal(folder.put("short.pt", "P"), "it is not a zip archive");
  check_refusal(folder.put("zip.pt", std::string("PK\x05\x06", 4) + std::string(18, '\0')),
                "cannot be read as TorchScript");

  torch::save(torch::nn::Linear(2, 3), (folder.path() / "linear.pt").string());
  check_refusal(folder.path() / "linear.pt", "no forward");

  torch::jit::Module mute("Mute");
  mute.save((folder.path() / "mute.pt").string());
  check_refusal(folder.path() / "mute.pt", "no forward");
}

BOOST_AUTO_TEST_CASE(a_checkpoint_is_told_from_a_program) {
  // torch.save({"weight": …}) writes a zip with data.pkl and no code.
  const TemporaryFolder folder;
  const auto bytes = torch::pickle_save(torch::ones({4}));
  check_refusal(folder.put("checkpoint.pth", {bytes.begin(), bytes.end()}), "it is a checkpoint");
}

BOOST_AUTO_TEST_CASE(a_truncated_file_is_refused_wherever_it_ends) {
  const TemporaryFolder folder;
  const std::string whole = contents(network(folder));
  for (const double share : {0.999, 0.9, 0.5, 0.1, 0.01})
    check_refusal(folder.put("cut.pt", whole.substr(0, std::size_t(share * double(whole.size())))),
                  "its end is missing");
}

BOOST_AUTO_TEST_CASE(a_damaged_file_is_refused_or_gives_other_numbers) {
  const TemporaryFolder folder;
  const std::string whole = contents(network(folder));
  std::size_t refused = 0;
  for (std::size_t at = 0; at < whole.size(); at += whole.size() / 61) {
    std::string damaged = whole;
    for (std::size_t i = at; i < std::min(at + 16, whole.size()); ++i) damaged[i] = char(~damaged[i]);
    refused += refusal(folder.put("damaged.pt", damaged)) != "(accepted)";
  }
  BOOST_TEST(refused > 0u);
}

BOOST_AUTO_TEST_SUITE_END()
