#pragma once
#include <algorithm>
#include <bit>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pellucid/core/files.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/model/weights/checkpoint.hpp>
#include <pellucid/model/weights/formats.hpp>
#include <pellucid/model/weights/mapped_file.hpp>
#include <pellucid/model/weights/pickle.hpp>
#include <pellucid/model/weights/pth_tensors.hpp>
#include <pellucid/model/weights/unpickler.hpp>
#include <pellucid/model/weights/zip_archive.hpp>

namespace pellucid {

namespace detail {

static_assert(std::endian::native == std::endian::little, "PyTorch's files are read as little-endian");

/// Refuses what is no zip archive, and says what it is.
inline void check_begins_like_pth(const InputName& file, std::string_view bytes) {
  refuse_lfs_pointer(file, bytes);
  if (begins_like_zip(bytes)) return;
  if (bytes.empty()) file.refuse("it is empty");
  if (begins_like_legacy_pth(bytes))
    file.refuse(
        "it is in the format that PyTorch wrote before version 1.6; write it anew in Python: "
        "torch.save(torch.load(old, map_location=\"cpu\"), new)");
  if (begins_like_safetensors(bytes))
    file.refuse("it seems to be in the safetensors format, which read_safetensors and read_checkpoint read");
  if (bytes.front() == '\x80') file.refuse("it is a pickle of Python's, not made by torch.save");
  file.refuse("it does not begin like one");
}

/// The dict that holds the weights: the pickle's own, or the one in it that goes by a usual name.
inline const PickleObject& find_state_dict(const InputName& file, const Pickle& pickle) {
  using Kind = PickleValue::Kind;
  if (pickle.root.kind == Kind::tensor)
    file.refuse("it holds one tensor without a name, and no dict of them");
  if (pickle.root.kind != Kind::dict) file.refuse("it holds no dict of tensors");
  const std::vector<PickleValue>& items = pickle.of(pickle.root).items;
  for (const std::string_view name : {"state_dict", "model_state_dict", "model"})
    for (std::size_t i = 0; i + 1 < items.size(); i += 2)
      if (items[i].kind == Kind::text && pickle.of(items[i]).text == name && items[i + 1].kind == Kind::dict)
        return pickle.of(items[i + 1]);
  return pickle.of(pickle.root);
}

/// The named tensors of a dict; what else it holds is left out.
inline std::vector<std::pair<std::string_view, PickleValue>> tensors_of(const InputName& file,
                                                                        const Pickle& pickle,
                                                                        const PickleObject& dict) {
  using Kind = PickleValue::Kind;
  std::vector<std::pair<std::string_view, PickleValue>> tensors;
  std::string keys;
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const PickleValue &key = dict.items[i], &value = dict.items[i + 1];
    if (value.kind == Kind::tensor && key.kind != Kind::text)
      file.refuse("it holds a tensor whose name is no string");
    if (value.kind == Kind::tensor) tensors.emplace_back(pickle.of(key).text, value);
    if (key.kind == Kind::text && i < 10) keys += (keys.empty() ? "" : ", ") + shown(pickle.of(key).text);
  }
  if (tensors.empty() && !dict.items.empty())
    file.refuse("it holds no tensors by name, only" + (keys.empty() ? " other values" : " " + keys) +
                "; save the state dict by itself, or under 'state_dict' or 'model'");

  std::vector<std::string_view> names;
  for (const auto& [name, value] : tensors) names.push_back(name);
  std::sort(names.begin(), names.end());
  if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end())
    file.refuse("it is damaged: tensor " + shown(*twice) + " is there twice");
  return tensors;
}

/// Reads a checkpoint from the bytes of a .pth file.
inline Checkpoint read_pth(const InputName& file, const FileBytes& bytes) {
  check_begins_like_pth(file, bytes.view());
  const ZipArchive archive(file, bytes.view());
  // All records lie in one folder, which has the name that the file had when it was written.
  const std::string folder(archive.first().substr(0, archive.first().find('/') + 1));
  if (archive.find(folder + "constants.pkl") != nullptr)
    file.refuse("it is TorchScript, a program with its weights, which load_script reads");
  const ZipRecord* data = archive.find(folder + "data.pkl");
  if (data == nullptr) file.refuse("it is a zip archive that torch.save did not make: it has no data.pkl");
  if (const ZipRecord* order = archive.find(folder + "byteorder");
      order != nullptr && archive.checked_bytes_of(*order) != "little")
    file.refuse("its numbers are in the byte order " + shown(archive.bytes_of(*order)) +
                ", of another kind of machine; load and save it in Python on one whose order is 'little'");

  const Pickle pickle = Unpickler(file, archive.checked_bytes_of(*data)).run();
  auto found = tensors_of(file, pickle, find_state_dict(file, pickle));
  // What DataParallel puts before each name.
  constexpr std::string_view wrapper = "module.";
  const bool wrapped = std::all_of(found.begin(), found.end(),
                                   [&](const auto& named) { return named.first.starts_with(wrapper); });
  PthTensors tensors(file, bytes, archive, folder, pickle);
  Checkpoint checkpoint;
  checkpoint.tensors.reserve(found.size());
  for (const auto& [name, value] : found)
    checkpoint.tensors.emplace_back(name.substr(wrapped ? wrapper.size() : 0), tensors.make(name, value));
  return checkpoint;
}

}  // namespace detail

/// Reads a checkpoint that Python wrote with `torch.save(model.state_dict(), path)`, PyTorch 1.6 or later.
///
/// Also a dict that holds the state dict under `state_dict`, `model_state_dict` or `model`; what lies beside
/// it (an optimizer's state, the epoch) is passed over, and a `module.` before all names is taken off. All
/// types of dense tensors that LibTorch has, strides and shared storages included; on the CPU, without
/// gradients. A checkpoint is data: it is read by code of our own that can run nothing, and asks for no
/// Python. The file is mapped into memory: a tensor is a view of it (a copy for bool, and where its place in
/// the file does not suit its type) and keeps the mapping alive; values are read when they are looked at. A
/// tensor may be changed, the file stays as it is. As long as a tensor lives the file may be replaced by
/// renaming, but not shortened or overwritten. Throws Error for a missing, truncated or damaged file, for
/// TorchScript, for the format before 1.6, and for a pickle that asks for anything but plain values and
/// tensors. Damage inside tensor data is not looked for: that would read all of the file.
inline Checkpoint read_pth(const std::filesystem::path& path) {
  InputFile file(path, "a checkpoint of PyTorch (.pth), as torch.save(model.state_dict(), path) writes it");
  return detail::read_pth(file, detail::map_file(path, file));
}

}  // namespace pellucid
