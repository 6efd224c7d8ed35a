// Files of weights: read, written, damaged, and put into a module.
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <pellucid/model/weights/load.hpp>
#include <pellucid/model/weights/safetensors.hpp>

#include <torch/nn.h>

#include "image/temporary.hpp"

namespace {

using namespace pellucid;
namespace nn = torch::nn;

template <class T>
std::string raw(std::vector<T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

/// A file of the format: length of the header, header, data.
std::string file_of(const std::string& header, const std::string& data = "") {
  return raw<std::uint64_t>({header.size()}) + header + data;
}

std::string entry(const std::string& name, const std::string& type, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets +
         "}";
}

const Tensor counted = torch::tensor({{1.f, 2.f, 3.f}, {4.f, 5.f, 6.f}});
const std::string six = raw<float>({1, 2, 3, 4, 5, 6});

std::vector<std::string> names_of(const NamedTensors& tensors) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) names.push_back(name);
  return names;
}

bool same(const Tensor& a, const Tensor& b) {
  return a.scalar_type() == b.scalar_type() && a.sizes() == b.sizes() && a.equal(b);
}

struct Fixture {
  TemporaryFolder folder{};
  std::filesystem::path path = folder.path() / "w.safetensors";

  Checkpoint read(const std::string& bytes) { return read_safetensors(folder.put("a.safetensors", bytes)); }
  std::string written(const NamedTensors& tensors, const std::map<std::string, std::string>& metadata = {}) {
    write_safetensors(path, tensors, metadata);
    return contents(path);
  }
};

/// A module with parameters and buffers on two floors, in an order of its own.
struct TwoFloorsImpl : nn::Module {
  TwoFloorsImpl() {
    conv = register_module("conv", nn::Conv2d(nn::Conv2dOptions(3, 4, 3).bias(false)));
    norm = register_module("bn", nn::BatchNorm2d(4));
    scale = register_parameter("scale", torch::rand({4, 1, 1}));
    fc = register_module("a_head", nn::Linear(4, 2));
  }
  nn::Conv2d conv{nullptr};
  nn::BatchNorm2d norm{nullptr};
  nn::Linear fc{nullptr};
  Tensor scale;
};
TORCH_MODULE(TwoFloors);

// What Python's state_dict() of the same module lists, in its order.
const std::vector<std::string> two_floors_names = {"scale",
                                                   "conv.weight",
                                                   "bn.weight",
                                                   "bn.bias",
                                                   "bn.running_mean",
                                                   "bn.running_var",
                                                   "bn.num_batches_tracked",
                                                   "a_head.weight",
                                                   "a_head.bias"};

