#pragma once
/// The file of an index of patches; `PatchIndex::save` describes it.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <pellucid/activation/patch_records.hpp>
#include <pellucid/core/digest.hpp>
#include <pellucid/core/error.hpp>
#include <pellucid/core/files.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/model/weights/checkpoint.hpp>
#include <pellucid/model/weights/json.hpp>
#include <pellucid/model/weights/mapped_file.hpp>
#include <pellucid/model/weights/safetensors.hpp>

namespace pellucid::detail {

inline constexpr std::string_view patch_index_format = "pellucid patches", patch_index_version = "1";

inline Tensor bytes_tensor(std::string_view bytes) {
  Tensor tensor = torch::empty({std::int64_t(bytes.size())}, torch::kByte);
  if (!bytes.empty()) std::memcpy(tensor.data_ptr(), bytes.data(), bytes.size());
  return tensor;
}

/// What is written of an index.
inline Checkpoint parts_of(const PatchRecords& records) {
  const PatchIndexOf& about = records.about;
  std::string layers;
  for (const std::string& layer : about.layers)  // one that is not UTF-8 is refused with its tensors
    layers += (layers.empty() ? "[" : ",") + json_quoted(layer).value_or("\"\"");
  layers = (layers.empty() ? "[" : layers) + "]";
  Checkpoint parts{{},
                   {{"format", std::string(patch_index_format)},
                    {"version", std::string(patch_index_version)},
                    {"layers", layers},
                    {"top", std::to_string(about.top)},
                    {"model", about.model},
                    {"preprocess", about.preprocess},
                    {"execution", about.execution}}};

  const auto count = std::int64_t(records.images.size());
  Tensor sizes = torch::empty({count}, torch::kLong), digests = torch::empty({count, 20}, torch::kByte);
  std::string names, left_out, reasons;
  std::int64_t* size = sizes.data_ptr<std::int64_t>();
  std::uint8_t* digest = digests.data_ptr<std::uint8_t>();
  for (const ScannedImage& image : records.images) {
    names.append(image.name).push_back('\0');
    *size++ = std::int64_t(image.size);
    const DigestBytes bytes = digest_bytes(image.digest);
    digest = std::copy(bytes.begin(), bytes.end(), digest);
  }
  for (const auto& [name, reason] : records.skipped) {
    left_out.append(name).push_back('\0');
    reasons.append(reason).push_back('\0');
  }
  parts.tensors = {{"images/names", bytes_tensor(names)},
                   {"images/sizes", sizes},
                   {"images/digests", digests},
                   {"skipped/names", bytes_tensor(left_out)},
                   {"skipped/reasons", bytes_tensor(reasons)}};

  for (std::size_t layer = 0; layer < records.kept.size(); ++layer) {
    const std::vector<std::int64_t> shape{about.channels[layer], about.top};
    Tensor values = torch::full(shape, -std::numeric_limits<double>::infinity(), torch::kFloat);
    Tensor images = torch::full(shape, -1, torch::kLong);
    Tensor ys = torch::full(shape, -1, torch::kInt), xs = torch::full(shape, -1, torch::kInt);
    for (std::size_t channel = 0; channel < records.kept[layer].size(); ++channel) {
      auto at = std::int64_t(channel) * about.top;
      for (const KeptPlace& place : records.kept[layer][channel]) {
        values.data_ptr<float>()[at] = place.value;
        images.data_ptr<std::int64_t>()[at] = std::int64_t(number_of(place, records.images));
        ys.data_ptr<std::int32_t>()[at] = place.y;
        xs.data_ptr<std::int32_t>()[at] = place.x;
        ++at;
      }
    }
    const std::string& name = about.layers[layer];
    parts.tensors.emplace_back(name + "/values", values);
    parts.tensors.emplace_back(name + "/images", images);
    parts.tensors.emplace_back(name + "/y", ys);
    parts.tensors.emplace_back(name + "/x", xs);
  }
  return parts;
}

inline void write_patch_records(const std::filesystem::path& path, const PatchRecords& records) {
  const Checkpoint parts = parts_of(records);
  write_safetensors(path, parts.tensors, parts.metadata);
}

/// Takes an index out of what a file holds. Whether all of that belongs together is seen by writing it again.
class PatchRecordsReader {
 public:
  PatchRecordsReader(const InputName& file, const Checkpoint& checkpoint)
      : file_(file), checkpoint_(checkpoint) {}

