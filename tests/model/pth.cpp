// Checkpoints of PyTorch: read, damaged, refused. Files of torch.save's come from
// tests/reference/checkpoints.py.
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <pellucid/model/weights/load.hpp>
#include <pellucid/model/weights/read.hpp>

#include <torch/nn.h>

#include "image/temporary.hpp"
#include "model/pth_bytes.hpp"

namespace {

using namespace pellucid;
using namespace pellucid::test;
namespace nn = torch::nn;
namespace pk = pellucid::test::pickled;

template <class T>
std::string raw(std::vector<T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

const std::string six = raw<float>({1, 2, 3, 4, 5, 6});
const Tensor counted = torch::tensor({{1.f, 2.f, 3.f}, {4.f, 5.f, 6.f}});
const std::string floats = pk::storage("FloatStorage", "0", 6);
const std::string two_by_three = pk::tensor(floats, 0, {2, 3}, {3, 1});

/// A checkpoint whose pickle is given, and whose storage "0" holds 1 to 6 as floats.
std::string file_of(const std::string& pickle, const std::string& values = six) {
  return zip_of({{"a/data.pkl", pickle}, {"a/data/0", values}, {"a/version", "3\n"}});
}
std::string file_with(const std::string& tensor, const std::string& values = six) {
  return file_of(pk::whole(pk::dict(pk::text("x"), tensor)), values);
}

bool same(const Tensor& a, const Tensor& b) {
  return a.scalar_type() == b.scalar_type() && a.sizes() == b.sizes() && a.equal(b);
}

std::vector<std::string> names_of(const Checkpoint& checkpoint) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : checkpoint.tensors) names.push_back(name);
  return names;
}

struct Fixture {
  TemporaryFolder folder{};
  Checkpoint read(const std::string& bytes) { return read_pth(folder.put("a.pth", bytes)); }
  Tensor read_x(const std::string& bytes) { return *read(bytes).find("x"); }

  void refused(const std::string& bytes, std::vector<std::string> words) {
    words.insert(words.end(), {"a.pth", "expected a checkpoint of PyTorch (.pth)"});
    try {
      read(bytes);
      BOOST_ERROR("was read; expected " + words.front());
    } catch (const Error& error) {
      BOOST_TEST(says(words)(error), error.what() << " lacks " << words.front());
    }
  }
  /// A pickle of these instructions and a STOP.
  void refused_pickle(const std::string& instructions, std::vector<std::string> words) {
    refused(file_of(pk::whole(instructions)), std::move(words));
  }
};

const std::filesystem::path made = std::filesystem::path(PELLUCID_TEST_REFERENCE) / "checkpoints";

bool is_made(const std::string& name) {
  if (std::filesystem::exists(made / name)) return true;
  BOOST_TEST_MESSAGE("passed over: there is no " << made / name);
  return false;
}

/// 0, 1, 2… as floats.
Tensor upward(std::vector<std::int64_t> shape) {
  return torch::arange(c10::multiply_integers(shape), at::kFloat).reshape(shape);
}

/// The network of tests/reference/checkpoints.py.
struct NetImpl : nn::Module {
  NetImpl() {
    conv = register_module("conv", nn::Conv2d(nn::Conv2dOptions(3, 4, 3).bias(false)));
    norm = register_module("norm", nn::BatchNorm2d(4));
    head = register_module("head", nn::Linear(4, 2));
  }
  nn::Conv2d conv{nullptr};
  nn::BatchNorm2d norm{nullptr};
  nn::Linear head{nullptr};
};
TORCH_MODULE(Net);

}  // namespace

BOOST_FIXTURE_TEST_SUITE(model_pth, Fixture)

BOOST_AUTO_TEST_CASE(checksums_are_those_of_zip) {
  BOOST_TEST(pellucid::detail::crc32("123456789") ==
             0xCBF43926u);  // the check value that every catalogue of CRCs gives
}