Checkpoint other_values(const nn::Module& module) {
  Checkpoint checkpoint{state_of(module)};
  for (auto& [name, tensor] : checkpoint.tensors)
    tensor = tensor.is_floating_point() ? torch::rand_like(tensor) : torch::full_like(tensor, 7);
  return checkpoint;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(model_weights, Fixture)

BOOST_AUTO_TEST_CASE(reads_bytes_written_by_hand) {
  // In the header's order no entry is where its data are; spaces where JSON allows them; one byte of BOOL
  // puts what follows where no float or double may lie.
  const std::string header =
      "{" + entry("last", "F64", "[2]", "[37,53]") + ",\n \"__metadata__\" : {\"format\":\"pt\"," +
      "\"\\u00e9\":\"two\\nlines\"}," + entry("whole", "F32", "[2, 3]", "[0, 24]") + "," +
      entry("flag", "BOOL", "[]", "[24,25]") + "," + entry("none", "F16", "[0,3]", "[25,25]") + "," +
      entry("half", "F16", "[2,1]", "[25,29]") + "," + entry("count", "I64", "[1]", "[29,37]") + "}   ";
  const Checkpoint checkpoint = read(file_of(header, six + '\x01' + raw<std::uint16_t>({0x3C00, 0xC400}) +
                                                         raw<std::int64_t>({-7}) + raw<double>({0.5, -2})));
  const std::vector<std::string> names = {"whole", "flag", "none", "half", "count", "last"};
  BOOST_TEST(names_of(checkpoint.tensors) == names);
  BOOST_TEST(same(*checkpoint.find("whole"), counted));
  BOOST_TEST(same(*checkpoint.find("flag"), torch::tensor(true)));
  BOOST_TEST(same(*checkpoint.find("none"), torch::empty({0, 3}, at::kHalf)));
  BOOST_TEST(same(*checkpoint.find("half"), torch::tensor({{1.f}, {-4.f}}).to(at::kHalf)));
  BOOST_TEST(same(*checkpoint.find("count"), torch::tensor({std::int64_t(-7)})));
  BOOST_TEST(same(*checkpoint.find("last"), torch::tensor({0.5, -2.0}, at::kDouble)));
  BOOST_TEST((checkpoint.find("flags") == nullptr));
  BOOST_TEST(
      (checkpoint.metadata == std::map<std::string, std::string>{{"format", "pt"}, {"é", "two\nlines"}}));
}

BOOST_AUTO_TEST_CASE(reads_every_type) {
  const auto check = [&](const std::string& type, const std::string& data, const Tensor& expected) {
    const Checkpoint checkpoint =
        read(file_of("{" + entry("x", type, "[2]", "[0," + std::to_string(data.size()) + "]") + "}", data));
    BOOST_TEST_CONTEXT(type) BOOST_TEST(same(*checkpoint.find("x"), expected));
  };
  check("BOOL", std::string("\x00\x01", 2), torch::tensor({false, true}));
  check("BOOL", std::string("\x00\xFE", 2), torch::tensor({false, true}));
  check("U8", "\x07\xFF", torch::tensor({7, 255}, at::kByte));
  check("I8", "\x07\xFF", torch::tensor({7, -1}, at::kChar));
  check("I16", raw<std::int16_t>({300, -300}), torch::tensor({300, -300}, at::kShort));
  check("I32", raw<std::int32_t>({70000, -1}), torch::tensor({70000, -1}, at::kInt));
  check("I64", raw<std::int64_t>({1ll << 40, -1}), torch::tensor({std::int64_t(1) << 40, std::int64_t(-1)}));
  check("F16", raw<std::uint16_t>({0x3C00, 0xC400}), torch::tensor({1.f, -4.f}).to(at::kHalf));
  check("BF16", raw<std::uint16_t>({0x3F80, 0xC080}), torch::tensor({1.f, -4.f}).to(at::kBFloat16));
  check("F32", raw<float>({1.5f, -4}), torch::tensor({1.5f, -4.f}));
  check("F64", raw<double>({0.1, -4}), torch::tensor({0.1, -4.0}, at::kDouble));
  check("C64", raw<float>({1, 2, 3, -4}),
        torch::complex(torch::tensor({1.f, 3.f}), torch::tensor({2.f, -4.f})));
}

BOOST_AUTO_TEST_CASE(a_tensor_outlives_the_rest_and_the_file_stays_as_it_is) {
  const std::string bytes = file_of("{" + entry("x", "F32", "[2,3]", "[0,24]") + "}    ", six);
  Tensor tensor = *read(bytes).find("x");
  BOOST_TEST(same(tensor, counted));
  tensor.mul_(2);
  BOOST_TEST(same(tensor, counted * 2));
  BOOST_TEST(contents(folder.path() / "a.safetensors") == bytes);
  std::filesystem::remove(folder.path() / "a.safetensors");
  BOOST_TEST(same(tensor, counted * 2));
}

BOOST_AUTO_TEST_CASE(writes_the_bytes_of_the_format) {
  // Larger alignment first, then by name; the header filled up with spaces to a multiple of 8.
  const NamedTensors tensors = {{"b", counted},
                                {"flag", torch::tensor(true)},
                                {"a", torch::tensor({2.f})},
                                {"n\"\\\n\x01é", torch::tensor({std::int64_t(3)})},
                                {"h", torch::tensor({1.f, -4.f}).to(at::kHalf)},
                                {"none", torch::empty({0, 2})}};
  std::string header =
      "{\"__metadata__\":{\"by\":\"hand\",\"format\":\"pt\"},"
      "\"n\\\"\\\\\\n\\u0001é\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]},"
      "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]},"
      "\"b\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[12,36]},"
      "\"none\":{\"dtype\":\"F32\",\"shape\":[0,2],\"data_offsets\":[36,36]},"
      "\"h\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[36,40]},"
      "\"flag\":{\"dtype\":\"BOOL\",\"shape\":[],\"data_offsets\":[40,41]}}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::string data =
      raw<std::int64_t>({3}) + raw<float>({2}) + six + raw<std::uint16_t>({0x3C00, 0xC400}) + '\x01';
  BOOST_TEST(written(tensors, {{"format", "pt"}, {"by", "hand"}}) == file_of(header, data));
  BOOST_TEST(written({}) == file_of("{}      "));
  BOOST_TEST(read_safetensors(path).tensors.empty());
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

BOOST_AUTO_TEST_CASE(comes_back_as_it_was) {
  const std::vector<at::ScalarType> types = {at::kBool,  at::kByte,   at::kChar,        at::kShort,
                                             at::kInt,   at::kLong,   at::kHalf,        at::kBFloat16,
                                             at::kFloat, at::kDouble, at::kComplexFloat};
  NamedTensors tensors;
  for (const at::ScalarType type : types)
    tensors.emplace_back(c10::toString(type), (torch::randn({3, 5}) * 3).to(type));
  const Tensor complex = torch::randn({4, 3}, at::kComplexFloat);
  tensors.insert(tensors.end(), {{"strided", torch::randn({4, 6}).t().slice(0, 0, 6, 2)},
                                 {"conjugate", complex.conj()},
                                 {"negative", at::imag(complex.conj())},
                                 {"expanded", torch::randn({1, 3}).expand({5, 3})},
                                 {"scalar", torch::tensor(2.5)},
                                 {"empty", torch::empty({2, 0, 3})},
                                 {"trained", torch::randn({2}).set_requires_grad(true)}});
  written(tensors);
  // Over the file that it was read from, whose tensors are still views of it.
  for (int time = 0; time < 2; ++time) {
    const Checkpoint back = read_safetensors(path);
    BOOST_TEST(back.tensors.size() == tensors.size());
    for (const auto& [name, tensor] : tensors) {
      BOOST_TEST_CONTEXT(name) {
        BOOST_TEST_REQUIRE((back.find(name) != nullptr));
        BOOST_TEST(same(*back.find(name), tensor.detach()));
        BOOST_TEST(!back.find(name)->requires_grad());
      }
    }
    write_safetensors(path, back.tensors);
  }
}

BOOST_AUTO_TEST_CASE(refuses_to_read) {
  const auto refused = [&](const std::string& bytes, std::vector<std::string> words) {
    words.push_back("a.safetensors");
    words.push_back("expected a checkpoint in the safetensors format");
    BOOST_CHECK_EXCEPTION(read(bytes), Error, says(words));
  };
  const auto damaged = [&](const std::string& header, const std::string& data,
                           std::vector<std::string> words) {
    words.push_back("damaged");
    refused(file_of(header, data), words);
  };
  const std::string good = entry("x", "F32", "[2,3]", "[0,24]");
  const auto x = [](const std::string& inside) { return "{\"x\":{" + inside + "}}"; };

  refused("", {"too short"});
  refused("1234567", {"too short", "7 bytes"});
  refused("PK\x03\x04 and so on", {"zip archive", ".pth", "read_pth"});
  refused("version https://git-lfs.github.com/spec/v1\n", {"Git LFS", "not downloaded"});
  refused("<!DOCTYPE html><html>", {"does not begin like one", "100000000"});
  refused(raw<std::uint64_t>({100'000'001}), {"100000001"});
  refused(raw<std::uint64_t>({100}) + "{}", {"header has 100 bytes", "only 2", "cut off"});
  refused(file_of("{" + good + "}", six.substr(1)), {"24 bytes", "23", "cut off"});
  refused(file_of("{" + good + "}", six + "x"), {"24 bytes", "25"});
  refused(file_of("{}", "x"), {"0 bytes", "1 are there"});

  damaged("", "", {"{"});
  damaged(" {}", "", {"{"});
  damaged("[]", "", {"{"});
  damaged("{" + good, six, {"not JSON"});
  damaged("{" + good + "}}", six, {"not JSON"});
  damaged("{" + good + "} {}", six, {"not JSON"});
  damaged(std::string("{}\0 more", 8), "", {"zero byte"});
  damaged("{\"\xFF\":{}}", "", {"not JSON"});
  damaged(std::string(100000, '[').insert(0, "{\"x\":"), "", {"'x'"});
  damaged("{" + good + "," + good + "}", six, {"'x' is there twice"});
  damaged("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", "", {"'a' is there twice"});
  damaged("{\"__metadata__\":{},\"__metadata__\":{}}", "", {"__metadata__ is there twice"});
  damaged("{\"__metadata__\":{\"a\":1}}", "", {"metadata must be strings"});
  damaged("{\"__metadata__\":{\"a\":{\"b\":\"c\"}}}", "", {"metadata must be strings"});
  damaged("{\"__metadata__\":\"a\"}", "", {"metadata must be strings"});
  for (const std::string what : {"3", "null", "true", "\"F32\"", "[]", "{}", "-1", "1.5"})
    damaged("{\"x\":" + what + "}", "", {"'x' must have"});
  for (const std::string inside : {R"("dtype":"F32","shape":[0])", R"("dtype":"F32","data_offsets":[0,0])",
                                   R"("shape":[0],"data_offsets":[0,0])",
                                   R"("dtype":"F32","dtype":"F32","shape":[0],"data_offsets":[0,0])",
                                   R"("dtype":"F32","shape":[0],"shape":[0],"data_offsets":[0,0])",
                                   R"("dtype":"F32","shape":[0],"data_offsets":[0,0],"data_offsets":[0,0])",
                                   R"("dtype":"F32","shape":[0],"data_offsets":[0,0],"code":"import os")",
                                   R"("dtype":["F32"],"shape":[0],"data_offsets":[0,0])",
                                   R"("dtype":"F32","shape":0,"data_offsets":[0,0])",
                                   R"("dtype":"F32","shape":[-1],"data_offsets":[0,0])",
                                   R"("dtype":"F32","shape":[1.0],"data_offsets":[0,4])",
                                   R"("dtype":"F32","shape":["1"],"data_offsets":[0,4])",
                                   R"("dtype":"F32","shape":[[0]],"data_offsets":[0,0])",
                                   R"("dtype":"F32","shape":[{}],"data_offsets":[0,0])",
                                   R"("dtype":"F32","shape":[0],"data_offsets":[0])",
                                   R"("dtype":"F32","shape":[0],"data_offsets":[0,0,0])",
                                   R"("dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,0])"})
    damaged(x(inside), "", {"'x' must have"});
  std::string ones = "[1";
  for (int i = 0; i < 64; ++i) ones += ",1";
  damaged("{" + entry("x", "F32", ones + "]", "[0,4]") + "}", "1234", {"at most 64"});

  damaged("{" + entry("x", "F32", "[6]", "[4,28]") + "}", six + "1234",
          {"'x'", "4 to 28", "begin at byte 0"});
  damaged("{" + entry("x", "F32", "[1]", "[0,4]") + "," + entry("y", "F32", "[1]", "[8,12]") + "}",
          "123412341234", {"'y'", "8 to 12", "begin at byte 4"});
  damaged("{" + entry("x", "F32", "[2]", "[0,8]") + "," + entry("y", "F32", "[2]", "[4,12]") + "}",
          "123412341234", {"'y'", "4 to 12", "begin at byte 8"});
  damaged("{" + entry("x", "F32", "[1]", "[8,4]") + "}", "1234", {"'x'", "8 to 4"});
  damaged("{" + entry("x", "F32", "[2,3]", "[0,20]") + "}", six.substr(4), {"'x'", "24 bytes", "20"});
  damaged("{" + entry("x", "F32", "[4611686018427387904,4]", "[0,0]") + "}", "",
          {"'x'", "larger than any file"});
  damaged("{" + entry("x", "F32", "[18446744073709551615]", "[0,0]") + "}", "",
          {"'x'", "larger than any file"});
  damaged("{" + entry("x", "F32", "[0,4611686018427387904,4]", "[0,0]") + "}", "", {"larger than any file"});
  damaged("{" + entry("x", "F32", "[1]", "[0,18446744073709551615]") + "}", "1234",
          {"18446744073709551615 bytes"});

  for (const std::string type : {"F8_E4M3", "F8_E5M2", "F4", "U16", "U32", "U64", "f32", ""})
    refused(file_of("{" + entry("x", type, "[0]", "[0,0]") + "}"),
            {"'x'", "'" + type + "'", "LibTorch", "BF16"});
  // A name that is long, or moves the cursor, does neither in a message.
  try {
    read(file_of("{" + entry("\\u001b[2J" + std::string(100000, 'a'), "?", "[0]", "[0,0]") + "}"));
    BOOST_ERROR("was read");
  } catch (const Error& error) {
    BOOST_TEST(std::string(error.what()).size() < 500);
    BOOST_TEST(std::string(error.what()).find('\x1b') == std::string::npos);
  }
  BOOST_CHECK_EXCEPTION(read_safetensors(folder.path() / "none"), Error, says({"none", "no such file"}));
  BOOST_CHECK_EXCEPTION(read_safetensors(folder.path()), Error, says({"folder"}));
}

BOOST_AUTO_TEST_CASE(null_metadata_is_none) {
  BOOST_TEST(read(file_of("{\"__metadata__\":null}")).metadata.empty());
}

BOOST_AUTO_TEST_CASE(refuses_to_write) {
  const auto refused = [&](const NamedTensors& tensors, std::vector<std::string> words) {
    words.push_back("cannot write " + path.string());
    BOOST_CHECK_EXCEPTION(write_safetensors(path, tensors), Error, says(words));
    BOOST_TEST(std::filesystem::is_empty(folder.path()));
  };
  refused({{"x", counted}, {"y", counted}, {"x", counted}}, {"two tensors", "'x'"});
  refused({{"x", Tensor()}}, {"'x' is undefined"});
  refused({{"x", counted.to_sparse()}}, {"'x'", "sparse"});
  refused({{"x", torch::empty({2}, torch::kMeta)}}, {"'x'", "no values"});
  refused({{"x", torch::zeros({2}, at::kComplexDouble)}}, {"'x'", "ComplexDouble"});
  refused({{"__metadata__", counted}}, {"'__metadata__'", "rename"});
  refused({{"\xFF", counted}}, {"UTF-8"});
  BOOST_CHECK_EXCEPTION(write_safetensors(folder.path() / "none" / "w", {{"x", counted}}), Error,
                        says({"no folder"}));
  BOOST_CHECK_EXCEPTION(write_safetensors(path, {}, {{"a", "\xFF"}}), Error, says({"UTF-8"}));
}

BOOST_AUTO_TEST_CASE(a_thousand_truncations_and_a_thousand_damaged_bytes) {
  NamedTensors tensors = {{"mask", torch::rand({7}) > 0.5}, {"count", torch::tensor({std::int64_t(12)})}};
  for (const auto& [name, tensor] : state_of(*TwoFloors(), torch::kHalf)) tensors.emplace_back(name, tensor);
  const std::string whole = written(tensors, {{"format", "pt"}});
  std::uint64_t header = 0;
  std::memcpy(&header, whole.data(), 8);
  const std::size_t data = 8 + header;
  BOOST_TEST_REQUIRE(whole.size() >= 1000);
  const Checkpoint intact = read(whole);

  for (std::size_t cut = 1; cut <= 1000; ++cut)
    BOOST_CHECK_THROW(read(whole.substr(0, whole.size() - cut)), Error);

  std::mt19937 random(1);
  int refused = 0, in_data = 0;
  for (int time = 0; time < 1000; ++time) {
    // As often in the header as in the data.
    const std::size_t at = time % 2 == 0 ? random() % data : data + random() % (whole.size() - data);
    std::string damaged = whole;
    damaged[at] = char(damaged[at] ^ char(1 + random() % 255));
    try {
      const Checkpoint checkpoint = read(damaged);
      std::size_t bytes = 0;
      for (const auto& [name, tensor] : checkpoint.tensors) {
        bytes += tensor.nbytes();
        BOOST_TEST(tensor.clone().sizes() == tensor.sizes());  // every value can be looked at
      }
      BOOST_TEST(bytes == whole.size() - data);
      if (at < data) continue;
      ++in_data;
      BOOST_TEST(names_of(checkpoint.tensors) == names_of(intact.tensors));
      for (const auto& [name, tensor] : intact.tensors)
        BOOST_TEST(checkpoint.find(name)->sizes() == tensor.sizes());
    } catch (const Error&) {
      ++refused;
    }
  }
  BOOST_TEST(in_data == 500);
  BOOST_TEST(refused > 250);
}

BOOST_AUTO_TEST_CASE(a_state_is_in_pytorchs_order) {
  const TwoFloors module;
  BOOST_TEST(names_of(state_of(*module)) == two_floors_names);
  for (const auto& [name, tensor] : state_of(*module)) BOOST_TEST(!tensor.requires_grad());
  for (const auto& [name, tensor] : state_of(*module, torch::kHalf)) {
    const bool counts = name == "bn.num_batches_tracked";
    BOOST_TEST_CONTEXT(name) BOOST_TEST((tensor.scalar_type() == (counts ? torch::kLong : torch::kHalf)));
  }
  BOOST_TEST(same(state_of(*module)[0].second, module->scale.detach()));
  BOOST_CHECK_EXCEPTION(state_of(*module, torch::kLong), Error, says({"Long", "kHalf"}));
}

BOOST_AUTO_TEST_CASE(loads_what_was_written) {
  TwoFloors module, copy;
  const Checkpoint values = other_values(*module);
  load_into(*module, values, "here");
  BOOST_TEST(same(module->norm->running_var, *values.find("bn.running_var")));
  BOOST_TEST(module->norm->num_batches_tracked.item<std::int64_t>() == 7);
  BOOST_TEST(same(module->fc->weight.detach(), *values.find("a_head.weight")));
  BOOST_TEST(module->fc->weight.requires_grad());
  BOOST_TEST(module->fc->weight.is_leaf());

  write_safetensors(path, state_of(*module, torch::kHalf));
  load_into(*copy, read_safetensors(path), path.string());
  BOOST_TEST(
      same(copy->conv->weight.detach(), values.find("conv.weight")->to(torch::kHalf).to(torch::kFloat)));
  BOOST_TEST(copy->norm->num_batches_tracked.item<std::int64_t>() == 7);

  // The module's values are its own: not the file's, nor the checkpoint's.
  copy->scale.detach().zero_();
  BOOST_TEST(values.find("scale")->norm().item<float>() > 0);

  Checkpoint old = other_values(*module);
  std::erase_if(old.tensors, [](const auto& named) { return named.first.ends_with("num_batches_tracked"); });
  load_into(*copy, old, "old");
  BOOST_TEST(same(copy->scale.detach(), *old.find("scale")));
  BOOST_TEST(copy->norm->num_batches_tracked.item<std::int64_t>() == 7);

  copy->to(torch::kDouble);
  load_into(*copy, values, "here");
  BOOST_TEST(same(copy->scale.detach(), values.find("scale")->to(torch::kDouble)));

  nn::BatchNorm1d alone(3);
  load_into(*alone, other_values(*alone), "here");
}

BOOST_AUTO_TEST_CASE(takes_over_a_checkpoint_that_is_given_up) {
  TwoFloors module;
  module->norm->bias.set_requires_grad(false);
  write_safetensors(path, other_values(*module).tensors);
  Checkpoint values = read_safetensors(path);
  const Checkpoint copies = read_safetensors(path);
  std::map<std::string, const void*> memory;
  for (const auto& [name, tensor] : values.tensors) memory[name] = tensor.data_ptr();
  const Tensor weight = module->conv->weight;
  load_into(*module, std::move(values), "here");
  for (const auto& [name, tensor] : state_of(*module)) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(same(tensor, *copies.find(name)));
      BOOST_TEST(tensor.data_ptr() == memory[name]);
    }
  }
  BOOST_TEST(values.tensors.empty());  // NOLINT(bugprone-use-after-move): that it is, is promised
  BOOST_TEST(module->conv->weight.is_same(weight));
  BOOST_TEST(weight.requires_grad());
  BOOST_TEST(!module->norm->bias.requires_grad());
  weight.sum().backward();
  weight.detach().sub_(weight.grad(), 0.5);
  BOOST_TEST(weight.detach().allclose(*copies.find("conv.weight") - 0.5));
  BOOST_TEST(same(*read_safetensors(path).find("conv.weight"), *copies.find("conv.weight")));
}

