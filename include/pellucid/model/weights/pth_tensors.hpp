#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <pellucid/core/files.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/model/weights/checkpoint.hpp>
#include <pellucid/model/weights/mapped_file.hpp>
#include <pellucid/model/weights/pickle.hpp>
#include <pellucid/model/weights/zip_archive.hpp>

namespace pellucid::detail {

/// Makes the tensors that a pickle describes, of the records that hold their values.
///
/// A tensor points into the file's bytes, and tensors that shared a storage share it again. Throws Error
/// where a description does not fit its record.
class PthTensors {
 public:
  PthTensors(const InputName& file, const FileBytes& bytes, const ZipArchive& archive, std::string folder,
             const Pickle& pickle)
      : file_(file), bytes_(bytes), archive_(archive), folder_(std::move(folder)), pickle_(pickle) {}

  /// `value` is of kind tensor. `name` is for messages.
  Tensor make(std::string_view name, const PickleValue& value) {
    const auto check = [&](bool good, const std::string& reason) {
      if (!good) file_.refuse("it is damaged: tensor " + shown(name) + " " + reason);
    };
    using Kind = PickleValue::Kind;
    const std::vector<PickleValue>& given = pickle_.of(value).items;  // PyTorch: torch/_utils.py
    constexpr std::size_t most_dimensions = 64;  // more, and LibTorch's operators refuse the tensor
    check(given.size() >= 6 && given[0].kind == Kind::storage && given[1].kind == Kind::integer &&
              given[2].kind == Kind::tuple && given[3].kind == Kind::tuple &&
              pickle_.of(given[2]).items.size() == pickle_.of(given[3]).items.size() &&
              pickle_.of(given[2]).items.size() <= most_dimensions,
          "has another description than it should");
    const std::vector<PickleValue>& storage = pickle_.of(given[0]).items;
    const at::ScalarType stored = pickle_.global(storage[1]).type;
    at::ScalarType type = stored;
    if (given.size() > 6 && given[6].kind == Kind::global) type = pickle_.global(given[6]).type;
    check(type != at::ScalarType::Undefined, "has no type");
    const std::uint64_t element = c10::elementSize(type);

    std::vector<std::int64_t> sizes, strides;
    std::uint64_t volume = element;  // in bytes; zero counts as one here, since strides are products, too
    bool empty = false;
    for (const PickleValue& side : pickle_.of(given[2]).items) {
      check(side.kind == Kind::integer && side.number >= 0, "has a size that is no size");
      sizes.push_back(side.number);
      empty = empty || side.number == 0;
      const auto length = std::max<std::uint64_t>(1, std::uint64_t(side.number));
      if (length > bytes_.size / volume)
        file_.refuse("tensor " + shown(name) +
                     " would be larger than the whole file: it is damaged, or the " +
                     "tensor was expanded before it was saved (.contiguous() mends that)");
      volume *= length;
    }
    for (const PickleValue& stride : pickle_.of(given[3]).items) {
      check(stride.kind == Kind::integer && stride.number >= 0, "has a stride that is none");
      strides.push_back(stride.number);
    }
    if (empty) return torch::empty(sizes, type);

    const ZipRecord* record = archive_.find(folder_ + "data/" + std::string(pickle_.of(storage[2]).text));
    check(record != nullptr, "has no record with its values");
    const std::uint64_t stored_element = stored == at::ScalarType::Undefined ? 1 : c10::elementSize(stored);
    check(storage[4].number >= 0 && std::uint64_t(storage[4].number) <= bytes_.size &&
              std::uint64_t(storage[4].number) * stored_element == record->size,
          "should have " + std::to_string(storage[4].number) + " values of " +
              std::to_string(stored_element) + " bytes, and its record has " + std::to_string(record->size) +
              " bytes");
    // The last value that it reaches, in steps that cannot overflow.
    std::uint64_t left = record->size / element;
    const auto reach = [&](std::uint64_t steps, std::uint64_t stride) {
      check(stride == 0 || steps <= left / stride, "reaches beyond its values");
      left -= steps * stride;
    };
    check(given[1].number >= 0, "begins before its values");
    reach(1, std::uint64_t(given[1].number));
    for (std::size_t i = 0; i < sizes.size(); ++i)
      reach(std::uint64_t(sizes[i]) - 1, std::uint64_t(strides[i]));
    check(left > 0, "reaches beyond its values");

    const torch::NoGradGuard no_grad;
    Tensor tensor = torch::empty({0}, type).set_(storage_of(*record, type), given[1].number, sizes, strides);
    if (given.size() > 6 && given[6].kind == Kind::dict) tensor = finished(tensor, given[6], check);
    return tensor;
  }

 private:
  /// The bytes of a record, as many tensors as look at them.
  at::Storage storage_of(const ZipRecord& record, at::ScalarType type) {
    char* data = bytes_.data + record.data;
    const std::uint64_t size = archive_.bytes_of(record).size();
    // A byte of a damaged file that is neither 0 nor 1 is no bool that C++ may look at.
    const bool as_bool = type == at::kBool;
    const bool aligned = reinterpret_cast<std::uintptr_t>(data) % c10::elementSize(type) == 0;
    at::Storage& storage = storages_[{record.data, as_bool, aligned}];
    if (storage) return storage;
    const auto length = std::int64_t(size);
    Tensor bytes = torch::from_blob(
        data, {length}, [owner = bytes_.owner](void*) {}, at::kByte);
    if (as_bool) bytes = bytes.ne(0);
    if (!aligned) bytes = bytes.clone();
    return storage = bytes.storage();
  }

  /// A complex tensor may have been saved before it was conjugated or negated.
  template <class Check>
  Tensor finished(Tensor tensor, const PickleValue& metadata, const Check& check) const {
    const std::vector<PickleValue>& items = pickle_.of(metadata).items;
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      using Kind = PickleValue::Kind;
      check(items[i].kind == Kind::text && items[i + 1].kind == Kind::boolean,
            "has another description than it should");
      const std::string_view key = pickle_.of(items[i]).text;
      check(key == "conj" || key == "neg", "is " + shown(key) + ", which is unknown here");
      if (items[i + 1].number == 0) continue;
      tensor = key == "conj" ? tensor.conj().resolve_conj() : tensor.neg();
    }
    return tensor;
  }

  const InputName& file_;
  const FileBytes& bytes_;
  const ZipArchive& archive_;
  std::string folder_;
  const Pickle& pickle_;
  std::map<std::tuple<std::uint64_t, bool, bool>, at::Storage> storages_{};
};

}  // namespace pellucid::detail
