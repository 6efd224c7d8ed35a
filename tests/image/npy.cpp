#include <boost/test/unit_test.hpp>
#include <pellucid/image/npy.hpp>

#include <cstring>

#include "temporary.hpp"

using namespace pellucid;

namespace {

template <class T>
std::string raw(std::vector<T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::string header(const std::string& text, int version = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += char(version);
  bytes += '\0';
  bytes += char(text.size() % 256);
  bytes += char(text.size() / 256);
  if (version > 1) bytes += std::string(2, '\0');
  return bytes + text;
}

std::string described(const std::string& type, const std::string& shape,
                      const std::string& fortran = "False") {
  return "{'descr': '" + type + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
}

struct Fixture {
  TemporaryFolder folder{};
  Tensor read(const std::string& bytes) { return read_npy(folder.put("a.npy", bytes)); }
  void check(const std::string& bytes, const Tensor& expected) {
    const Tensor found = read(bytes);
    BOOST_TEST((found.scalar_type() == at::kFloat));
    BOOST_TEST(found.is_contiguous());
    BOOST_TEST(found.sizes() == expected.sizes());
    BOOST_TEST(found.equal(expected));
  }
};

const Tensor counted = torch::tensor({{1.f, 2.f, 3.f}, {4.f, 5.f, 6.f}});
const std::string six = raw<float>({1, 2, 3, 4, 5, 6});

}  // namespace

BOOST_FIXTURE_TEST_SUITE(image_npy, Fixture)

BOOST_AUTO_TEST_CASE(reads_types_orders_and_versions) {
  for (const int version : {1, 2, 3}) check(header(described("<f4", "(2, 3)"), version) + six, counted);
  check(header(described("<f4", "(2, 3)", "True")) + raw<float>({1, 4, 2, 5, 3, 6}), counted);
  check(header(described("<f8", "(2, 3)")) + raw<double>({1, 2, 3, 4, 5, 6}), counted);
  check(header(described("<f2", "(2,)")) + raw<uint16_t>({0x3C00, 0xC400}), torch::tensor({1.f, -4.f}));
  check(header(described("|u1", "(2,)")) + raw<uint8_t>({7, 255}), torch::tensor({7.f, 255.f}));
  check(header(described("<i8", "(2,)")) + raw<int64_t>({-7, 255}), torch::tensor({-7.f, 255.f}));
  check(header(described("<f4", "()")) + raw<float>({2.5f}), torch::tensor(2.5f));
  check(header(described("<f4", "(0, 3)")), torch::empty({0, 3}));
  check(header("{\"shape\":(6,),\"descr\":\"<f4\",\"fortran_order\":False}") + six, counted.view({6}));
}

BOOST_AUTO_TEST_CASE(fortran_order_of_three_dimensions) {
  // The first index runs fastest: value 100·i + 10·j + k at place i + 2·j + 6·k.
  std::vector<float> values(24);
  Tensor expected = torch::empty({2, 3, 4});
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 3; ++j) {
      for (int k = 0; k < 4; ++k) {
        values[std::size_t(i + 2 * j + 6 * k)] = float(100 * i + 10 * j + k);
        expected[i][j][k] = 100 * i + 10 * j + k;
      }
    }
  }
  check(header(described("<f4", "(2, 3, 4)", "True")) + raw(values), expected);
}

