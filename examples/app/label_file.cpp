#include "label_file.hpp"

#include <charconv>
#include <sstream>

#include "text_files.hpp"

namespace pellucid::app {

namespace {

std::optional<std::int64_t> whole_number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

void check_class(const std::string& given, std::int64_t label, std::int64_t classes) {
  if (label < 0 || label >= classes)
    throw Error(given + " " + std::to_string(label) + ": the model has " + std::to_string(classes) +
                " classes, 0 to " + std::to_string(classes - 1));
}

LabelFile::LabelFile(const std::string& file) : file_(file) {
  if (file.empty()) return;
  InputFile input(file, "a text file with a line NAME,K for each image, as dog.jpg,207");
  if (input.size() > 1 << 28) input.refuse("it has over 256 megabytes");
  std::istringstream lines(contents_of(input));
  std::int64_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    const std::size_t comma = std::min(line.rfind(','), line.size());
    const std::string name = line.substr(0, comma);
    const auto label = whole_number(std::string_view(line).substr(std::min(comma + 1, line.size())));
    if (name.empty() || !label)
      input.refuse("line " + std::to_string(number) + " is " +
                   (line.size() > 80 ? "another" : "'" + line + "'"));
    const auto [known, is_new] = labels_.emplace(name, *label);
    if (!is_new && known->second != *label)
      input.refuse("line " + std::to_string(number) + " says class " + std::to_string(*label) + " for " +
                   name + ", and a line before it class " + std::to_string(known->second));
  }
  if (labels_.empty()) input.refuse("it holds no line");
}

void LabelFile::check_names(const Labels& labels) const {
  for (const auto& [name, label] : labels_) labels.name(label);
}

std::optional<std::int64_t> LabelFile::find(const std::string& name) const {
  const auto found = labels_.find(name);
  if (found == labels_.end()) return std::nullopt;
  return found->second;
}

void LabelFile::check(const Setup& setup, std::int64_t classes) const {
  if (!given()) return;
  std::map<std::string, std::string> files;  // by their names without folders
  for (const Input& input : setup.inputs)
    for (std::int64_t row = 0; row < input.count(); ++row) {
      const std::string name = input.shown(row);
      const auto [other, is_new] = files.emplace(name, input.named(row));
      if (!is_new && other->second != input.named(row))
        throw Error("--label-file " + file_ + ": a line for " + name + " would stand for " + other->second +
                    " and for " + input.named(row) +
                    "; give the images names of their own, or one folder at a time");
      const auto its = labels_.find(name);
      if (its == labels_.end())
        throw Error("--label-file " + file_ + " has no line for " + name +
                    "; give it one with the number of the image's class, as " + name + ",0");
      check_class("--label-file " + file_ + ", " + name + ": class", its->second, classes);
    }
}

}  // namespace pellucid::app
