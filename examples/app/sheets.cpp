#include "sheets.hpp"

#include <pellucid/image/limits.hpp>
#include <pellucid/image/write.hpp>
#include <pellucid/render/channel_grid.hpp>
#include <pellucid/render/color_bar.hpp>

#include <algorithm>

namespace pellucid::app {

Picture explained_bar(const std::string& words, Sign sign) {
  return side_by_side({text(words), color_bar({.sign = sign})}, 10);
}

Picture photo(const Tensor& image) {
  return to_picture(image);
}

Picture channels(const Tensor& values, const std::string& title, bool strongest_first) {
  Tensor maps = values.detach().to(torch::kCPU);
  if (maps.dim() == 4) maps = maps[0];
  if (maps.dim() > 4) maps = maps.flatten(0, maps.dim() - 3);
  return channel_grid(maps, {.strongest_first = strongest_first, .title = title});
}

void LongSheet::append(const Picture& picture) {
  const int width = std::max(sheet_.width, picture.width), height = sheet_.height;
  if (std::int64_t(width) * (height + picture.height) > 3 * max_pixels)
    throw Error("--out " + file_ + ": a PNG file holds 300 megapixels, and " +
                (images_ > 0 ? "that is the pictures of the first " + std::to_string(images_) +
                                   " images; give no more at a time, or leave --out out"
                             : "those of one image are more; name fewer layers, or leave --out out"));
  if (width > sheet_.width && height > 0) {
    Picture wider = blank(width, height);
    paste(wider, sheet_, 0, 0);
    sheet_ = std::move(wider);
  }
  Picture part = blank(width, picture.height);
  paste(part, picture, 0, 0);
  sheet_.rgb.insert(sheet_.rgb.end(), part.rgb.begin(), part.rgb.end());
  sheet_.width = width;
  sheet_.height += picture.height;
}

Picture LongSheet::picture() && {
  if (failure_) std::rethrow_exception(failure_);
  return std::move(sheet_);
}

Tile no_tile() {
  return {blank(1, 1), ""};
}

}  // namespace pellucid::app
