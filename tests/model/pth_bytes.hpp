#pragma once
/// Archives and pickles of PyTorch's, byte by byte.
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/model/weights/zip_archive.hpp>

namespace pellucid::test {

using Records = std::vector<std::pair<std::string, std::string>>;

template <class T>
std::string little_endian(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

/// A zip archive of records that are stored as they are.
///
/// As PyTorch writes it: values at multiples of 64, checksums behind them, and a second, 64-bit end of the
/// directory. Otherwise as plain as can be.
inline std::string zip_of(const Records& records, bool as_pytorch = true) {
  const auto u16 = [](std::size_t value) { return little_endian(std::uint16_t(value)); };
  const auto u32 = [](std::size_t value) { return little_endian(std::uint32_t(value)); };
  const auto u64 = [](std::size_t value) { return little_endian(std::uint64_t(value)); };
  std::string all, directory;
  for (const auto& [name, bytes] : records) {
    const std::string flags = u16(as_pytorch ? 8 : 0), method = u16(0), time = u32(0);
    const std::string crc = u32(detail::crc32(bytes)), sizes = u32(bytes.size()) + u32(bytes.size());
    directory += "PK\x01\x02" + u16(0) + u16(0) + flags + method + time + crc + sizes + u16(name.size()) +
                 u16(0) + u16(0) + u16(0) + u16(0) + u32(0) + u32(all.size()) + name;
    std::string padding;
    if (as_pytorch) {
      const std::size_t at = all.size() + 30 + name.size() + 4;
      const std::size_t more = (64 - at % 64) % 64;
      padding = "FB" + u16(more) + std::string(more, 'Z');
    }
    all += "PK\x03\x04" + u16(0) + flags + method + time + (as_pytorch ? u32(0) + u64(0) : crc + sizes) +
           u16(name.size()) + u16(padding.size()) + name + padding + bytes;
    if (as_pytorch) all += "PK\x07\x08" + crc + sizes;
  }
  const std::size_t start = all.size();
  all += directory;
  if (as_pytorch) {
    const std::size_t end = all.size();
    all += "PK\x06\x06" + u64(44) + u16(45) + u16(45) + u32(0) + u32(0) + u64(records.size()) +
           u64(records.size()) + u64(directory.size()) + u64(start);
    all += "PK\x06\x07" + u32(0) + u64(end) + u32(1);
  }
  return all + "PK\x05\x06" + u16(0) + u16(0) + u16(records.size()) + u16(records.size()) +
         u32(directory.size()) + u32(start) + u16(0);
}

/// Pieces of a pickle: each leaves one value on the stack.
namespace pickled {

inline std::string text(const std::string& value) {
  return "X" + little_endian(std::uint32_t(value.size())) + value;
}
inline std::string number(std::int64_t value) {
  return "\x8A\x08" + little_endian(value);
}
template <class... Items>
std::string tuple(const Items&... items) {
  return (std::string("(") + ... + items) + "t";
}
inline std::string sizes(const std::vector<std::int64_t>& values) {
  std::string all = "(";
  for (const std::int64_t value : values) all += number(value);
  return all + "t";
}
inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
template <class... Items>
std::string call(const std::string& module, const std::string& name, const Items&... arguments) {
  return global(module, name) + tuple(arguments...) + "R";
}
inline std::string ordered_dict() {
  return call("collections", "OrderedDict");
}
inline std::string storage(const std::string& type, const std::string& key, std::int64_t count) {
  return tuple(text("storage"), global("torch", type), text(key), text("cpu"), number(count)) + "Q";
}
inline std::string tensor(const std::string& storage, std::int64_t offset,
                          const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides) {
  return call("torch._utils", "_rebuild_tensor_v2", storage, number(offset), sizes(shape), sizes(strides),
              "\x89", ordered_dict());
}
/// Items are a key, its value, the next key…
template <class... Items>
std::string dict(const Items&... items) {
  return (std::string("}(") + ... + items) + "u";
}
inline std::string whole(const std::string& value) {
  return "\x80\x02" + value + ".";
}

}  // namespace pickled

}  // namespace pellucid::test