BOOST_AUTO_TEST_CASE(reads_bytes_written_by_hand) {
  const std::string pickle =
      pk::whole(pk::ordered_dict() + "(" + pk::text("whole") + two_by_three + pk::text("column") +
                pk::tensor(floats, 1, {2}, {3}) + pk::text("last") + pk::tensor(floats, 5, {}, {}) +
                pk::text("wide") + pk::tensor(floats, 0, {3, 4}, {1, 0}) + pk::text("none") +
                pk::tensor(pk::storage("HalfStorage", "missing", 0), 0, {0, 3}, {3, 1}) + "u}" +
                pk::text("_metadata") + "Nsb");
  for (const bool as_pytorch : {true, false}) {
    const Checkpoint checkpoint =
        read(zip_of({{"a/data.pkl", pickle}, {"a/data/0", six}, {"a/byteorder", "little"}}, as_pytorch));
    const std::vector<std::string> names = {"whole", "column", "last", "wide", "none"};
    BOOST_TEST(names_of(checkpoint) == names);
    BOOST_TEST(same(*checkpoint.find("whole"), counted));
    BOOST_TEST(same(*checkpoint.find("column"), torch::tensor({2.f, 5.f})));
    BOOST_TEST(same(*checkpoint.find("last"), torch::tensor(6.f)));
    BOOST_TEST(same(*checkpoint.find("wide"), torch::tensor({{1.f}, {2.f}, {3.f}}).expand({3, 4})));
    BOOST_TEST(same(*checkpoint.find("none"), torch::empty({0, 3}, at::kHalf)));
    // One storage, as it was in Python.
    checkpoint.find("whole")->zero_();
    BOOST_TEST(checkpoint.find("wide")->sum().item<float>() == 0);
  }
  BOOST_TEST(read(zip_of({{"data.pkl", pk::whole("}")}}, false)).tensors.empty());
}

BOOST_AUTO_TEST_CASE(reads_every_type) {
  const auto check = [&](const std::string& type, std::int64_t count, const std::string& values,
                         const Tensor& expected) {
    BOOST_TEST_CONTEXT(type)
    BOOST_TEST(same(read_x(file_with(pk::tensor(pk::storage(type, "0", count), 0, {count}, {1}), values)),
                    expected));
  };
  check("BoolStorage", 2, std::string("\x00\x01", 2), torch::tensor({false, true}));
  check("BoolStorage", 2, std::string("\x00\xFE", 2), torch::tensor({false, true}));
  check("ByteStorage", 2, "\x07\xFF", torch::tensor({7, 255}, at::kByte));
  check("CharStorage", 2, "\x07\xFF", torch::tensor({7, -1}, at::kChar));
  check("ShortStorage", 2, raw<std::int16_t>({300, -300}), torch::tensor({300, -300}, at::kShort));
  check("IntStorage", 2, raw<std::int32_t>({70000, -1}), torch::tensor({70000, -1}, at::kInt));
  check("LongStorage", 2, raw<std::int64_t>({1ll << 40, -1}),
        torch::tensor({std::int64_t(1) << 40, std::int64_t(-1)}));
  check("HalfStorage", 2, raw<std::uint16_t>({0x3C00, 0xC400}), torch::tensor({1.f, -4.f}).to(at::kHalf));
  check("BFloat16Storage", 2, raw<std::uint16_t>({0x3F80, 0xC080}),
        torch::tensor({1.f, -4.f}).to(at::kBFloat16));
  check("FloatStorage", 2, raw<float>({1.5f, -4}), torch::tensor({1.5f, -4.f}));
  check("DoubleStorage", 2, raw<double>({0.1, -4}), torch::tensor({0.1, -4.0}, at::kDouble));
  check("ComplexFloatStorage", 2, raw<float>({1, 2, 3, -4}),
        torch::complex(torch::tensor({1.f, 3.f}), torch::tensor({2.f, -4.f})));
  check("ComplexDoubleStorage", 1, raw<double>({1, -2}),
        torch::complex(torch::tensor({1.0}, at::kDouble), torch::tensor({-2.0}, at::kDouble)));
  // What later versions write for types without a storage of their own.
  const std::string bytes = pk::tuple(pk::text("storage"), pk::global("torch.storage", "UntypedStorage"),
                                      pk::text("0"), pk::text("cpu"), pk::number(24)) +
                            "Q";
  const std::string rebuilt =
      pk::call("torch._utils", "_rebuild_tensor_v3", bytes, pk::number(0), pk::sizes({2, 3}),
               pk::sizes({3, 1}), "\x89", pk::ordered_dict(), pk::global("torch", "float32"));
  BOOST_TEST(same(read_x(file_with(rebuilt)), counted));
}

