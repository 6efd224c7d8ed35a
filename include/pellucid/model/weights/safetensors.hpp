#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/files.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/model/weights/checkpoint.hpp>
#include <pellucid/model/weights/formats.hpp>
#include <pellucid/model/weights/mapped_file.hpp>
#include <pellucid/model/weights/safetensors_header.hpp>

namespace pellucid {

namespace detail {

static_assert(std::endian::native == std::endian::little,
              "safetensors files are read and written as little-endian");

/// The JSON at the start of a safetensors file.
inline std::string_view safetensors_header_text(const InputName& file, const FileBytes& bytes) {
  const std::string_view all = bytes.view();
  refuse_lfs_pointer(file, all);
  if (begins_like_zip(all))
    file.refuse("it is a zip archive, as PyTorch's own files (.pth, .pt) are; read_pth reads those");
  if (all.size() < 8) file.refuse("it is too short: " + std::to_string(all.size()) + " bytes");
  std::uint64_t size = 0;
  std::memcpy(&size, all.data(), 8);
  if (size > safetensors_header_limit)
    file.refuse("it does not begin like one: its header would have " + std::to_string(size) +
                " bytes, and may have " + std::to_string(safetensors_header_limit));
  if (size > all.size() - 8)
    file.refuse("its header has " + std::to_string(size) + " bytes, and only " +
                std::to_string(all.size() - 8) + " are there: it is cut off, get it again");
  return all.substr(8, std::size_t(size));
}

/// Checks that the tensors, one after the other, are all of the data, and each as large as its shape says.
/// Sorts them by their place.
inline void check_safetensors_places(const InputName& file, std::vector<SafetensorsEntry>& entries,
                                     std::uint64_t data_size) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const SafetensorsEntry& left, const SafetensorsEntry& right) {
                     return std::pair(left.begin, left.end) < std::pair(right.begin, right.end);
                   });
  const std::uint64_t needed = entries.empty() ? 0 : entries.back().end;
  if (needed != data_size)
    file.refuse("its tensors need " + std::to_string(needed) + " bytes of data, and " +
                std::to_string(data_size) + " are there: it is cut off or damaged, get it again");
  std::uint64_t end_before = 0;
  for (const SafetensorsEntry& entry : entries) {
    if (entry.begin != end_before || entry.end < entry.begin)
      file.refuse("it is damaged: tensor " + shown(entry.name) + " lies at bytes " +
                  std::to_string(entry.begin) + " to " + std::to_string(entry.end) +
                  " of the data, and should begin at byte " + std::to_string(end_before));
    end_before = entry.end;
    // Zero counts as one here: LibTorch's strides are products of the other sides, and must not overflow
    // either.
    std::uint64_t volume = 1, elements = 1;
    for (const std::uint64_t side : entry.shape) {
      if (side > 1 && volume > (std::uint64_t(1) << 48) / side)
        file.refuse("it is damaged: the shape of tensor " + shown(entry.name) + " is larger than any file");
      volume *= std::max<std::uint64_t>(1, side);
      elements *= side;
    }
    const std::uint64_t bytes = elements * c10::elementSize(entry.type->type);
    if (bytes != entry.end - entry.begin)
      file.refuse("it is damaged: the shape of tensor " + shown(entry.name) + " asks for " +
                  std::to_string(bytes) + " bytes, and its place has " +
                  std::to_string(entry.end - entry.begin));
  }
}

/// The tensor at `data`, without a copy where that can be.
inline Tensor mapped_tensor(const std::shared_ptr<const void>& owner, char* data,
                            const SafetensorsEntry& entry) {
  const at::ScalarType type = entry.type->type;
  const std::vector<std::int64_t> shape(entry.shape.begin(), entry.shape.end());
  const auto size = std::size_t(entry.end - entry.begin);
  if (size == 0) return torch::empty(shape, type);
  // A byte of a damaged file that is neither 0 nor 1 is no bool that C++ may look at.
  if (type == at::kBool) return torch::from_blob(data, shape, at::kByte).ne(0);
  if (reinterpret_cast<std::uintptr_t>(data) % c10::elementSize(type) != 0) {
    const Tensor copy = torch::empty(shape, type);
    std::memcpy(copy.data_ptr(), data, size);
    return copy;
  }
  return torch::from_blob(
      data, shape, [owner](void*) {}, type);
}

/// Reads a checkpoint from the bytes of a safetensors file.
inline Checkpoint read_safetensors(const InputName& file, const FileBytes& bytes) {
  const std::string_view text = safetensors_header_text(file, bytes);
  SafetensorsHeader header(file, text);
  const std::size_t data = 8 + text.size();
  check_safetensors_places(file, header.entries, bytes.size - data);

  Checkpoint checkpoint{{}, std::move(header.metadata)};
  checkpoint.tensors.reserve(header.entries.size());
  for (SafetensorsEntry& entry : header.entries) {
    Tensor tensor = mapped_tensor(bytes.owner, bytes.data + data + entry.begin, entry);
    checkpoint.tensors.emplace_back(std::move(entry.name), std::move(tensor));
  }
  return checkpoint;
}

