#pragma once
#include <concepts>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/pipeline.hpp>
#include <pellucid/image/write.hpp>
#include <pellucid/render/overlay.hpp>
#include <pellucid/render/sheet.hpp>

namespace pellucid {

/// The stage that draws an attribution over its image: a Picture of the image's size, or a sheet of them for
/// several images.
class Overlay : public Stage<Overlay> {
 public:
  template <class S>
  static constexpr bool takes = requires(const S& subject) {
    subject.images;
    subject.attribution;
  };
  template <class S>
  using Gives = Picture;

  /// Throws Error on options out of range.
  explicit Overlay(OverlayOptions options = {}) : options_(std::move(options)) { validate(options_); }

  template <class M, class S>
  Picture run(const M&, const S& subject) const {
    std::vector<Tile> tiles;
    for (std::int64_t n = 0; n < subject.images.size(0); ++n)
      tiles.push_back({overlay(subject.images[n], subject.attribution[n], options_), std::to_string(n)});
    return tiles.size() == 1 ? std::move(tiles[0].picture) : contact_sheet(tiles);
  }

 private:
  OverlayOptions options_;
};

/// The stage that writes a picture to a PNG file, whole or not at all, and hands it on. That the folder is
/// there is seen at construction, before any work.
class SavePng : public Stage<SavePng> {
 public:
  template <class S>
  static constexpr bool takes = std::same_as<S, Picture>;
  template <class S>
  using Gives = Picture;

  /// Throws Error without a name, for a folder, and where there is no folder to write into.
  explicit SavePng(std::filesystem::path file) : file_(std::move(file)) {
    namespace fs = std::filesystem;
    std::error_code ignored;
    if (file_.empty()) throw Error("SavePng: an empty name was given; give the path of a file");
    if (fs::is_directory(file_, ignored))
      throw Error("SavePng: '" + file_.string() + "' is a folder; give the path of a file");
    const fs::path folder = file_.has_parent_path() ? file_.parent_path() : fs::path(".");
    if (!fs::is_directory(folder, ignored))
      throw Error("SavePng: there is no folder '" + folder.string() + "' to write '" +
                  file_.filename().string() + "' into; make it first");
  }

  template <class M>
  Picture run(const M&, Picture picture) const {
    write_png(file_, picture);
    return picture;
  }

 private:
  std::filesystem::path file_;
};

}  // namespace pellucid
