#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <pellucid/core/digest.hpp>

namespace pellucid {

/// An image file of an index.
struct ScannedImage {
  std::string name{};      ///< of the file, relative to the folder
  std::uint64_t size = 0;  ///< bytes
  std::string digest{};    ///< `digest_of` its bytes

  bool operator==(const ScannedImage&) const = default;
};

/// The image files of an index, ordered by name; several may have the same bytes.
///
/// They lie in four large pieces of memory, with 48 bytes and its name each. (As small ones of their own they
/// stay between a network's large ones that come and go, and the holes cost more than they do.)
class ScannedImages {
 public:
  /// How many there are.
  std::size_t size() const { return by_name_.size(); }
  /// How many are different images.
  std::size_t distinct() const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < by_digest_.size(); ++i)
      if (i == 0 || files_[by_digest_[i]].digest != files_[by_digest_[i - 1]].digest) ++count;
    return count;
  }

  /// The image at a place of the order, from 0.
  ScannedImage operator[](std::size_t place) const {
    const File& file = files_[by_name_[place]];
    return {std::string(name_of(file)), file.size, detail::digest_hex(file.digest)};
  }
  /// For a loop over all: makes each image when it is asked for it.
  class Iterator {
   public:
    /// At a place of the order.
    Iterator(const ScannedImages* images, std::size_t place) : images_(images), place_(place) {}
    /// The image there.
    ScannedImage operator*() const { return (*images_)[place_]; }
    /// On to the next one.
    Iterator& operator++() {
      ++place_;
      return *this;
    }
    /// Whether both are at one place.
    bool operator==(const Iterator&) const = default;

   private:
    const ScannedImages* images_;
    std::size_t place_;
  };
  /// The first of all, in their order.
  Iterator begin() const { return {this, 0}; }
  /// Behind the last one.
  Iterator end() const { return {this, size()}; }

  /// The image of that name, if it is there.
  std::optional<ScannedImage> find(std::string_view name) const {
    const std::size_t place = place_of(name);
    if (place == size() || name_of(files_[by_name_[place]]) != name) return {};
    return (*this)[place];
  }
  /// The place of the first with those bytes, if there is one.
  std::optional<std::size_t> find(const detail::DigestBytes& digest) const {
    const auto first = std::lower_bound(
        by_digest_.begin(), by_digest_.end(), digest,
        [this](Number number, const auto& wanted) { return files_[number].digest < wanted; });
    if (first == by_digest_.end() || files_[*first].digest != digest) return {};
    return place_of(name_of(files_[*first]));
  }

  /// Adds images that are not there, each of another name.
  void add(const std::vector<ScannedImage>& images) {
    std::vector<Number> added;
    for (const ScannedImage& image : images) {
      const auto digest = detail::digest_bytes(image.digest);
      added.push_back(Number(files_.size()));
      files_.push_back({names_.size(), image.size, std::uint32_t(image.name.size()), digest});
      names_ += image.name;
    }
    merge(by_name_, added, [this](Number a, Number b) { return name_of(files_[a]) < name_of(files_[b]); });
    merge(by_digest_, added, [this](Number a, Number b) {
      const File &one = files_[a], &other = files_[b];
      return one.digest != other.digest ? one.digest < other.digest : name_of(one) < name_of(other);
    });
  }

  bool operator==(const ScannedImages& other) const {
    bool same = size() == other.size();
    for (std::size_t place = 0; same && place < size(); ++place) same = (*this)[place] == other[place];
    return same;
  }

 private:
  struct File {
    std::uint64_t name_at = 0, size = 0;
    std::uint32_t name_size = 0;
    detail::DigestBytes digest{};
  };
  using Number = std::uint32_t;  // of a file, in the order in which they came

  std::string_view name_of(const File& file) const {
    return std::string_view(names_).substr(file.name_at, file.name_size);
  }

  /// The place of the first name that is not smaller.
  std::size_t place_of(std::string_view name) const {
    const auto first = std::lower_bound(
        by_name_.begin(), by_name_.end(), name,
        [this](Number number, std::string_view wanted) { return name_of(files_[number]) < wanted; });
    return std::size_t(first - by_name_.begin());
  }

  /// Puts new numbers among sorted ones, the last first, so that each of these moves once.
  template <class Less>
  static void merge(std::vector<Number>& sorted, std::vector<Number> added, const Less& less) {
    std::sort(added.begin(), added.end(), less);
    auto left = std::ptrdiff_t(sorted.size());
    sorted.resize(sorted.size() + added.size());
    auto to = sorted.end();
    for (auto number = added.rbegin(); number != added.rend(); ++number) {
      const auto end = sorted.begin() + left;
      const auto place = std::upper_bound(sorted.begin(), end, *number, less);
      to = std::move_backward(place, end, to);
      *--to = *number;
      left = place - sorted.begin();
    }
  }

  std::string names_{};                          // one behind the other
  std::vector<File> files_{};                    // in the order in which they came
  std::vector<Number> by_name_{}, by_digest_{};  // of equal digests, by name
};

}  // namespace pellucid