/// What is to be written of one tensor.
struct SafetensorsPart {
  std::string_view name;
  Tensor tensor;
  const SafetensorsType* type;
};

/// The tensors in the format's order: larger alignment first, then by name.
inline std::vector<SafetensorsPart> safetensors_parts(const NamedTensors& tensors, const std::string& path) {
  std::vector<SafetensorsPart> parts;
  for (const auto& [name, tensor] : tensors) {
    const auto refuse = [&, &name = name](const std::string& reason) {
      throw Error("cannot write " + path + ": tensor " + shown(name) + " " + reason);
    };
    if (name == safetensors_metadata) refuse("has a name that the format keeps for itself; rename it");
    if (!tensor.defined()) refuse("is undefined; leave it out");
    if (tensor.layout() != torch::kStrided || tensor.is_meta())
      refuse("is sparse or has no values; dense ones are expected (.to_dense())");
    const auto* type =
        std::find_if(std::begin(safetensors_types), std::end(safetensors_types),
                     [&, &tensor = tensor](const auto& known) { return known.type == tensor.scalar_type(); });
    if (type == std::end(safetensors_types))
      refuse(c10::str("is of type ", tensor.scalar_type(), ", which the format does not have; convert it"));
    parts.push_back({name, tensor.detach(), type});
  }
  std::sort(parts.begin(), parts.end(), [](const SafetensorsPart& left, const SafetensorsPart& right) {
    return left.type != right.type ? left.type > right.type : left.name < right.name;
  });
  return parts;
}

}  // namespace detail

/// Reads a checkpoint in the safetensors format (huggingface.co/docs/safetensors).
///
/// All types that LibTorch has: BOOL, U8, I8, I16, I32, I64, F16, BF16, F32, F64, C64; on the CPU. The file
/// is mapped into memory: a tensor is a view of it (a copy where its place in the file does not suit its
/// type) and keeps the mapping alive; values are read when they are looked at. A tensor may be changed, the
/// file stays as it is. As long as a tensor lives the file may be replaced (`write_safetensors` does that)
/// but not shortened or overwritten. Throws Error for a missing, truncated or damaged file, and for a type
/// that LibTorch does not have. Damage inside tensor data cannot be seen: the format has no checksum.
inline Checkpoint read_safetensors(const std::filesystem::path& path) {
  InputFile file(path, "a checkpoint in the safetensors format");
  return detail::read_safetensors(file, detail::map_file(path, file));
}

/// Writes tensors of any shape, device and strides as a safetensors file, byte for byte as the reference
/// implementation does: those of larger alignment first, then by name; metadata by name.
///
/// The file appears whole or not at all, so a checkpoint may be written over the file that it was read from.
/// Throws Error for two tensors of one name, for an undefined or sparse tensor, for a type that the format
/// does not have, and when the file cannot be written.
inline void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                              const std::map<std::string, std::string>& metadata = {}) {
  const std::vector<detail::SafetensorsPart> parts = detail::safetensors_parts(tensors, path.string());
  std::string header = "{";
  const auto quoted = [&](std::string_view text) {
    if (const auto result = detail::json_quoted(text)) return *result;
    throw Error("cannot write " + path.string() + ": a name or an entry of the metadata is not UTF-8");
  };
  if (!metadata.empty()) {
    header += quoted(detail::safetensors_metadata) + ":{";
    for (const auto& [key, value] : metadata) header += quoted(key) + ":" + quoted(value) + ",";
    header.back() = '}';
    header += ",";
  }
  std::uint64_t offset = 0;
  std::vector<std::string_view> names;
  for (const detail::SafetensorsPart& part : parts) {
    const std::uint64_t end = offset + std::uint64_t(part.tensor.numel()) * part.tensor.element_size();
    header += quoted(part.name) + ":{\"dtype\":\"" + std::string(part.type->name) +
              "\",\"shape\":" + detail::json_array(part.tensor.sizes().vec()) + ",\"data_offsets\":[" +
              std::to_string(offset) + "," + std::to_string(end) + "]},";
    offset = end;
    names.push_back(part.name);
  }
  std::sort(names.begin(), names.end());
  if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
    throw Error("cannot write " + path.string() + ": two tensors are named " + detail::shown(*twice) +
                "; each needs a name of its own");
  if (header.size() > 1) header.pop_back();
  header += "}";
  header.append((8 - header.size() % 8) % 8, ' ');
  if (header.size() > detail::safetensors_header_limit)
    throw Error("cannot write " + path.string() + ": the names and shapes take " +
                std::to_string(header.size()) + " bytes, and may take " +
                std::to_string(detail::safetensors_header_limit) + "; write several files");

  AtomicFile file(path);
  const std::uint64_t header_size = header.size();
  file.write(&header_size, sizeof(header_size));
  file.write(header);
  for (const detail::SafetensorsPart& part : parts) {
    const Tensor plain = part.tensor.to(at::kCPU).resolve_conj().resolve_neg().contiguous();
    file.write(plain.data_ptr(), plain.nbytes());
  }
  file.commit();
}

}  // namespace pellucid
