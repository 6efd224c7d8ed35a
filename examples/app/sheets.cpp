#include "sheets.hpp"

#include <pellucid/image/write.hpp>
#include <pellucid/render/channel_grid.hpp>
#include <pellucid/render/color_bar.hpp>

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

Tile no_tile() {
  return {blank(1, 1), ""};
}

}  // namespace pellucid::app
