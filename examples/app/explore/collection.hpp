#pragma once
#include <pellucid/core/torch.hpp>

#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "explore/found.hpp"
#include "json.hpp"

namespace pellucid::app {

/// An image that can be asked about.
struct Listed {
  std::string id{};
  std::string name{};   ///< of a file: below the folder
  std::string label{};  ///< what it shows: of a file, the folder that it is in; empty where that says nothing
};

struct UploadLimits {
  std::size_t bytes = 20 << 20;               ///< of one file
  std::int64_t pixels = 40'000'000;           ///< of one image
  std::size_t kept = std::size_t{200} << 20;  ///< bytes of all; the oldest go
};

/// The images of a folder (f0, f1, …), those that were uploaded (u1, …), and what attacks made of them (a…).
/// Ids, not names, say which: no path is ever asked for.
class Collection {
 public:
  /// Throws Error for a folder without images.
  explicit Collection(std::filesystem::path folder, UploadLimits limits = {});

  const std::filesystem::path& folder() const { return folder_; }
  const UploadLimits& limits() const { return limits_; }
  std::vector<std::string> labels() const;
  /// The first of the folder that can be read. Throws Error where none can.
  Images first() const;

  /// Those of the folder whose name holds the text and whose label is the one given (empty: any), behind what
  /// was uploaded; `total`: how many there are.
  std::vector<Listed> list(const std::string& text, const std::string& label, std::size_t from,
                           std::size_t count, std::size_t& total) const;
  /// Throws Refused for an id that is not there, as for all that follow.
  Listed listed(const std::string& id) const;
  /// 1×3×H×W in [0, 1], as it is.
  Images read(const std::string& id) const;
  /// What a shell command calls it: a file's path; for others where to save it first.
  std::string path(const std::string& id) const;
  /// A small PNG.
  std::shared_ptr<const std::string> thumbnail(const std::string& id);

  /// An image of a file's bytes. Throws Error for what is no image, or too large.
  Listed upload(const std::string& name, std::string bytes);
  /// What an attack gave. The same id again replaces it.
  void put_attacked(const std::string& id, const std::string& name, const Images& image);
  /// The file of that name below the folder.
  std::optional<std::string> id_of_file(const std::string& name) const;

 private:
  struct Held {
    Listed listed{};
    std::string bytes{};  ///< of the file
    Images image{};       ///< where there is no file
  };
  void keep(Held held, std::size_t size);

  std::filesystem::path folder_;
  UploadLimits limits_;
  std::vector<Listed> files_{};
  std::map<std::string, std::string> id_of_{};  ///< by name
  mutable std::mutex mutex_{};
  std::deque<std::pair<std::size_t, std::shared_ptr<const Held>>>
      held_{};  ///< with their bytes, oldest first
  std::size_t held_bytes_ = 0;
  std::int64_t uploads_ = 0;
  std::map<std::string, std::shared_ptr<const std::string>> thumbnails_{};
  std::shared_ptr<const Held> find(const std::string& id) const;
  std::optional<std::size_t> file(const std::string& id) const;
};

}  // namespace pellucid::app