BOOST_AUTO_TEST_CASE(passes_over_what_lies_beside) {
  // Each of these instructions leaves one value, and means nothing to a state dict.
  const std::vector<std::string> beside = {
      "N",
      "\x88",
      "\x89",
      "K\x07",
      "M\x07\x01",
      "\x8A" + std::string(1, '\0'),
      pk::number(-5),
      "\x8B" + little_endian(9) + "123456789",
      "G" + raw<double>({0.5}),
      "C\x03"
      "abc",
      "B" + little_endian(3) + "abc",
      "\x8E" + little_endian(3ll) + "abc",
      "\x96" + little_endian(3ll) + "abc",
      "U\x03"
      "abc",
      "\x8C\x03"
      "abc",
      "T" + little_endian(3) + "abc",
      "\x8D" + little_endian(3ll) + "abc",
      ")",
      "K\x01\x85",
      "NN\x86",
      "NNN\x87",
      "]",
      "]Na",
      "](NNe",
      "}NNs",
      "\x8F(NN\x90",
      "(NN\x91",
      "N2"
      "0",
      "(NN1N",
      "Nq\x05"
      "0h\x05",
      "Nr" + little_endian(6) + "0j" + little_endian(6),
      "N\x94"
      "0h" +
          std::string(1, '\0'),
      "\x95" + little_endian(2ll) + "N",
      pk::call("torch", "Size", pk::sizes({1, 2})),
      pk::call("torch", "device", pk::text("cpu")),
      pk::call("__builtin__", "set", "](NNe"),
      pk::global("torch", "float16"),
      pk::call("numpy.core.multiarray", "scalar", pk::call("numpy", "dtype", pk::text("f8")), "C\x01z"),
      pk::global("argparse", "Namespace") + ")\x81}" + pk::text("lr") + "Nsb",
      pk::global("argparse", "Namespace") + ")}\x92",
      pk::call("collections", "defaultdict") + "NNs",
      pk::text("builtins") + pk::text("complex") + "\x93",
      two_by_three,
      "]2a"};  // the last holds itself
  for (const std::string& value : beside) {
    BOOST_TEST_CONTEXT(value)
    BOOST_TEST(
        same(read_x(file_of(pk::whole(pk::dict(pk::text("epoch"), value, "K\x05", "N", pk::text("state_dict"),
                                               pk::dict(pk::text("x"), two_by_three))))),
             counted));
  }
}

BOOST_AUTO_TEST_CASE(finds_the_state_dict) {
  const std::string inner = pk::dict(pk::text("x"), two_by_three, pk::text("steps"), "K\x05");
  for (const std::string name : {"state_dict", "model_state_dict", "model"})
    BOOST_TEST(
        read(file_of(pk::whole(pk::dict(pk::text("y"), two_by_three, pk::text(name), inner)))).find("x"));
  // A parameter of that name is one.
  BOOST_TEST(read(file_of(pk::whole(pk::dict(pk::text("model"), two_by_three)))).find("model"));

  const auto names = [&](const std::string& first, const std::string& second) {
    return names_of(
        read(file_of(pk::whole(pk::dict(pk::text(first), two_by_three, pk::text(second), two_by_three)))));
  };
  BOOST_TEST((names("module.x", "module.y") == std::vector<std::string>{"x", "y"}));
  BOOST_TEST((names("module.x", "y") == std::vector<std::string>{"module.x", "y"}));
}

BOOST_AUTO_TEST_CASE(rebuilds_parameters_and_attributes) {
  BOOST_TEST(same(read_x(file_with(pk::call("torch._utils", "_rebuild_parameter", two_by_three, "\x88",
                                            pk::ordered_dict()))),
                  counted));
  const auto with_type = [&](const std::string& function, const std::string& type) {
    return file_with(pk::call(
        "torch._tensor", "_rebuild_from_type_v2", function, type,
        pk::tuple(floats, pk::number(0), pk::sizes({2, 3}), pk::sizes({3, 1}), "\x89", pk::ordered_dict()),
        "}"));
  };
  const std::string rebuild = pk::global("torch._utils", "_rebuild_tensor_v2");
  BOOST_TEST(same(read_x(with_type(rebuild, pk::global("torch", "Tensor"))), counted));
  refused(with_type(rebuild, pk::global("torch", "Size")), {"attributes has no tensor"});
  refused(with_type(pk::global("torch", "Size"), pk::global("torch", "Tensor")),
          {"attributes has no tensor"});
}

BOOST_AUTO_TEST_CASE(a_tensor_outlives_the_rest_and_the_file_stays_as_it_is) {
  const std::string bytes = file_with(two_by_three);
  Tensor tensor = read_x(bytes);
  BOOST_TEST(reinterpret_cast<std::uintptr_t>(tensor.data_ptr()) % 64 == 0);
  tensor.mul_(2);
  BOOST_TEST(contents(folder.path() / "a.pth") == bytes);
  std::filesystem::remove(folder.path() / "a.pth");
  BOOST_TEST(same(tensor, counted * 2));
}

BOOST_AUTO_TEST_CASE(tells_formats_by_content) {
  const auto read_as = [&](const std::string& name, const std::string& bytes) {
    return read_checkpoint(folder.put(name, bytes));
  };
  const auto by_safetensors = folder.path() / "w.safetensors";
  write_safetensors(by_safetensors, {{"x", counted}});
  for (const std::string name : {"a.pth", "a.safetensors", "a"})
    for (const std::string& bytes : {contents(by_safetensors), file_with(two_by_three)})
      BOOST_TEST(same(*read_as(name, bytes).find("x"), counted));
  BOOST_CHECK_EXCEPTION(read_as("a", "neither of them"), Error,
                        says({"does not begin like one", ".pth", "safetensors"}));
  BOOST_CHECK_EXCEPTION(read_checkpoint(folder.path() / "none"), Error, says({"no such file"}));
}