BOOST_AUTO_TEST_CASE(writes_what_numpy_writes) {
  const auto path = folder.path() / "w.npy";
  write_npy(path, counted);
  std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  text.append(117 - text.size(), ' ');
  BOOST_TEST(contents(path) == header(text + "\n") + six);
  write_npy(path, torch::ones({3}));
  BOOST_TEST(contents(path).find("'shape': (3,), }") != std::string::npos);
  write_npy(path, torch::tensor(1.f));
  BOOST_TEST(contents(path).find("'shape': (), }") != std::string::npos);
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

BOOST_AUTO_TEST_CASE(comes_back_as_it_was) {
  const auto path = folder.path() / "w.npy";
  for (const Tensor& tensor : {torch::randn({2, 3, 5, 7}), torch::randn({4, 6}).t(), torch::randn({0, 2}),
                               torch::randn({1}).set_requires_grad(true), torch::arange(5),
                               torch::full({2}, std::nan("")), torch::ones(std::vector<int64_t>(32, 1))}) {
    write_npy(path, tensor);
    BOOST_TEST(std::filesystem::file_size(path) % 4 == 0);
    const Tensor back = read_npy(path);
    BOOST_TEST(back.sizes() == tensor.sizes());
    BOOST_TEST(torch::allclose(back, tensor.detach().to(at::kFloat), 0, 0, /*equal_nan=*/true));
  }
}

BOOST_AUTO_TEST_CASE(refusals) {
  const auto refused = [&](const std::string& bytes, std::vector<std::string> words) {
    words.push_back("a.npy");
    words.push_back("expected a NumPy array");
    BOOST_CHECK_EXCEPTION(read(bytes), Error, says(words));
  };
  refused("", {"too short"});
  refused("PK\x03\x04 a zip archive", {"no NumPy array"});
  refused(header(described("<f4", "(2, 3)"), 4) + six, {"version 4.0"});
  refused(header(described("|O", "(2, 3)")) + six, {"'|O'", "Python objects"});
  refused(header(described(">f4", "(2, 3)")) + six, {"'>f4'"});
  refused(header("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (6,), }") + six, {"records"});
  refused(header(described("<f4", "(2, 3)")) + six.substr(1), {"24 bytes", "23"});
  refused(header(described("<f4", "(2, 3)")) + six + "x", {"24 bytes", "25"});
  refused(header(described("<f4", "(4611686018427387904, 4)")), {"shape"});
  refused(header(described("<f4", "(0, 4611686018427387904, 4)")), {"shape"});
  refused(header(described("<f4", "(99999999999999999999,)")), {"header"});
  refused(header(described("<f4", "(-2, -3)")) + six, {"header"});
  refused(header(described("<f4", "(6)")) + six, {"header"});
  refused(header(described("<f4", "(2, 3)", "Maybe")) + six, {"header"});
  refused(header("{'descr': '<f4', 'shape': (6,), }") + six, {"header"});
  refused(header("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (6,), }") + six,
          {"header"});
  refused(header(described("<f4", "(6,)") + "import os") + six, {"header"});
  refused(header("{'descr': '<f4").substr(0, 20), {"header"});
  std::string ones = "(";
  for (int i = 0; i < 40; ++i) ones += "1, ";
  refused(header(described("<f4", ones + ")")) + raw<float>({1}), {"header"});

  BOOST_CHECK_EXCEPTION(read_npy(folder.path() / "none.npy"), Error, says({"none.npy", "no such file"}));
  BOOST_CHECK_EXCEPTION(read_npy(folder.path()), Error, says({"folder"}));
  BOOST_CHECK_THROW(write_npy(folder.path() / "w.npy", Tensor()), Error);
  BOOST_CHECK_THROW(write_npy(folder.path() / "w.npy", torch::zeros({2}, at::kComplexFloat)), Error);
  BOOST_CHECK_EXCEPTION(write_npy(folder.path() / "none" / "w.npy", counted), Error,
                        says({"no folder", "none"}));
}

BOOST_AUTO_TEST_CASE(every_prefix_and_single_byte_damage_is_an_error_or_an_array) {
  const std::string whole = header(described("<f4", "(2, 3)", "True")) + six;
  for (std::size_t size = 0; size < whole.size(); ++size)
    BOOST_CHECK_THROW(read(whole.substr(0, size)), Error);
  int refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int change : {0x01, 0x04, 0x10, 0x20, 0x80, 0xFF}) {
      std::string damaged = whole;
      damaged[at] = char(damaged[at] ^ change);
      try {
        BOOST_TEST(read(damaged).numel() <= 24);
      } catch (const Error&) {
        ++refused;
      }
    }
  }
  BOOST_TEST(refused > 300);
}

BOOST_AUTO_TEST_SUITE_END()
