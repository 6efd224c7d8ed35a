#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "setup.hpp"

namespace pellucid::app {

/// Refuses a class that the model does not have: "--label 7: the model has 2 classes, 0 to 1".
void check_class(const std::string& given, std::int64_t label, std::int64_t classes);

/// The classes that images show: --label-file, a text file with a line NAME,K for each image, the name of its
/// file without the folder (of several rows of an array: rows.npy[0]) and the number of the class.
class LabelFile {
 public:
  /// "": none was given. Throws Error for a line that cannot be read.
  explicit LabelFile(const std::string& file);

  bool given() const { return !file_.empty(); }

  /// Throws Error unless each image has a line, of its own, with a class that the model has.
  void check(const Setup& setup, std::int64_t classes) const;

  /// Throws Error for a class without a name, where the classes have names.
  void check_names(const Labels& labels) const;

  /// The class of an image, where the file has a line of this name.
  std::optional<std::int64_t> find(const std::string& name) const;

  std::int64_t of(const Input& input, std::int64_t row) const { return labels_.at(input.shown(row)); }

 private:
  std::string file_;
  std::map<std::string, std::int64_t> labels_{};
};

}  // namespace pellucid::app
