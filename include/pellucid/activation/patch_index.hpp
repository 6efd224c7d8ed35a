#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/activation/patch_index_file.hpp>
#include <pellucid/activation/patch_records.hpp>
#include <pellucid/core/digest.hpp>
#include <pellucid/core/error.hpp>
#include <pellucid/core/files.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/model/weights/checkpoint.hpp>

namespace pellucid {

/// One of the strongest places of a channel.
struct Patch {
  float value = 0;            ///< of the channel at that place
  std::string image{};        ///< the name of its file, relative to the folder
  std::int64_t y = 0, x = 0;  ///< the place in the layer
};

/// For each channel of some layers, the places in many images where it is strongest: of each image its
/// strongest one, of the images the `top` strongest.
///
/// An image is its bytes, known by their digest; files of the same bytes are one image, which goes by the
/// smaller of their names. Places are ordered by value (descending), digest, y and x (ascending), in which no
/// two are equal. So what is kept is a function of the set of images alone: whatever the order in which they
/// came, and whether they came to one index or to several that were merged.
class PatchIndex {
 public:
  PatchIndex() = default;

  /// An index without images. Throws Error for an `about` that cannot be.
  explicit PatchIndex(PatchIndexOf about) {
    about.check();
    records_.about = std::move(about);
    for (const std::int64_t channels : records_.about.channels)
      records_.kept.emplace_back(std::size_t(channels));
  }

  /// What it is about.
  const PatchIndexOf& about() const { return records_.about; }

  /// The value from which on an offer can enter a channel of a layer (by number): the weakest kept, or
  /// -infinity. An equal value may enter, too, by its digest.
  float threshold(std::size_t layer, std::int64_t channel) const {
    const detail::KeptPlaces& kept = row(layer, channel);
    return is_full(kept) ? kept.back().value : -std::numeric_limits<float>::infinity();
  }

  /// Offers the strongest place of an image, before the image is added.
  ///
  /// Of several offers of one image the strongest counts, of equal ones the first by y and x. Throws Error
  /// for NaN, which has no place in the order, and for a layer or channel that is not there.
  void offer(std::size_t layer, std::int64_t channel, float value, const std::string& digest, std::int64_t y,
             std::int64_t x) {
    enter(row(layer, channel), place_of(value, digest, y, x));
  }

  /// An image has been scanned: all its offers were made.
  ///
  /// A file that had been left out is so no longer. Throws Error where another image has that name.
  void add(const ScannedImage& image) {
    if (is_known(image)) return;
    records_.images.add({image});
    records_.skipped.erase(image.name);
  }

  /// A file is left out, for a reason. One that was scanned stays scanned.
  void skip(std::string name, std::string reason) {
    detail::check_text(name, "name");
    detail::check_text(reason, "reason");
    if (!records_.images.find(name)) records_.skipped.insert_or_assign(std::move(name), std::move(reason));
  }

  /// A file that had been left out is gone.
  void forget(const std::string& name) { records_.skipped.erase(name); }

  /// Whether a file of that name and size was scanned, or known as a duplicate.
  bool has(const std::string& name, std::uint64_t size) const {
    const auto found = records_.images.find(name);
    return found && found->size == size;
  }
  /// Whether an image of that digest was scanned. Throws Error for what is no digest.
  bool has_digest(const std::string& digest) const {
    return records_.images.find(detail::digest_bytes(digest)).has_value();
  }

  /// All files that were scanned, by name, duplicates among them.
  const ScannedImages& images() const { return records_.images; }
  /// How many of them are another's duplicate.
  std::int64_t duplicates() const { return std::int64_t(images().size() - images().distinct()); }
  /// The files that were left out, with the reason.
  const std::map<std::string, std::string>& skipped() const { return records_.skipped; }

  /// The strongest places of a channel, strongest first: as many as there are images, and at most `top`.
  /// Throws Error for a layer or channel that the index does not have.
  std::vector<Patch> of(const std::string& layer, std::int64_t channel) const {
    const std::vector<std::string>& layers = about().layers;
    const auto found = std::find(layers.begin(), layers.end(), layer);
    if (found == layers.end())
      throw Error("the index of patches has no layer " + detail::shown(layer) + "; it has " +
                  detail::listed(layers));
    std::vector<Patch> patches;
    for (const detail::KeptPlace& place : row(std::size_t(found - layers.begin()), channel)) {
      const std::size_t image = detail::number_of(place, images());
      patches.push_back({place.value, images()[image].name, place.y, place.x});
    }
    return patches;
  }

