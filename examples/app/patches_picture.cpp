#include <pellucid/render/patch_sheet.hpp>

#include <algorithm>
#include <filesystem>

#include "patches.hpp"
#include "progress_line.hpp"
#include "recipes.hpp"
#include "sheets.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

/// The value, and what the image shows, or its folder and its file.
std::string label(const ToldPatch& told) {
  const std::string value = number(told.patch.value) + "\n";
  if (!told.label.empty()) return value + told.label;
  const std::filesystem::path name(told.patch.image);
  const std::string folder = name.parent_path().filename().string();
  return value + (folder.empty() ? "" : folder + "/\n") + name.filename().string();
}

/// What stands under a patch.
std::string labels(const PatchesWish& wish) {
  return std::string("how strong the channel is there, and ") +
         (wish.label_file.empty() ? "the image's file" : "what the image shows");
}

/// What the channels of a layer look for, one picture each.
std::vector<Picture> dreams_of(const Setup& setup, const ToldLayer& layer, ProgressLine& progress) {
  std::vector<std::int64_t> channels;
  for (const ToldChannel& row : layer.shown) channels.push_back(row.channel);
  const Question question = about_layer(layer.layer, channels, {});
  const Synthesis found = recipe_named("natural").run(setup.model, question, {}, {}, progress);
  std::vector<Picture> pictures;
  for (std::int64_t row = 0; row < found.synthesized.size(0); ++row)
    pictures.push_back(photo(found.synthesized.narrow(0, row, 1)));
  return pictures;
}

}  // namespace

Picture patches_picture(const PatchesWish& wish, const Setup& setup, const PatchIndex& index,
                        const std::vector<ToldLayer>& layers) {
  std::vector<PatchRow> rows;
  ProgressLine progress("drawing", std::int64_t(layers.size()));
  for (const ToldLayer& layer : layers) {
    const std::vector<Picture> dreams =
        wish.dream && !layer.shown.empty() ? dreams_of(setup, layer, progress) : std::vector<Picture>();
    for (std::size_t i = 0; i < layer.shown.size(); ++i) {
      const ToldChannel& channel = layer.shown[i];
      PatchRow row{.title = (layers.size() > 1 ? layer.layer + "\n" : "") + "channel " +
                            std::to_string(channel.channel)};
      for (const ToldPatch& one : channel.patches)
        row.patches.push_back({view_of(image_of(one.patch, index, setup.model, wish.images), layer.field,
                                       one.patch.y, one.patch.x),
                               label(one)});
      if (!dreams.empty()) {
        row.beside = dreams[i];
        row.beside_label = "dream";
      }
      rows.push_back(std::move(row));
    }
    progress.next();
    progress({});
  }
  std::erase_if(rows, [](const PatchRow& row) { return row.patches.empty(); });
  if (rows.empty())
    throw Error("there is no patch to draw: none of the images could be looked at", Fault::failure);
  const std::string where = layers.size() == 1 ? "channels of " + layers[0].layer : "channels";
  const std::string images = std::to_string(index.images().distinct());
  return patch_sheet(rows, {.label_lines = 3,
                            .title = "What excites " + where + " most, in " + images + " images",
                            .labels = labels(wish)});
}

}  // namespace pellucid::app
