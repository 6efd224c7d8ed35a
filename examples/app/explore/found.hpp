#pragma once
/// What a piece of work gives: an answer in JSON, and the pictures and arrays that it names.

#include <pellucid/core/torch.hpp>
#include <pellucid/image/picture.hpp>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "json.hpp"

namespace pellucid::app {

struct File {
  std::string type{};  ///< image/png
  std::shared_ptr<const std::string> bytes{};
};

struct Found {
  Json answer{};
  std::map<std::string, File> files{};

  std::size_t bytes() const;
};

/// Where an answer puts its pictures and arrays, each named by an address.
class Files {
 public:
  /// Files that are kept with the answer of this key, at /api/results/KEY/NAME.
  explicit Files(std::string key) : key_(std::move(key)) {}
  /// Pictures within the answer itself, for what is shown on the way; arrays are left out.
  Files() = default;

  bool on_the_way() const { return key_.empty(); }

  /// Adds a PNG: its address goes into answer["pictures"][name].
  void picture(Json& answer, const std::string& name, const Picture& picture);
  /// Adds float32 values as .npy: answer["arrays"][name].
  void array(Json& answer, const std::string& name, const Tensor& values);

  std::map<std::string, File> all() && { return std::move(files_); }

 private:
  std::string key_{};
  std::map<std::string, File> files_{};
};

}  // namespace pellucid::app
