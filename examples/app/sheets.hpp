#pragma once
/// The parts that the pictures of several commands are put together from.

#include <pellucid/core/torch.hpp>
#include <pellucid/image/picture.hpp>
#include <pellucid/render/canvas.hpp>
#include <pellucid/render/colormap.hpp>
#include <pellucid/render/sheet.hpp>

#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace pellucid::app {

/// A colour bar behind a few words that say what it is for.
Picture explained_bar(const std::string& words, Sign sign);

/// An image 1×3×H×W as it is.
Picture photo(const Tensor& image);

/// The channels of anything, 1×…, as heat maps: one map of N×C×L, one field for each number of N×K.
Picture channels(const Tensor& values, const std::string& title, bool strongest_first);

/// An empty place in a sheet.
Tile no_tile();

/// Pictures of one image after another, under one another. What goes wrong with them is thrown at the end,
/// when the rest of the answer has been given.
class LongSheet {
 public:
  explicit LongSheet(std::string file) : file_(std::move(file)) {}

  /// Draws the next one: draw() → Picture; nothing where there is no file.
  template <class Draw>
  void add(Draw&& draw) {
    if (file_.empty() || failure_) return;
    try {
      append(draw());
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  /// An image is done.
  void next() { ++images_; }

  /// All of them.
  Picture picture() &&;

 private:
  void append(const Picture& picture);

  std::string file_;
  Picture sheet_{};
  std::int64_t images_ = 0;
  std::exception_ptr failure_{};
};

}  // namespace pellucid::app
