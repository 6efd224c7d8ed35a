#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/files.hpp>

namespace pellucid {

namespace detail {

/// A digest as its 20 bytes: less memory than its digits, and the same order.
using DigestBytes = std::array<std::uint8_t, 20>;

inline std::string digest_hex(const DigestBytes& bytes) {
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 0xF];
  }
  return hex;
}

/// Throws Error for what is not 40 hex digits in lower case.
inline DigestBytes digest_bytes(std::string_view hex) {
  DigestBytes bytes{};
  bool good = hex.size() == 2 * bytes.size();
  for (std::size_t i = 0; good && i < hex.size(); ++i) {
    const char c = hex[i];
    good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    bytes[i / 2] = std::uint8_t(bytes[i / 2] << 4 | (c <= '9' ? c - '0' : c - 'a' + 10));
  }
  if (!good)
    throw Error("'" + std::string(hex.substr(0, 80)) +
                "' is no digest; expected the 40 hex digits, in lower case, that digest_of() gives");
  return bytes;
}

}  // namespace detail

/// The SHA-1 of bytes that come in pieces (FIPS 180-4), by which the same bytes are known again: 40 hex
/// digits, as `sha1sum` prints them.
///
/// It tells files apart that nobody made to be mistaken for each other; it is no proof against somebody who
/// wants that. (`c10::sha1` takes all bytes at once, as one string, and almost three times as long.)
class Digest {
 public:
  /// The next bytes.
  Digest& add(std::string_view bytes) {
    size_ += bytes.size();
    if (waiting_ > 0) {
      const std::size_t taken = std::min(bytes.size(), block_.size() - waiting_);
      std::copy_n(bytes.begin(), taken, block_.begin() + std::ptrdiff_t(waiting_));
      waiting_ += taken;
      bytes.remove_prefix(taken);
      if (waiting_ < block_.size()) return *this;
      mix(block_.data());
      waiting_ = 0;
    }
    for (; bytes.size() >= block_.size(); bytes.remove_prefix(block_.size())) mix(bytes.data());
    std::copy(bytes.begin(), bytes.end(), block_.begin());
    waiting_ = bytes.size();
    return *this;
  }

  /// Of all bytes so far; more may follow.
  std::string hex() const {
    // The end: a one bit, as many zeros as fill a block but for 64 bits, and the number of bits in those.
    Digest ended = *this;
    std::string end(1, '\x80');
    end.append((2 * block_.size() - 9 - waiting_) % block_.size(), '\0');
    for (int shift = 56; shift >= 0; shift -= 8) end += char(8 * size_ >> shift & 0xFF);
    ended.add(end);
    detail::DigestBytes bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i)
      bytes[i] = std::uint8_t(ended.state_[i / 4] >> (24 - 8 * (i % 4)));
    return detail::digest_hex(bytes);
  }

 private:
  void mix(const char* block) {
    const auto byte = [block](std::size_t i) { return std::uint32_t(static_cast<unsigned char>(block[i])); };
    std::array<std::uint32_t, 16> w;  // the last 16 words of the schedule
    for (std::size_t t = 0; t < 16; ++t)
      w[t] = byte(4 * t) << 24 | byte(4 * t + 1) << 16 | byte(4 * t + 2) << 8 | byte(4 * t + 3);
    std::uint32_t a = state_[0], b = state_[1], c = state_[2], d = state_[3], e = state_[4];
    const auto rounds = [&](std::size_t first, std::uint32_t constant, auto f) {
      for (std::size_t t = first; t < first + 20; ++t) {
        std::uint32_t& word = w[t % 16];
        if (t >= 16) word = std::rotl(w[(t - 3) % 16] ^ w[(t - 8) % 16] ^ w[(t - 14) % 16] ^ word, 1);
        const std::uint32_t next = std::rotl(a, 5) + f(b, c, d) + e + constant + word;
        e = d;
        d = c;
        c = std::rotl(b, 30);
        b = a;
        a = next;
      }
    };
    using Word = std::uint32_t;
    const auto parity = [](Word x, Word y, Word z) { return x ^ y ^ z; };
    rounds(0, 0x5A827999, [](Word x, Word y, Word z) { return (x & y) ^ (~x & z); });
    rounds(20, 0x6ED9EBA1, parity);
    rounds(40, 0x8F1BBCDC, [](Word x, Word y, Word z) { return (x & y) ^ (x & z) ^ (y & z); });
    rounds(60, 0xCA62C1D6, parity);
    state_ = {state_[0] + a, state_[1] + b, state_[2] + c, state_[3] + d, state_[4] + e};
  }

  std::array<std::uint32_t, 5> state_{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  std::array<char, 64> block_{};  // its first `waiting_` bytes wait for the others
  std::size_t waiting_ = 0;
  std::uint64_t size_ = 0;
};

/// SHA-1 of the bytes: 40 hex digits.
inline std::string digest_of(std::string_view bytes) {
  return Digest().add(bytes).hex();
}

/// The same.
inline std::string digest_of(std::span<const std::uint8_t> bytes) {
  return digest_of(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

/// SHA-1 of a file's bytes, which are read in pieces. Throws Error where it cannot be read.
inline std::string digest_of_file(const std::filesystem::path& path) {
  InputFile file(path, "a file that may be read");
  std::vector<char> piece(1 << 16);
  Digest digest;
  for (std::uintmax_t left = file.size(); left > 0;) {
    const auto size = std::size_t(std::min<std::uintmax_t>(left, piece.size()));
    file.read(piece.data(), size);
    digest.add({piece.data(), size});
    left -= size;
  }
  return digest.hex();
}

}  // namespace pellucid
