#include <boost/test/unit_test.hpp>

#include <pellucid/core/digest.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "image/temporary.hpp"

using namespace pellucid;

namespace {

// The examples of FIPS 180 (csrc.nist.gov, SHA-1), and that of no bytes.
const std::string of_nothing = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
const std::string of_abc = "a9993e364706816aba3e25717850c26c9cd0d89d";
const std::string of_a_million_a = "34aa973cd4c4daa4f61eeb2bdbad27316534016f";

/// Bytes of all values, other ones in each block.
std::string some_bytes(std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += char(i * i + 7 * i / 256);
  return bytes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(core_digest)

BOOST_AUTO_TEST_CASE(the_examples_of_the_standard) {
  BOOST_TEST(digest_of("") == of_nothing);
  BOOST_TEST(digest_of("abc") == of_abc);
  BOOST_TEST(digest_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
             "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  BOOST_TEST(
      digest_of("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
                "lmnopqrsmnopqrstnopqrstu") == "a49b2446a02c645bf419f995b67091253a04a259");
  BOOST_TEST(digest_of(std::string(1000000, 'a')) == of_a_million_a);
  const std::vector<std::uint8_t> abc{'a', 'b', 'c'};
  BOOST_TEST(digest_of(abc) == of_abc);
}

BOOST_AUTO_TEST_CASE(all_lengths_around_the_ends_of_blocks) {
  std::string digests;
  for (std::size_t size = 0; size < 260; ++size) digests += digest_of(some_bytes(size));
  BOOST_TEST(digest_of(digests) == "85a698ed2022d7e9d7789081f97fa76fbfb6a604");  // by Python's hashlib
}

BOOST_AUTO_TEST_CASE(pieces_give_what_the_whole_gives) {
  const std::string bytes = some_bytes(200);
  const std::string_view view = bytes;
  const std::string whole = "c8a78227808add58082b476242786b796bb088f1";  // by Python's hashlib
  for (std::size_t first = 0; first <= bytes.size(); first += 3)
    for (std::size_t second = first; second <= bytes.size(); second += 5) {
      const auto parts = Digest()
                             .add(view.substr(0, first))
                             .add(view.substr(first, second - first))
                             .add(view.substr(second));
      BOOST_TEST(parts.hex() == whole);
    }
  Digest one_by_one;
  for (const char& c : bytes) one_by_one.add({&c, 1});
  BOOST_TEST(one_by_one.hex() == whole);
}

BOOST_AUTO_TEST_CASE(more_may_follow_what_was_told) {
  Digest digest;
  BOOST_TEST(digest.hex() == of_nothing);
  digest.add("a").add("");
  digest.hex();
  BOOST_TEST(digest.add("bc").hex() == of_abc);
}

BOOST_AUTO_TEST_CASE(of_files) {
  const TemporaryFolder folder;
  BOOST_TEST(digest_of_file(folder.put("empty", "")) == of_nothing);
  BOOST_TEST(digest_of_file(folder.put("abc", "abc")) == of_abc);
  BOOST_TEST(digest_of_file(folder.put("long", std::string(1000000, 'a'))) == of_a_million_a);
  // One byte less and more than the pieces that are read; by Python's hashlib.
  const auto of_file = [&](std::size_t size) {
    return digest_of_file(folder.put("piece", some_bytes(size)));
  };
  BOOST_TEST(of_file(65535) == "faf63fef4680aeca661acc74d3f6bc2fd066a842");
  BOOST_TEST(of_file(65536) == "aac7877408d7bb6b014a5717c5206c8c67d9a5c0");
  BOOST_TEST(of_file(65537) == "b89a9c708ac98470025bd9f5e1a02d35474de0ec");
  BOOST_CHECK_EXCEPTION(digest_of_file(folder.path() / "none"), Error, says({"none", "no such file"}));
  BOOST_CHECK_EXCEPTION(digest_of_file(folder.path()), Error, says({"it is a folder"}));
}

BOOST_AUTO_TEST_CASE(its_digits_and_its_bytes) {
  const pellucid::detail::DigestBytes bytes = pellucid::detail::digest_bytes(of_abc);
  BOOST_TEST(int(bytes[0]) == 0xa9);
  BOOST_TEST(int(bytes[1]) == 0x99);
  BOOST_TEST(int(bytes[19]) == 0x9d);
  BOOST_TEST(pellucid::detail::digest_hex(bytes) == of_abc);
  for (const std::string& wrong :
       {std::string(), std::string("abc"), of_abc + "0", std::string(40, 'g'), std::string(40, 'A')})
    BOOST_CHECK_EXCEPTION(pellucid::detail::digest_bytes(wrong), Error,
                          says({"'" + wrong + "'", "40 hex digits"}));
}

BOOST_AUTO_TEST_SUITE_END()
