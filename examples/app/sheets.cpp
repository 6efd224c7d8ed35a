#include "sheets.hpp"

#include <pellucid/image/write.hpp>
#include <pellucid/render/channel_grid.hpp>
#include <pellucid/render/color_bar.hpp>

#include <algorithm>

namespace pellucid::app {

Picture stacked(const std::vector<Picture>& pictures) {
  int width = 1, height = 0;
  for (const Picture& picture : pictures) {
    width = std::max(width, picture.width);
    height += picture.height;
  }
  Picture whole = blank(width, height);
  int y = 0;
  for (const Picture& picture : pictures) {
    paste(whole, picture, 0, y);
    y += picture.height;
  }
  return whole;
}

Picture side_by_side(const std::vector<Picture>& pictures, int gap) {
  int width = -gap, height = 1;
  for (const Picture& picture : pictures) {
    width += picture.width + gap;
    height = std::max(height, picture.height);
  }
  Picture whole = blank(width, height);
  int x = 0;
  for (const Picture& picture : pictures) {
    paste(whole, picture, x, 0);
    x += picture.width + gap;
  }
  return whole;
}

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

Tile no_tile() {
  return {blank(1, 1), ""};
}

}  // namespace pellucid::app