  PatchRecords read() const {
    if (const auto format = checkpoint_.metadata.find("format");
        format == checkpoint_.metadata.end() || format->second != patch_index_format)
      file_.refuse("it is a safetensors file of something else");
    if (text("version") != patch_index_version)
      file_.refuse("it is of version " + shown(text("version")) + ", and version " +
                   shown(patch_index_version) + " is read");
    PatchRecords records{read_about(), {}, {}, {}};
    const std::vector<DigestBytes> digests = read_images(records);
    const auto names = texts("skipped/names"), reasons = texts("skipped/reasons");
    if (names.size() != reasons.size()) damaged("it has not one reason for each file that was left out");
    for (std::size_t i = 0; i < names.size(); ++i) records.skipped.emplace(names[i], reasons[i]);
    for (std::size_t layer = 0; layer < records.about.layers.size(); ++layer)
      records.kept.push_back(read_layer(records.about, layer, digests));
    check_same(parts_of(records));
    return records;
  }

 private:
  [[noreturn]] void damaged(const std::string& reason) const { file_.refuse("it is damaged: " + reason); }

  const std::string& text(const std::string& key) const {
    const auto found = checkpoint_.metadata.find(key);
    if (found == checkpoint_.metadata.end()) damaged("its metadata have no " + shown(key));
    return found->second;
  }

  /// The tensor, of that type and shape; a size of −1 may be any.
  Tensor part(const std::string& name, at::ScalarType type, const std::vector<std::int64_t>& shape) const {
    const Tensor* found = checkpoint_.find(name);
    if (found == nullptr) damaged("it has no tensor " + shown(name));
    bool fits = found->scalar_type() == type && found->dim() == std::int64_t(shape.size());
    for (std::size_t d = 0; fits && d < shape.size(); ++d)
      fits = shape[d] < 0 || shape[d] == found->size(std::int64_t(d));
    if (!fits)
      damaged(c10::str("its tensor ", shown(name), " is ", found->scalar_type(), " ", found->sizes(),
                       ", and should be ", type, " [", c10::Join(", ", shape), "]"));
    return *found;
  }

  std::vector<std::string> texts(const std::string& name) const {
    const Tensor bytes = part(name, torch::kByte, {-1});
    std::vector<std::string> result;
    if (bytes.numel() == 0) return result;
    std::string_view left(static_cast<const char*>(bytes.data_ptr()), std::size_t(bytes.numel()));
    if (left.back() != '\0') damaged("the last text of " + shown(name) + " has no end");
    while (!left.empty()) {
      const std::size_t end = left.find('\0');
      if (end == 0) damaged("a text of " + shown(name) + " is empty");
      result.emplace_back(left.substr(0, end));
      left.remove_prefix(end + 1);
    }
    return result;
  }

  PatchIndexOf read_about() const {
    PatchIndexOf about{
        .model = text("model"), .preprocess = text("preprocess"), .execution = text("execution")};
    const std::string& top = text("top");
    const auto [end, error] = std::from_chars(top.data(), top.data() + top.size(), about.top);
    if (error != std::errc() || end != top.data() + top.size()) damaged("its top is " + shown(top));
    const JsonDocument layers(text("layers"));
    if (!layers.IsArray()) damaged("its layers are " + shown(text("layers")));
    for (const auto& layer : layers.GetArray()) {
      if (!layer.IsString()) damaged("its layers are " + shown(text("layers")));
      about.layers.emplace_back(layer.GetString(), layer.GetStringLength());
      about.channels.push_back(part(about.layers.back() + "/values", torch::kFloat, {-1, about.top}).size(0));
    }
    try {
      about.check();
    } catch (const Error& error) {
      damaged(error.what());
    }
    return about;
  }

