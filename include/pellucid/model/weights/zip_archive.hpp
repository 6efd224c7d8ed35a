#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <pellucid/core/files.hpp>
#include <pellucid/model/weights/checkpoint.hpp>

namespace pellucid::detail {

/// The checksum of zip archives.
inline std::uint32_t crc32(std::string_view bytes) {
  static constexpr auto table = [] {
    std::array<std::uint32_t, 256> remainders{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      remainders[i] = i;
      for (int bit = 0; bit < 8; ++bit)
        remainders[i] = (remainders[i] >> 1) ^ (remainders[i] & 1 ? 0xEDB88320u : 0u);
    }
    return remainders;
  }();
  std::uint32_t crc = ~0u;
  for (const char byte : bytes) crc = table[(crc ^ static_cast<unsigned char>(byte)) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

/// One record (file) of a zip archive.
struct ZipRecord {
  std::string_view name{};
  std::uint16_t flags = 0;
  std::uint16_t method = 0;  ///< of compression; 0: none
  std::uint32_t crc = 0;     ///< of its bytes; 0 where the writer did not compute it
  std::uint64_t stored = 0;  ///< bytes in the archive
  std::uint64_t size = 0;    ///< bytes when it is unpacked
  std::uint64_t header = 0;  ///< where its own header begins, from the start of the file
  std::uint64_t data = 0;    ///< where its bytes begin
};

/// The directory of a zip archive (PKWARE's APPNOTE 6.3, zip64 included) whose bytes are in memory. Nothing
/// is unpacked or copied.
///
/// Records must lie one after the other without gaps, as archivers write them, so a damaged size or place is
/// seen. Throws Error, in the words of `file`, on an archive that is cut off, damaged or encrypted.
class ZipArchive {
 public:
  ZipArchive(const InputName& file, std::string_view bytes) : file_(file), bytes_(bytes) {
    read_directory();
    std::sort(records_.begin(), records_.end(),
              [](const ZipRecord& left, const ZipRecord& right) { return left.header < right.header; });
    for (std::size_t i = 0; i < records_.size(); ++i)
      find_data(records_[i], i + 1 < records_.size() ? records_[i + 1].header : directory_);
    first_ = records_.empty() ? "" : records_.front().name;

    const auto by_name = [](const ZipRecord& left, const ZipRecord& right) { return left.name < right.name; };
    std::sort(records_.begin(), records_.end(), by_name);
    const auto twice = std::adjacent_find(
        records_.begin(), records_.end(),
        [](const ZipRecord& left, const ZipRecord& right) { return left.name == right.name; });
    if (twice != records_.end()) damaged("its record " + shown(twice->name) + " is there twice");
  }

  /// The name of the record that comes first in the file; empty where there is none.
  std::string_view first() const { return first_; }

  /// The record of that name, or nullptr.
  const ZipRecord* find(std::string_view name) const {
    const auto found = std::lower_bound(
        records_.begin(), records_.end(), name,
        [](const ZipRecord& record, std::string_view wanted) { return record.name < wanted; });
    return found != records_.end() && found->name == name ? &*found : nullptr;
  }

  /// A record's bytes, unchecked. Throws Error where they are compressed.
  std::string_view bytes_of(const ZipRecord& record) const {
    if (record.method != 0)
      file_.refuse("its record " + shown(record.name) +
                   " is compressed, which PyTorch's own files never are; write it anew in Python: "
                   "torch.save(torch.load(old, map_location=\"cpu\"), new)");
    if (record.stored != record.size) damaged("its record " + shown(record.name) + " has two sizes");
    return bytes_.substr(std::size_t(record.data), std::size_t(record.size));
  }

  /// A record's bytes. Throws Error where they do not have the checksum that the archive gives.
  std::string_view checked_bytes_of(const ZipRecord& record) const {
    const std::string_view bytes = bytes_of(record);
    if (record.crc != 0 && crc32(bytes) != record.crc)
      damaged("its record " + shown(record.name) + " has another checksum than it should");
    return bytes;
  }

 private:
  [[noreturn]] void damaged(const std::string& reason) const {
    file_.refuse("it is damaged: " + reason + "; get it again");
  }

  /// A little-endian number. Throws Error where it would lie outside.
  template <class T>
  T number(std::string_view bytes, std::uint64_t place) const {
    if (bytes.size() < sizeof(T) || place > bytes.size() - sizeof(T)) damaged("its zip directory ends early");
    T value;
    std::memcpy(&value, bytes.data() + place, sizeof(T));
    return value;
  }

  bool has_signature(std::uint64_t place, std::string_view signature) const {
    return place <= bytes_.size() && bytes_.substr(std::size_t(place)).starts_with(signature);
  }

  /// Where the record begins that ends the archive. A comment may follow it, of which it tells the length.
  std::size_t find_end() const {
    constexpr std::size_t end_size = 22, longest_comment = 0xFFFF;
    const std::size_t first =
        bytes_.size() > end_size + longest_comment ? bytes_.size() - end_size - longest_comment : 0;
    const std::string_view tail = bytes_.substr(first);
    std::size_t at = tail.size() >= end_size ? tail.rfind("PK\x05\x06", tail.size() - end_size) : tail.npos;
    while (at != tail.npos && tail.size() - at - end_size != number<std::uint16_t>(tail, at + 20))
      at = at > 0 ? tail.rfind("PK\x05\x06", at - 1) : tail.npos;
    if (at == tail.npos)
      file_.refuse("its end is missing: the copy or the download was cut short; get it again");
    return first + at;
  }

  void read_directory() {
    std::uint64_t end = find_end();
    std::uint64_t count = number<std::uint16_t>(bytes_, end + 10);
    std::uint64_t size = number<std::uint32_t>(bytes_, end + 12);
    directory_ = number<std::uint32_t>(bytes_, end + 16);
    constexpr std::uint64_t locator_size = 20;
    if (end >= locator_size && has_signature(end - locator_size, "PK\x06\x07")) {
      const auto place = number<std::uint64_t>(bytes_, end - locator_size + 8);
      if (!has_signature(place, "PK\x06\x06")) damaged("its zip directory has no end");
      end = place;
      count = number<std::uint64_t>(bytes_, end + 32);
      size = number<std::uint64_t>(bytes_, end + 40);
      directory_ = number<std::uint64_t>(bytes_, end + 48);
    }
    if (directory_ > end || size != end - directory_) damaged("its zip directory is not where it should be");
    const std::string_view directory = bytes_.substr(std::size_t(directory_), std::size_t(size));
    std::uint64_t at = 0;
    while (at < directory.size()) at += read_entry(directory, at);
    if (records_.size() != count)
      damaged("its zip directory has " + std::to_string(records_.size()) + " records, and should have " +
              std::to_string(count));
  }

  /// Adds the record that the directory has at `at`, and returns the length of its entry.
  std::uint64_t read_entry(std::string_view directory, std::uint64_t at) {
    constexpr std::uint64_t fixed = 46;
    const std::string_view entry = directory.substr(std::size_t(at));
    const std::uint64_t name = number<std::uint16_t>(entry, 28), extra = number<std::uint16_t>(entry, 30),
                        comment = number<std::uint16_t>(entry, 32);
    if (!entry.starts_with("PK\x01\x02") || fixed + name + extra + comment > entry.size())
      damaged("its zip directory is broken at record " + std::to_string(records_.size()));
    ZipRecord& record = records_.emplace_back();
    record.name = entry.substr(fixed, std::size_t(name));
    record.flags = number<std::uint16_t>(entry, 8);
    record.method = number<std::uint16_t>(entry, 10);
    record.crc = number<std::uint32_t>(entry, 16);
    record.stored = number<std::uint32_t>(entry, 20);
    record.size = number<std::uint32_t>(entry, 24);
    record.header = number<std::uint32_t>(entry, 42);
    if (record.flags & 1)
      file_.refuse("its record " + shown(record.name) + " is encrypted; decrypt it first");
    read_zip64(record, entry.substr(std::size_t(fixed + name), std::size_t(extra)));
    return fixed + name + extra + comment;
  }

  /// Numbers that do not fit into 32 bits are all ones there, and stand in an extra field of kind 1.
  void read_zip64(ZipRecord& record, std::string_view extra) const {
    while (extra.size() >= 4) {
      const auto kind = number<std::uint16_t>(extra, 0);
      const std::string_view field = extra.substr(4, number<std::uint16_t>(extra, 2));
      extra.remove_prefix(4 + field.size());
      if (kind != 1) continue;
      std::uint64_t at = 0;
      for (std::uint64_t* value : {&record.size, &record.stored, &record.header}) {
        if (*value != 0xFFFFFFFF) continue;
        *value = number<std::uint64_t>(field, at);
        at += 8;
      }
    }
  }

  /// Finds a record's bytes, and checks that they end where the next one (or the directory) begins.
  void find_data(ZipRecord& record, std::uint64_t next) const {
    constexpr std::uint64_t fixed = 30;
    const auto check = [&](bool good) {
      if (!good) damaged("its record " + shown(record.name) + " is not where it should be");
    };
    check(next <= directory_ && record.header <= next && next - record.header >= fixed);
    const std::string_view local =
        bytes_.substr(std::size_t(record.header), std::size_t(next - record.header));
    const std::uint64_t name = number<std::uint16_t>(local, 26), extra = number<std::uint16_t>(local, 28);
    check(local.starts_with("PK\x03\x04") && fixed + name + extra <= local.size() &&
          local.substr(fixed, std::size_t(name)) == record.name);
    record.data = record.header + fixed + name + extra;
    check(record.stored <= next - record.data);
    const std::string_view after = local.substr(std::size_t(record.data + record.stored - record.header));
    // A writer that did not know checksum and size beforehand (flag 8; PyTorch is one) puts them behind.
    if (record.flags & 8) {
      check((after.size() == 16 || after.size() == 24) && after.starts_with("PK\x07\x08") &&
            number<std::uint32_t>(after, 4) == record.crc);
    } else {
      check(after.empty());
    }
  }

  const InputName& file_;
  std::string_view bytes_;
  std::uint64_t directory_ = 0;  // where it begins; the records end there
  std::vector<ZipRecord> records_{};
  std::string_view first_{};
};

}  // namespace pellucid::detail