BOOST_AUTO_TEST_CASE(tells_checkpoints_from_programs) {
  const auto is = [&](const std::string& bytes) { return is_checkpoint(folder.put("a", bytes)); };
  const std::string pickle = pk::whole(pk::dict(pk::text("x"), two_by_three));
  write_safetensors(folder.path() / "w.safetensors", {{"x", counted}});
  BOOST_TEST(is(contents(folder.path() / "w.safetensors")));
  BOOST_TEST(is(file_with(two_by_three)));
  BOOST_TEST(
      is("\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.\x80\x02M\xE9\x03."));  // before 1.6
  BOOST_TEST(!is(zip_of({{"a/data.pkl", pickle}, {"a/code/a.py", ""}, {"a/constants.pkl", pickle}})));
  BOOST_TEST(!is("neither of them"));
  BOOST_CHECK_EXCEPTION(is_checkpoint(folder.path() / "none"), Error, says({"none", "no such file"}));
}

BOOST_AUTO_TEST_CASE(says_what_a_file_is_instead) {
  const std::string pickle = pk::whole(pk::dict(pk::text("x"), two_by_three));
  refused("", {"empty"});
  refused("version https://git-lfs.github.com/spec/v1\n", {"Git LFS", "not downloaded"});
  refused("<!DOCTYPE html><html>", {"does not begin like one"});
  refused("\x80\x02}.", {"pickle of Python's", "torch.save"});
  refused("\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.\x80\x02M\xE9\x03.",
          {"before version 1.6", "torch.save(torch.load(old, map_location=\"cpu\"), new)"});
  write_safetensors(folder.path() / "w", {{"x", counted}});
  refused(contents(folder.path() / "w"), {"safetensors format", "read_checkpoint"});
  refused(zip_of({{"a/b.txt", "hello"}}), {"zip archive", "no data.pkl"});
  refused(zip_of({}, false), {"zip archive", "no data.pkl"});
  refused(zip_of({{"a/data.pkl", pickle}, {"a/code/a.py", ""}, {"a/constants.pkl", pickle}}),
          {"TorchScript", "load_script"});
  refused(zip_of({{"a/data.pkl", pickle}, {"a/data/0", six}, {"a/byteorder", "big"}}),
          {"byte order 'big'", "'little'"});
  BOOST_CHECK_EXCEPTION(read_pth(folder.path() / "none"), Error, says({"none", "no such file"}));
  BOOST_CHECK_EXCEPTION(read_pth(folder.path()), Error, says({"folder"}));
}

BOOST_AUTO_TEST_CASE(refuses_damaged_archives) {
  const std::string good = file_with(two_by_three);
  const Records records = {{"a/data.pkl", pk::whole("}")}, {"a/data/0", six}};
  const std::string plain = zip_of(records, false);
  const std::size_t entry = plain.find("PK\x01\x02"), end = plain.find("PK\x05\x06");
  const auto with = [](std::string bytes, std::size_t at, const std::string& other) {
    return bytes.replace(at, other.size(), other);
  };
  BOOST_TEST(read(plain + "").tensors.empty());
  BOOST_TEST(read(with(plain, end + 20, "\x05") + "hello").tensors.empty());  // a comment
  refused(plain + "hello", {"end is missing"});
  refused(good.substr(0, good.size() - 1), {"end is missing", "cut short"});
  refused("PK\x03\x04", {"end is missing"});
  refused(zip_of({{"a/data.pkl", ""}, {"a/data.pkl", ""}}), {"'a/data.pkl' is there twice"});
  refused(with(plain, end + 10, "\x03"), {"has 2 records, and should have 3"});
  refused(with(plain, end + 12, "\x01"), {"not where it should be"});
  refused(with(plain, end + 16, "\xFF\xFF\xFF\xFF"), {"not where it should be"});
  refused(with(plain, entry, "QK"), {"broken at record 0"});
  refused(with(plain, entry + 28, "\xFF"), {"broken at record 0"});
  refused(with(plain, entry + 8, "\x01"), {"encrypted"});
  refused(with(plain, entry + 10, "\x08"), {"'a/data.pkl' is compressed", "torch.load(old"});
  refused(with(plain, entry + 24, "\x01"), {"'a/data.pkl' has two sizes"});
  refused(with(plain, entry + 20, "\x01"), {"'a/data.pkl' is not where"});
  refused(with(plain, entry + 42, "\x01"), {"'a/data.pkl' is not where"});
  refused(with(plain, entry + 42, "\xF0\xFF\xFF\xFF"), {"is not where"});
  refused(with(plain, entry + 46, "b"), {"'b/data.pkl' is not where"});
  refused(with(plain, 28, "\x01"), {"'a/data.pkl' is not where"});
  refused(with(plain, plain.find("}."), "N"), {"'a/data.pkl' has another checksum"});
  // Without a checksum, which later versions may leave out, the pickle itself is refused.
  refused(with(with(plain, plain.find("}."), "N"), entry + 16, std::string(4, '\0')), {"no dict"});
  refused(with(good, good.find("PK\x07\x08"), "QK"), {"'a/data.pkl' is not where"});
  refused(with(good, good.find("PK\x06\x06"), "QK"), {"directory has no end"});
  refused(with(good, good.find("PK\x06\x07"), "QK"), {"not where it should be"});

  // Numbers that are all ones stand in an extra field.
  std::string sixty_four = plain;
  const std::size_t size = records[0].second.size();
  sixty_four.replace(entry + 20, 8, std::string(8, '\xFF'));
  sixty_four.replace(entry + 30, 1, "\x18");  // 24 bytes: another field, then sizes
  sixty_four.insert(entry + 46 + 10, "ZZ" + std::string(2, '\0') + std::string("\x01\x00\x10\x00", 4) +
                                         little_endian(std::uint64_t(size)) +
                                         little_endian(std::uint64_t(size)));
  sixty_four.replace(end + 24 + 12, 1, std::string(1, char(sixty_four[end + 24 + 12] + 24)));
  BOOST_TEST(read(sixty_four).tensors.empty());
  refused(with(sixty_four, entry + 46 + 10 + 6, "\x08"), {"ends early"});
}