  std::vector<DigestBytes> read_images(PatchRecords& records) const {
    const std::vector<std::string> names = texts("images/names");
    const auto count = std::int64_t(names.size());
    const Tensor sizes = part("images/sizes", torch::kLong, {count}),
                 bytes = part("images/digests", torch::kByte, {count, 20});
    std::vector<DigestBytes> digests(names.size());
    std::vector<ScannedImage> images;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (i > 0 && names[i] <= names[i - 1])
        damaged("its images are not sorted: " + shown(names[i]) + " stands behind " + shown(names[i - 1]));
      std::copy_n(bytes.data_ptr<std::uint8_t>() + 20 * i, 20, digests[i].begin());
      const auto size = std::uint64_t(sizes.data_ptr<std::int64_t>()[i]);
      images.push_back({names[i], size, digest_hex(digests[i])});
    }
    records.images.add(images);
    return digests;
  }

  std::vector<KeptPlaces> read_layer(const PatchIndexOf& about, std::size_t layer,
                                     const std::vector<DigestBytes>& digests) const {
    const std::string& name = about.layers[layer];
    const std::vector<std::int64_t> shape{about.channels[layer], about.top};
    const Tensor values = part(name + "/values", torch::kFloat, shape),
                 images = part(name + "/images", torch::kLong, shape),
                 ys = part(name + "/y", torch::kInt, shape), xs = part(name + "/x", torch::kInt, shape);
    std::vector<KeptPlaces> rows(std::size_t(about.channels[layer]));
    for (std::size_t channel = 0; channel < rows.size(); ++channel) {
      const auto refuse = [&](const std::string& reason) {
        damaged("channel " + std::to_string(channel) + " of layer " + shown(name) + " " + reason);
      };
      std::set<DigestBytes> seen;
      KeptPlaces& row = rows[channel];
      for (std::int64_t k = 0; k < about.top; ++k) {
        const std::int64_t at = std::int64_t(channel) * about.top + k;
        const std::int64_t image = images.data_ptr<std::int64_t>()[at];
        if (image == -1) break;  // what stands behind is compared when it is written again
        if (image < 0 || image >= std::int64_t(digests.size()))
          refuse("names image number " + std::to_string(image) + " of " + std::to_string(digests.size()));
        const KeptPlace place{values.data_ptr<float>()[at], digests[std::size_t(image)],
                              ys.data_ptr<std::int32_t>()[at], xs.data_ptr<std::int32_t>()[at]};
        if (place.y < 0 || place.x < 0) refuse("has a place outside the layer");
        if (!row.empty() && !stronger(row.back(), place)) refuse("is not sorted");
        if (!seen.insert(place.image).second) refuse("has two places of one image");
        row.push_back(place);
      }
    }
    return rows;
  }

  /// NaN equals nothing, and is found here.
  void check_same(const Checkpoint& again) const {
    bool same = again.metadata == checkpoint_.metadata && again.tensors.size() == checkpoint_.tensors.size();
    for (const auto& [name, tensor] : again.tensors) {
      const Tensor* found = checkpoint_.find(name);
      same = same && found != nullptr && found->sizes() == tensor.sizes() && found->equal(tensor);
    }
    if (!same) damaged("its parts do not fit each other, or it was not written by this library");
  }

  const InputName& file_;
  const Checkpoint& checkpoint_;
};

inline constexpr const char* good_patch_index =
    "an index of patches, as TopPatches and `pellucid patches` write it";

inline PatchRecords read_patch_records(const InputName& file, const FileBytes& bytes) {
  const Checkpoint checkpoint = read_safetensors(file, bytes);
  return PatchRecordsReader(file, checkpoint).read();
}

inline PatchRecords read_patch_records(const std::filesystem::path& path) {
  InputFile file(path, good_patch_index);
  return read_patch_records(file, map_file(path, file));
}

}  // namespace pellucid::detail
