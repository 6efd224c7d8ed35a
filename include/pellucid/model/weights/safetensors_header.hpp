#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pellucid/core/files.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/model/weights/checkpoint.hpp>
#include <pellucid/model/weights/json.hpp>

namespace pellucid::detail {

struct SafetensorsType {
  std::string_view name;
  at::ScalarType type;
};

/// The types that the format and LibTorch have in common, in the format's order: by alignment, ascending.
inline constexpr SafetensorsType safetensors_types[] = {
    {"BOOL", at::kBool},        {"U8", at::kByte},       {"I8", at::kChar},  {"I16", at::kShort},
    {"F16", at::kHalf},         {"BF16", at::kBFloat16}, {"I32", at::kInt},  {"F32", at::kFloat},
    {"C64", at::kComplexFloat}, {"F64", at::kDouble},    {"I64", at::kLong},
};

inline constexpr std::uint64_t safetensors_header_limit = 100'000'000;  // the format's own
inline constexpr std::string_view safetensors_metadata = "__metadata__";

struct SafetensorsEntry {
  std::string name{};
  const SafetensorsType* type = nullptr;
  std::vector<std::uint64_t> shape{};
  std::uint64_t begin = 0;  ///< of its data, from where all data begin
  std::uint64_t end = 0;    ///< one past its last byte
};

/// Reads the JSON object at the start of a safetensors file, and no other JSON: what does not belong there is
/// refused where it appears, so that a hostile header costs no more memory than its own size suggests.
class SafetensorsHeader final {
 public:
  SafetensorsHeader(const InputName& file, std::string_view text) : file_(file) {
    if (!text.starts_with('{')) damaged("it does not begin with {");
    // The parser would take a zero byte for the end, and leave unread what follows.
    if (text.find('\0') != text.npos) damaged("it holds a zero byte");
    rapidjson::MemoryStream stream(text.data(), text.size());
    const rapidjson::ParseResult result =
        rapidjson::Reader().Parse<rapidjson::kParseValidateEncodingFlag>(stream, *this);
    if (result.IsError()) damaged("it is not JSON from byte " + std::to_string(result.Offset() + 1) + " on");
    refuse_duplicates();
  }

  std::vector<SafetensorsEntry> entries{};
  std::map<std::string, std::string> metadata{};

  // What follows is called by the parser.

  bool StartObject() {
    if (place_ == Place::outside) {
      place_ = Place::tensors;
    } else if (place_ == Place::tensors && name_ == safetensors_metadata) {
      begin_metadata();
      place_ = Place::metadata;
    } else if (place_ == Place::tensors) {
      entries.emplace_back().name = name_;
      has_shape_ = has_offsets_ = false;
      place_ = Place::tensor;
    } else {
      unexpected();
    }
    return true;
  }
  bool Key(const char* text, std::size_t size, bool) {
    (place_ == Place::tensors ? name_ : key_).assign(text, size);
    if (place_ == Place::tensor && key_ != "dtype" && key_ != "shape" && key_ != "data_offsets") unexpected();
    return true;
  }
  bool EndObject(std::size_t) {
    if (place_ == Place::tensor && (entries.back().type == nullptr || !has_shape_ || !has_offsets_))
      unexpected();
    place_ = place_ == Place::tensors ? Place::outside : Place::tensors;
    return true;
  }
  bool String(const char* text, std::size_t size, bool) {
    const std::string_view value(text, size);
    if (place_ == Place::metadata) {
      if (!metadata.emplace(key_, value).second) damaged(shown(key_) + " is there twice");
    } else if (place_ == Place::tensor && key_ == "dtype" && !in_array_ && entries.back().type == nullptr) {
      entries.back().type = type_of(value);
    } else {
      unexpected();
    }
    return true;
  }
  bool StartArray() {
    if (place_ != Place::tensor || in_array_ || key_ == "dtype") unexpected();
    if (key_ == "shape" ? has_shape_ : has_offsets_) unexpected();
    in_array_ = true;
    numbers_.clear();
    return true;
  }
  bool Uint64(std::uint64_t value) {
    constexpr std::size_t most_dimensions = 64;  // more, and LibTorch's operators refuse the tensor
    if (!in_array_ || numbers_.size() == most_dimensions) unexpected();
    numbers_.push_back(value);
    return true;
  }
  bool EndArray(std::size_t) {
    if (key_ == "shape") {
      entries.back().shape = numbers_;
      has_shape_ = true;
    } else {
      if (numbers_.size() != 2) unexpected();
      entries.back().begin = numbers_[0];
      entries.back().end = numbers_[1];
      has_offsets_ = true;
    }
    in_array_ = false;
    return true;
  }
  bool Null() {
    if (place_ != Place::tensors || name_ != safetensors_metadata) unexpected();  // as good as none
    begin_metadata();
    return true;
  }
  bool Uint(unsigned value) { return Uint64(value); }
  bool Bool(bool) { unexpected(); }
  bool Int(int) { unexpected(); }
  bool Int64(std::int64_t) { unexpected(); }
  bool Double(double) { unexpected(); }
  bool RawNumber(const char*, std::size_t, bool) { unexpected(); }

 private:
  enum class Place { outside, tensors, tensor, metadata };

  [[noreturn]] void damaged(const std::string& reason) const {
    file_.refuse("its header is damaged: " + reason);
  }

  [[noreturn]] void unexpected() const {
    if (place_ == Place::metadata || name_ == safetensors_metadata)
      damaged("its metadata must be strings, each with a name");
    damaged("tensor " + shown(name_) +
            " must have one \"dtype\", one \"shape\" of at most 64 sizes and one "
            "\"data_offsets\" of two numbers, and nothing else");
  }

  void begin_metadata() {
    if (has_metadata_) damaged(std::string(safetensors_metadata) + " is there twice");
    has_metadata_ = true;
  }

  const SafetensorsType* type_of(std::string_view name) const {
    const auto* type = std::find_if(std::begin(safetensors_types), std::end(safetensors_types),
                                    [&](const SafetensorsType& known) { return known.name == name; });
    if (type != std::end(safetensors_types)) return type;
    std::string known;
    for (const SafetensorsType& other : safetensors_types) known.append(" ").append(other.name);
    file_.refuse("its tensor " + shown(name_) + " is of type " + shown(name) +
                 ", which LibTorch does not have (convert it to one of these:" + known + ")");
  }

  void refuse_duplicates() const {
    std::vector<std::string_view> names;
    names.reserve(entries.size());
    for (const SafetensorsEntry& entry : entries) names.push_back(entry.name);
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end()) damaged("tensor " + shown(*twice) + " is there twice");
  }

  const InputName& file_;
  Place place_ = Place::outside;
  std::string name_{};                    // in the whole: of a tensor, or of the metadata
  std::string key_{};                     // within one of these
  std::vector<std::uint64_t> numbers_{};  // of the array being read
  bool in_array_ = false, has_shape_ = false, has_offsets_ = false;
  bool has_metadata_ = false;
};

}  // namespace pellucid::detail