  /// Takes over what another index found, as if one had seen the images of both.
  ///
  /// A file that one of them scanned and the other left out is scanned; of two reasons the smaller stays.
  /// Throws Error, and changes nothing, where they are about different things (`PatchIndexOf`), or where a
  /// name stands for different images; it calls the two by these names.
  void merge(const PatchIndex& other, const std::string& one = "one",
             const std::string& the_other = "the other") {
    if (const std::string difference = about().difference(other.about(), one, the_other); !difference.empty())
      throw Error("cannot merge indexes of patches: " + difference +
                  "; make all with the same network and options");
    std::vector<ScannedImage> added;
    for (ScannedImage image : other.images())
      if (!is_known(image)) added.push_back(std::move(image));
    records_.images.add(added);
    for (const ScannedImage& image : added) records_.skipped.erase(image.name);
    for (const auto& [name, reason] : other.skipped()) {
      const auto mine = skipped().find(name);
      skip(name, mine == skipped().end() ? reason : std::min(mine->second, reason));
    }
    for (std::size_t layer = 0; layer < records_.kept.size(); ++layer)
      for (std::size_t channel = 0; channel < records_.kept[layer].size(); ++channel)
        for (const detail::KeptPlace& place : other.records_.kept[layer][channel])
          enter(records_.kept[layer][channel], place);
  }

  /// Writes the index: the same images give the same bytes. The file appears whole or not at all.
  ///
  /// A safetensors file. For each layer `LAYER/values` C×top float32 (strongest first; −∞ where there are
  /// fewer images), `LAYER/images` int64 (the image's number in the list; −1: none), `LAYER/y` and `LAYER/x`
  /// int32 (−1: none). The list, by name: `images/names` (each ended by a zero byte), `images/sizes` N int64,
  /// `images/digests` N×20 bytes. `skipped/names` and `skipped/reasons` as those names. What it is about is
  /// in the metadata. Throws Error when it cannot be written, and for an offer of an image that was not
  /// added.
  void save(const std::filesystem::path& path) const { detail::write_patch_records(path, records_); }

  /// Throws Error for a file that is no index, of another version, truncated or damaged.
  static PatchIndex load(const std::filesystem::path& path) {
    return holding(detail::read_patch_records(path));
  }

  /// From the bytes of such a file that came another way (over a network), uint8; `name` is what a refusal
  /// calls them.
  static PatchIndex from_bytes(const Tensor& bytes, const std::string& name) {
    const auto owner = std::make_shared<const Tensor>(bytes);
    return holding(detail::read_patch_records(
        InputName(name, detail::good_patch_index),
        {owner, static_cast<char*>(bytes.data_ptr()), std::size_t(bytes.numel())}));
  }

  bool operator==(const PatchIndex& other) const { return records_ == other.records_; }

 private:
  static PatchIndex holding(detail::PatchRecords records) {
    PatchIndex index;
    index.records_ = std::move(records);
    return index;
  }

  bool is_full(const detail::KeptPlaces& kept) const { return std::int64_t(kept.size()) >= about().top; }

  const detail::KeptPlaces& row(std::size_t layer, std::int64_t channel) const {
    if (layer >= records_.kept.size())
      throw Error("the index of patches has no layer number " + std::to_string(layer) + "; it has " +
                  std::to_string(records_.kept.size()) + " layers, numbered from 0");
    const auto& rows = records_.kept[layer];
    if (channel < 0 || channel >= std::int64_t(rows.size()))
      throw Error("layer " + detail::shown(about().layers[layer]) + " has no channel " +
                  std::to_string(channel) + " in the index of patches; it has 0 to " +
                  std::to_string(std::int64_t(rows.size()) - 1));
    return rows[std::size_t(channel)];
  }
  detail::KeptPlaces& row(std::size_t layer, std::int64_t channel) {
    return const_cast<detail::KeptPlaces&>(std::as_const(*this).row(layer, channel));
  }

  static detail::KeptPlace place_of(float value, const std::string& digest, std::int64_t y, std::int64_t x) {
    constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
    if (std::isnan(value)) throw Error("NaN was offered to an index of patches; leave the image out");
    if (y < 0 || x < 0 || y > most || x > most)
      throw Error("the place y " + std::to_string(y) + ", x " + std::to_string(x) +
                  " was offered to an index of patches; expected 0 to " + std::to_string(most));
    // + 0: −0 and 0 are equal in the order, and must be so in the file.
    return {value + 0.0F, detail::digest_bytes(digest), std::int32_t(y), std::int32_t(x)};
  }

  void enter(detail::KeptPlaces& kept, const detail::KeptPlace& place) {
    const auto same = std::find_if(kept.begin(), kept.end(),
                                   [&](const detail::KeptPlace& p) { return p.image == place.image; });
    if (same != kept.end()) {
      if (!detail::stronger(place, *same)) return;
      kept.erase(same);
    } else if (is_full(kept)) {
      if (!detail::stronger(place, kept.back())) return;
      kept.pop_back();
    }
    kept.insert(std::lower_bound(kept.begin(), kept.end(), place, detail::stronger), place);
  }

  /// Throws Error where the index has another image of that name.
  bool is_known(const ScannedImage& image) const {
    detail::check_text(image.name, "name");
    const auto known = images().find(image.name);
    if (known && *known != image)
      throw Error("the image " + detail::shown(image.name) + " is in the index of patches as another one (" +
                  std::to_string(known->size) + " bytes, SHA-1 " + known->digest + ", and now " +
                  std::to_string(image.size) + " bytes, SHA-1 " + image.digest +
                  "): its file has changed, or two folders have files of one name. Make a new index (of the "
                  "folder above both)");
    return known.has_value();
  }

  detail::PatchRecords records_{};
};

}  // namespace pellucid