BOOST_AUTO_TEST_CASE(refuses_other_names) {
  for (const std::string module : {"os", "posix", "nt"})
    refused_pickle(pk::dict(pk::text("x"), two_by_three, pk::text("y"),
                            pk::call(module, "system", pk::text("touch it_ran"))),
                   {"it asks for '" + module + ".system'", "nothing in it is ever run", "state_dict()"});
  BOOST_TEST(!std::filesystem::exists("it_ran"));
  refused_pickle(pk::text("os") + pk::text("system") + "\x93", {"'os.system'"});
  for (const std::string name : {"eval", "exec", "getattr", "__import__"})
    refused_pickle(pk::global("__builtin__", name), {"'" + name + "'"});
  refused_pickle(pk::global("torchvision.models.vgg", "VGG"), {"'torchvision.models.vgg.VGG'"});
  refused_pickle(pk::global("torch", "float8_e4m3fn"), {"'torch.float8_e4m3fn'", "torch.float32"});
  refused_pickle(pk::global("torch._utils", "_rebuild_qtensor"), {"quantized", ".dequantize()"});
  // A name that is long, or moves the cursor, does neither in a message.
  try {
    read(file_of(pk::whole(pk::global("\x1b[2J", std::string(100000, 'a')))));
    BOOST_ERROR("was read");
  } catch (const Error& error) {
    BOOST_TEST(std::string(error.what()).size() < 700);
    BOOST_TEST(std::string(error.what()).find('\x1b') == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(refuses_damaged_pickles) {
  const auto damaged = [&](const std::string& instructions, std::vector<std::string> words) {
    words.push_back("its pickle is damaged");
    refused_pickle(instructions, std::move(words));
  };
  refused(file_of(""), {"ends early at byte 0"});
  refused(file_of("\x80\x02}"), {"ends early at byte 3"});
  refused(file_of("\x80\x06}."), {"protocol is above 5"});
  for (const std::string start : {"X", "T", "B", "\x8B", "r", "j", "J"}) damaged(start, {"ends early"});
  for (const std::string start : {"X", "T", "B", "\x8B"}) damaged(start + "\xFF\xFF\xFF\xFF", {"ends early"});
  for (const std::string start : {"\x8D", "\x8E", "\x96"})
    damaged(start + std::string(8, '\xFF'), {"ends early"});
  damaged("cos", {"ends early"});
  damaged("", {"takes a value that is not there"});
  damaged("N(0", {"takes a value that is not there"});
  damaged("N\x86", {"takes a value that is not there"});
  damaged("t", {"no mark"});
  damaged("Nr\xFF\xFF\xFF\x7F", {"numbers a value too high"});
  damaged("h\x01", {"recalls what it never kept"});
  damaged("Nq\x02h\x01", {"recalls what it never kept"});
  damaged("NNa", {"adds to what holds nothing"});
  damaged("]NNs", {"adds to what holds nothing"});
  damaged("}(Nu", {"key without a value"});
  damaged("N)R", {"calls what is no function"});
  damaged(pk::global("torch", "FloatStorage") + ")R", {"calls what is no function"});
  damaged(pk::global("torch", "Size") + "NR", {"calls without arguments"});
  damaged(pk::call("torch", "Size"), {"torch.Size has no sizes"});
  damaged(pk::call("collections", "OrderedDict", "N"), {"OrderedDict has arguments"});
  damaged(pk::call("torch._utils", "_rebuild_parameter", "N"), {"parameter has no tensor"});
  damaged(pk::call("torch._tensor", "_rebuild_from_type_v2"), {"attributes has no tensor"});
  damaged("NN\x93", {"asks for what has no name"});
  damaged("NQ", {"storage has no description"});
  damaged(pk::tuple(pk::text("module"), pk::global("torch", "FloatStorage"), pk::text("0"), pk::text("cpu"),
                    pk::number(6)) +
              "Q",
          {"storage has another description"});
  for (const std::string code : {"i", "o", "P", "S", "\x82", "\x97", "\xFF"})
    refused_pickle(code, {"instruction 0x", "at byte 2", "pickle_protocol below 2"});
  refused_pickle("N", {"no dict of tensors"});
  refused_pickle(two_by_three, {"one tensor without a name"});
  refused_pickle(pk::dict("K\x05", two_by_three), {"name is no string"});
  refused_pickle(pk::dict(pk::text("epoch"), "K\x05"), {"no tensors by name, only 'epoch'", "'state_dict'"});
  refused_pickle(pk::dict("K\x05", "K\x05"), {"no tensors by name, only other values"});
  refused_pickle(pk::dict(pk::text("x"), two_by_three, pk::text("x"), two_by_three), {"'x' is there twice"});

  // Deep and long ones cost no more than their length.
  refused_pickle(std::string(1'000'000, '('), {"takes a value"});
  refused_pickle(std::string(1'000'000, ']') + std::string(999'999, 'a'), {"no dict"});
  refused_pickle(std::string(4'194'305, ')'), {"more than 4194304 strings"});
  const std::string long_one(100'000'001, 'N');
  BOOST_CHECK_EXCEPTION(pellucid::detail::Unpickler({"a.pth", "b"}, long_one), Error,
                        says({"100000001", "100000000"}));
}

BOOST_AUTO_TEST_CASE(refuses_tensors_that_do_not_fit) {
  const auto damaged = [&](const std::string& tensor, std::vector<std::string> words,
                           const std::string& values = six) {
    words.push_back("tensor 'x'");
    refused(file_with(tensor, values), std::move(words));
  };
  const std::int64_t large = std::int64_t(1) << 62;
  damaged(pk::call("torch._utils", "_rebuild_tensor_v2", floats), {"another description"});
  damaged(pk::tensor("N", 0, {2}, {1}), {"another description"});
  damaged(pk::tensor(floats, 0, {2, 3}, {1}), {"another description"});
  damaged(pk::tensor(floats, 0, std::vector<std::int64_t>(65, 1), std::vector<std::int64_t>(65, 1)),
          {"another description"});
  damaged(pk::tensor(floats, 0, {-1}, {1}), {"a size that is no size"});
  damaged(pk::tensor(floats, 0, {2}, {-1}), {"a stride that is none"});
  damaged(pk::tensor(pk::storage("FloatStorage", "1", 6), 0, {2}, {1}), {"no record"});
  damaged(two_by_three, {"6 values of 4 bytes", "20 bytes"}, six.substr(4));
  damaged(pk::tensor(pk::storage("FloatStorage", "0", 5), 0, {2}, {1}), {"5 values of 4 bytes", "24 bytes"});
  damaged(pk::tensor(pk::storage("FloatStorage", "0", -1), 0, {2}, {1}), {"-1 values"});
  damaged(pk::tensor(pk::storage("FloatStorage", "0", large + 6), 0, {2}, {1}), {"4611686018427387910"});
  damaged(pk::tensor(floats, -1, {2}, {1}), {"begins before"});
  damaged(pk::tensor(floats, 6, {}, {}), {"reaches beyond"});
  damaged(pk::tensor(floats, 7, {1}, {1}), {"reaches beyond"});
  damaged(pk::tensor(floats, 5, {2}, {1}), {"reaches beyond"});
  damaged(pk::tensor(floats, 0, {2, 3}, {4, 1}), {"reaches beyond"});
  damaged(pk::tensor(floats, 0, {3, 3}, {large, large}), {"reaches beyond"});
  damaged(pk::tensor(floats, 0, {large}, {0}), {"larger than the whole file", ".contiguous()"});
  damaged(pk::tensor(floats, 0, {0, large, 4}, {0, 0, 0}), {"larger than the whole file"});
  damaged(pk::tensor(pk::tuple(pk::text("storage"), pk::global("torch.storage", "UntypedStorage"),
                               pk::text("0"), pk::text("cpu"), pk::number(24)) +
                         "Q",
                     0, {2}, {1}),
          {"has no type"});
  const auto with_metadata = [&](const std::string& metadata) {
    return pk::call("torch._utils", "_rebuild_tensor_v2", floats, pk::number(0), pk::sizes({2, 3}),
                    pk::sizes({3, 1}), "\x89", pk::ordered_dict(), metadata);
  };
  damaged(with_metadata(pk::dict(pk::text("pinned"), "\x88")), {"'pinned'", "unknown"});
  damaged(with_metadata(pk::dict("N", "N")), {"another description"});
  BOOST_TEST(same(read_x(file_with(with_metadata(pk::dict(pk::text("neg"), "\x88")))), -counted));
  BOOST_TEST(same(read_x(file_with(with_metadata(pk::dict(pk::text("neg"), "\x89")))), counted));
  const std::string conjugate = pk::call(
      "torch._utils", "_rebuild_tensor_v2", pk::storage("ComplexFloatStorage", "0", 3), pk::number(0),
      pk::sizes({3}), pk::sizes({1}), "\x89", pk::ordered_dict(), pk::dict(pk::text("conj"), "\x88"));
  BOOST_TEST(same(read_x(file_with(conjugate)),
                  torch::complex(torch::tensor({1.f, 3.f, 5.f}), torch::tensor({-2.f, -4.f, -6.f}))));
  // What is never asked for may be wrong.
  BOOST_TEST(
      same(read_x(file_of(pk::whole(pk::dict(pk::text("state_dict"), pk::dict(pk::text("x"), two_by_three),
                                             pk::text("optimizer"), pk::tensor(floats, 9, {2}, {1}))))),
           counted));
}

BOOST_AUTO_TEST_CASE(reads_what_torch_save_writes) {
  if (!is_made("types.pth")) return;
  const Checkpoint types = read_pth(made / "types.pth");
  const std::map<std::string, at::ScalarType> expected = {{"bool", at::kBool},
                                                          {"uint8", at::kByte},
                                                          {"int8", at::kChar},
                                                          {"int16", at::kShort},
                                                          {"int32", at::kInt},
                                                          {"int64", at::kLong},
                                                          {"float16", at::kHalf},
                                                          {"bfloat16", at::kBFloat16},
                                                          {"float32", at::kFloat},
                                                          {"float64", at::kDouble},
                                                          {"complex64", at::kComplexFloat},
                                                          {"complex128", at::kComplexDouble}};
  BOOST_TEST(types.tensors.size() == expected.size() + 2);
  for (const auto& [name, type] : expected)
    BOOST_TEST_CONTEXT(name) BOOST_TEST(same(*types.find(name), upward({2, 3}).to(type)));
  BOOST_TEST(same(*types.find("scalar"), torch::tensor(2.5f)));
  BOOST_TEST(same(*types.find("empty"), torch::zeros({2, 0, 3})));

  const Checkpoint layouts = read_pth(made / "layouts.pth");
  const Tensor base = upward({4, 6});
  const auto check = [&](const std::string& name, const Tensor& value) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST_REQUIRE((layouts.find(name) != nullptr));
      BOOST_TEST(same(*layouts.find(name), value));
      BOOST_TEST(layouts.find(name)->strides() == value.strides());
      BOOST_TEST(!layouts.find(name)->requires_grad());
    }
  };
  check("base", base);
  check("row", base[1]);
  check("transposed", base.t());
  check("strided", base.slice(0, 0, 4, 2).slice(1, 1, 6, 2));
  check("last", base[3][5]);
  check("expanded", upward({3}).expand({4, 3}));
  check("channels_last", upward({2, 3, 2, 2}).contiguous(at::MemoryFormat::ChannelsLast));
  check("parameter", upward({4}));
  check("attributes", upward({3}));
  BOOST_TEST(layouts.find("row")->storage().is_alias_of(layouts.find("base")->storage()));
}

BOOST_AUTO_TEST_CASE(reads_state_dicts_of_torch_save) {
  if (!is_made("net.pth")) return;
  const std::vector<std::string> names = {"conv.weight",       "norm.weight",      "norm.bias",
                                          "norm.running_mean", "norm.running_var", "norm.num_batches_tracked",
                                          "head.weight",       "head.bias"};
  for (const std::string name : {"net", "net_3", "net_4", "net_5", "wrapped", "model", "zipped", "little"}) {
    BOOST_TEST_CONTEXT(name) {
      const auto file = made / (name + ".pth");
      BOOST_TEST(names_of(read_pth(file)) == names);
      Net net;
      load_into(*net, read_checkpoint(file), file.string());
      BOOST_TEST(same(net->conv->weight.detach(), upward({4, 3, 3, 3})));
      BOOST_TEST(same(net->norm->bias.detach(), upward({4}) + 2));
      BOOST_TEST(same(net->head->bias.detach(), upward({2}) + 4));
      const bool trained = name == "wrapped" || name == "model";
      BOOST_TEST(net->norm->num_batches_tracked.item<std::int64_t>() == (trained ? 1 : 0));
      BOOST_TEST(net->head->weight.requires_grad());
    }
  }
  const Checkpoint parameters = read_pth(made / "parameters.pth");
  BOOST_TEST(parameters.tensors.size() == 5);
  BOOST_TEST(same(*parameters.find("head.weight"), upward({2, 4}) + 3));
}

BOOST_AUTO_TEST_CASE(refuses_what_torch_save_writes_of_other_things) {
  if (!is_made("system.pth")) return;
  const std::map<std::string, std::vector<std::string>> reasons = {
      {"system", {".system'", "nothing in it is ever run"}},
      {"whole", {"'torch.nn.modules.linear.Linear'", "torch.save(model.state_dict(), path)"}},
      {"legacy", {"before version 1.6", "torch.save(torch.load(old, map_location=\"cpu\"), new)"}},
      {"protocol_1", {"pickle_protocol below 2"}},
      {"compressed", {"compressed"}},
      {"big", {"byte order 'big'"}},
      {"script", {"TorchScript", "load_script"}},
      {"quantized", {"quantized"}},
      {"sparse", {"sparse"}},
      {"meta", {"without values"}},
      {"list", {"no dict of tensors"}},
      {"tensor", {"one tensor without a name"}},
      {"numbers", {"'epoch', 'rate'"}},
      {"unnamed", {"no string"}},
      {"pickle", {"not made by torch.save"}}};
  for (const auto& [name, words] : reasons)
    BOOST_TEST_CONTEXT(name) BOOST_CHECK_EXCEPTION(read_pth(made / (name + ".pth")), Error, says(words));
}

BOOST_AUTO_TEST_CASE(a_thousand_truncations_and_a_thousand_damaged_bytes) {
  // A state dict of some layers, as PyTorch writes it.
  Records records = {{"net/data.pkl", ""}};
  std::string items;
  std::int64_t place = 0;
  for (const std::int64_t width : {3, 16, 24, 32, 8}) {
    for (const std::string part : {".weight", ".bias"}) {
      const std::vector<std::int64_t> shape =
          part == ".bias" ? std::vector<std::int64_t>{width} : std::vector<std::int64_t>{width, 4};
      const std::vector<std::int64_t> strides =
          part == ".bias" ? std::vector<std::int64_t>{1} : std::vector<std::int64_t>{4, 1};
      const std::int64_t count = c10::multiply_integers(shape);
      const std::string key = std::to_string(place++);
      items += pk::text("layer" + key + part) +
               pk::tensor(pk::storage("FloatStorage", key, count), 0, shape, strides);
      records.emplace_back("net/data/" + key, raw(std::vector<float>(std::size_t(count), 0.5f)));
    }
  }
  records[0].second = pk::whole(pk::ordered_dict() + "(" + items + "u");
  records.emplace_back("net/version", "3\n");
  const std::string whole = zip_of(records);
  BOOST_TEST_REQUIRE(whole.size() > 1000);
  const Checkpoint intact = read(whole);
  BOOST_TEST(intact.tensors.size() == 10);

  std::mt19937 random(1);
  for (std::size_t cut = 1; cut <= 1000; ++cut) {
    const std::size_t left = cut <= 500 ? whole.size() - cut : random() % whole.size();
    BOOST_CHECK_THROW(read(whole.substr(0, left)), Error);
  }

  int refused = 0;
  for (int time = 0; time < 1000; ++time) {
    std::string damaged = whole;
    const std::size_t at = random() % whole.size();
    damaged[at] = char(damaged[at] ^ char(1 + random() % 255));
    try {
      const Checkpoint checkpoint = read(damaged);
      BOOST_TEST(names_of(checkpoint) == names_of(intact));
      for (const auto& [name, tensor] : intact.tensors) {
        BOOST_TEST(checkpoint.find(name)->sizes() == tensor.sizes());
        BOOST_TEST((checkpoint.find(name)->scalar_type() == tensor.scalar_type()));
        // At most the damaged byte's value is another.
        BOOST_TEST(checkpoint.find(name)->ne(tensor).sum().item<std::int64_t>() <= 1);
      }
    } catch (const Error&) {
      ++refused;
    }
  }
  BOOST_TEST(refused > 400);
}

BOOST_AUTO_TEST_SUITE_END()