BOOST_AUTO_TEST_CASE(takes_over_only_what_nobody_else_uses) {
  const auto loaded = [](nn::Module& module, Checkpoint checkpoint) {
    std::map<std::string, const void*> memory;
    for (const auto& [name, tensor] : checkpoint.tensors) memory[name] = tensor.data_ptr();
    load_into(module, std::move(checkpoint), "here");
    std::map<std::string, bool> taken;
    for (const auto& [name, tensor] : state_of(module)) taken[name] = tensor.data_ptr() == memory[name];
    return taken;
  };
  TwoFloors module, other;
  // Another module's own state.
  load_into(*other, other_values(*module), "here");
  for (const auto& [name, taken] : loaded(*module, {state_of(*other)}))
    BOOST_TEST_CONTEXT(name) BOOST_TEST(!taken);
  BOOST_TEST(same(module->scale.detach(), other->scale.detach()));

  // A tensor that the caller keeps; one storage of two names; another type; another layout.
  Checkpoint checkpoint = other_values(*module);
  const Tensor kept = *checkpoint.find("scale"), both = torch::rand({2, 4});
  for (auto& [name, tensor] : checkpoint.tensors) {
    if (name == "bn.weight") tensor = both[0];
    if (name == "bn.bias") tensor = both[1];
    if (name == "bn.running_mean") tensor = tensor.to(torch::kHalf);
    if (name == "conv.weight") tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
  }
  const Tensor convolution = checkpoint.find("conv.weight")->clone();
  const auto taken = loaded(*module, std::move(checkpoint));
  for (const auto& [name, is] : taken) {
    const bool expected = name == "bn.running_var" || name == "bn.num_batches_tracked" ||
                          name == "a_head.weight" || name == "a_head.bias";
    BOOST_TEST_CONTEXT(name) BOOST_TEST(is == expected);
  }
  BOOST_TEST(same(module->norm->bias.detach(), both[1]));
  BOOST_TEST(module->conv->weight.is_contiguous());
  BOOST_TEST(same(module->conv->weight.detach(), convolution));
  module->scale.detach().zero_();
  BOOST_TEST(kept.sum().item<float>() > 0);

  // Parameters that lie in one storage stay there.
  const Tensor flat = torch::zeros({6});
  module->fc->bias.set_data(flat.slice(0, 0, 2));
  BOOST_TEST(!loaded(*module, other_values(*module))["a_head.bias"]);
  BOOST_TEST(flat.sum().item<float>() > 0);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_listed_and_nothing_is_loaded) {
  TwoFloors module;
  NamedTensors before;
  for (const auto& [name, tensor] : state_of(*module)) before.emplace_back(name, tensor.clone());
  const auto refused = [&](const Checkpoint& checkpoint, const std::string& message) {
    BOOST_CHECK_EXCEPTION(load_into(*module, checkpoint, "w.safetensors"), Error, [&](const Error& error) {
      BOOST_TEST(error.what() == message);
      return true;
    });
    Checkpoint given_up = checkpoint;
    BOOST_CHECK_THROW(load_into(*module, std::move(given_up), "w.safetensors"), Error);
    for (const auto& [name, tensor] : state_of(*module))
      for (const auto& [other, value] : before)
        if (name == other) BOOST_TEST(same(tensor, value));
  };
  const std::string advice = "\nA checkpoint of the same architecture and number of classes is expected.";

  refused({},
          "w.safetensors does not fit this network:\n  missing (8): scale, conv.weight, bn.weight, bn.bias, "
          "bn.running_mean, …" +
              advice);

  Checkpoint checkpoint = other_values(*module);
  for (auto& [name, tensor] : checkpoint.tensors) {
    if (name == "a_head.weight") tensor = torch::zeros({5, 4});
    if (name == "bn.weight") tensor = torch::zeros({4}, torch::kLong);
    if (name == "a_head.bias") name = "head.bias";
  }
  checkpoint.tensors.emplace_back("a\nb", counted);
  refused(checkpoint,
          "w.safetensors does not fit this network:\n  missing (1): a_head.bias\n  extra (2): 'head.bias', "
          "'a?b'\n"
          "  of another shape or type (2): bn.weight holds Long and should hold Float, "
          "a_head.weight is [5, 4] and should be [2, 4]" +
              advice);

  checkpoint = other_values(*module);
  for (int i = 0; i < 6; ++i) checkpoint.tensors.emplace_back("x" + std::to_string(i), counted);
  refused(checkpoint,
          "w.safetensors does not fit this network:\n  extra (6): 'x0', 'x1', 'x2', 'x3', 'x4', …" + advice);
}

BOOST_AUTO_TEST_SUITE_END()
