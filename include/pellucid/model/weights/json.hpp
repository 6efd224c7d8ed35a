#pragma once
/// The one place that includes RapidJSON, and how JSON is written. (Its readers cost next to nothing to
/// compile.)

#include <rapidjson/document.h>
#include <rapidjson/encodings.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pellucid::detail {

/// What a text of JSON holds; null where it is none. However deep it is, reading it takes no deeper stack.
class JsonDocument : public rapidjson::Document {
 public:
  explicit JsonDocument(std::string_view text) {
    Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(text.data(), text.size());
    if (HasParseError()) SetNull();
  }
};

/// Text as a string of JSON; nothing where it is not UTF-8.
inline std::optional<std::string> json_quoted(std::string_view text) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  for (unsigned character = 0; stream.Tell() < text.size();)
    if (!rapidjson::UTF8<>::Decode(stream, &character)) return {};
  constexpr std::string_view escaped = "\"\\\b\f\n\r\t", letters = "\"\\bfnrt", digits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    if (const std::size_t at = escaped.find(c); at != escaped.npos) {
      out.append({'\\', letters[at]});
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out.append("\\u00").append({c < 0x10 ? '0' : '1', digits[std::size_t(c) % 16]});
    } else {
      out += c;
    }
  }
  return out + '"';
}

/// Numbers as an array of JSON, each in as few digits as tell it from all others.
template <class T>
std::string json_array(const std::vector<T>& numbers) {
  std::string out = "[";
  for (const T number : numbers) {
    std::array<char, 32> digits{};
    if (out.size() > 1) out += ',';
    out.append(digits.data(), std::to_chars(digits.begin(), digits.end(), number).ptr);
  }
  return out + ']';
}

}  // namespace pellucid::detail
