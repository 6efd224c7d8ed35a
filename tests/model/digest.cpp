#include <boost/test/unit_test.hpp>

#include <pellucid/model/any_model.hpp>
#include <pellucid/model/digest.hpp>
#include <pellucid/model/script.hpp>
#include <pellucid/model/weights/safetensors.hpp>

#include <locale>
#include <memory>
#include <string>

#include "image/temporary.hpp"
#include "support.hpp"

using namespace pellucid;

namespace {

/// x · weight, with a buffer that takes no part.
struct Scale : torch::nn::Module {
  Scale() {
    weight = register_parameter("weight", torch::tensor({1.0F, -2.0F}));
    register_buffer("seen", torch::tensor({std::int64_t(3)}));
  }
  Tensor forward(const Tensor& x) { return x * weight; }
  Tensor weight{};
};

// 1 is 3F800000 and −2 is C0000000, both with the lowest byte first.
const std::string weight("weight\nFloat[2]\n\x00\x00\x80\x3F\x00\x00\x00\xC0", 16 + 8);
const std::string seen("seen\nLong[1]\n\x03\x00\x00\x00\x00\x00\x00\x00", 13 + 8);

}  // namespace

BOOST_AUTO_TEST_SUITE(model_digest)

BOOST_AUTO_TEST_CASE(of_names_types_shapes_and_bytes) {
  const auto model = adapt(std::make_shared<Scale>());
  BOOST_TEST(pellucid::model_digest(model) == digest_of(weight + seen));
  BOOST_TEST(pellucid::model_digest(AnyModel(model)) == digest_of(weight + seen));

  torch::jit::Module script("scale");
  script.register_parameter("weight", torch::tensor({1.0F, -2.0F}), false);
  script.define("def forward(self, x):\n    return x * self.weight\n");
  BOOST_TEST(pellucid::model_digest(adapt(script)) == digest_of(weight));
}

BOOST_AUTO_TEST_CASE(of_a_function_is_that_of_nothing) {
  const auto function = test::model_of([](const Tensor& x) { return x; });
  BOOST_TEST(pellucid::model_digest(function) == digest_of(""));
  const auto callable = [](const Images& images) { return images; };
  BOOST_TEST(pellucid::model_digest(callable) == digest_of(""));
}

BOOST_AUTO_TEST_CASE(other_weights_have_another) {
  const auto net = std::make_shared<test::SmallNet>();
  const auto model = adapt(net);
  const std::string digest = pellucid::model_digest(model);
  BOOST_TEST(pellucid::model_digest(test::small_net()) == digest);  // another of the same seed
  BOOST_TEST(pellucid::model_digest(model.at_any_size()) == digest);
  BOOST_TEST(pellucid::model_digest(model.shuffled({"last"}, 1)) != digest);
  BOOST_TEST(pellucid::model_digest(model) == digest);
  {
    const torch::NoGradGuard no_grad;
    net->last->bias[0] += 1;
  }
  BOOST_TEST(pellucid::model_digest(model) != digest);

  torch::jit::Module script("scale");
  script.register_parameter("weight", torch::arange(20).to(torch::kFloat), false);
  script.define("def forward(self, x):\n    return x * self.weight\n");
  const auto scripted = adapt(script);
  BOOST_TEST(pellucid::model_digest(scripted.shuffled(scripted.weighted_layers(torch::ones({1, 20})), 1)) !=
             pellucid::model_digest(scripted));
}

BOOST_AUTO_TEST_CASE(a_host_program_may_write_numbers_as_its_country_does) {
  struct Thousands : std::numpunct<char> {
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };
  struct Wide : torch::nn::Module {
    Wide() { weight = register_parameter("weight", torch::ones({1, 2000})); }
    Tensor forward(const Tensor& x) { return x * weight[0][0]; }
    Tensor weight{};
  };
  const auto model = adapt(std::make_shared<Wide>());
  const TemporaryFolder folder;
  const std::string before = pellucid::model_digest(model);
  write_safetensors(folder.path() / "before", model.state());
  const std::locale old = std::locale::global(std::locale(std::locale(), new Thousands));
  const std::string behind = pellucid::model_digest(model);
  write_safetensors(folder.path() / "behind", model.state());
  std::locale::global(old);
  BOOST_TEST(behind == before);
  BOOST_TEST(contents(folder.path() / "behind") == contents(folder.path() / "before"));
}

BOOST_AUTO_TEST_SUITE_END()
