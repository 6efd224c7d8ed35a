#include "preprocess_file.hpp"

#include <nlohmann/json.hpp>

#include "text.hpp"
#include "text_files.hpp"

namespace pellucid::app {

namespace {

using nlohmann::json;

constexpr const char* example =
    R"({"resize": 256, "crop": 224, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], )"
    R"("interpolation": "bilinear"})";

class PreprocessFile {
 public:
  explicit PreprocessFile(const std::string& file) : file_(file) {
    InputFile input(file, "'imagenet', 'unchanged' or a JSON file such as " + std::string(example));
    try {
      given_ = json::parse(contents_of(input, 1 << 20));
    } catch (const json::parse_error& error) {
      input.refuse("it is not JSON (byte " + std::to_string(error.byte) + ")");
    }
    if (!given_.is_object()) input.refuse("it is JSON, but not an object {…}");
  }

  Preprocess read() const {
    Preprocess result;
    for (const auto& [key, value] : given_.items()) {
      if (key == "resize") {
        result.resize = pixels(key, value);
      } else if (key == "crop") {
        result.crop = pixels(key, value);
      } else if (key == "mean") {
        result.mean = numbers(key, value);
      } else if (key == "std") {
        result.std = numbers(key, value);
        for (const double number : result.std)
          if (!(number > 0)) refuse(key, value, "numbers above 0");
      } else if (key == "interpolation") {
        result.interpolation = interpolation(key, value);
      } else {
        throw Error(file_ + ": there is no key \"" + key +
                    "\"; the keys are resize, crop, mean, std, interpolation, as in " + example);
      }
    }
    if (result.mean.size() > 1 && result.std.size() > 1 && result.mean.size() != result.std.size())
      throw Error(file_ + ": \"mean\" has " + std::to_string(result.mean.size()) +
                  " numbers and \"std\" has " + std::to_string(result.std.size()) +
                  "; both need one for each channel");
    return result;
  }

 private:
  [[noreturn]] void refuse(const std::string& key, const json& value, const std::string& expected) const {
    throw Error(file_ + ": \"" + key + "\" is " + value.dump(-1, ' ', false, json::error_handler_t::replace) +
                "; expected " + expected + ", as in " + example);
  }

  std::int64_t pixels(const std::string& key, const json& value) const {
    constexpr std::int64_t most = 10'000;
    if (!value.is_number_integer() || value < 1 || value > most)
      refuse(key, value, "a whole number of pixels from 1 to " + std::to_string(most));
    return value.get<std::int64_t>();
  }

  std::vector<double> numbers(const std::string& key, const json& value) const {
    const auto is_number = [](const json& entry) { return entry.is_number(); };
    if (!value.is_array() || value.empty() || !std::all_of(value.begin(), value.end(), is_number))
      refuse(key, value, "an array of numbers, one for each channel");
    return value.get<std::vector<double>>();
  }

  Interpolation interpolation(const std::string& key, const json& value) const {
    if (value == "nearest") return Interpolation::nearest;
    if (value == "bilinear") return Interpolation::bilinear;
    if (value == "bicubic") return Interpolation::bicubic;
    refuse(key, value, "\"nearest\", \"bilinear\" or \"bicubic\"");
  }

  std::string file_;
  json given_{};
};

}  // namespace

Preprocess preprocess_from(const std::string& given) {
  if (given == "imagenet") return imagenet();
  if (given == "unchanged" || given.empty()) return unchanged();
  return PreprocessFile(given).read();
}

}  // namespace pellucid::app
