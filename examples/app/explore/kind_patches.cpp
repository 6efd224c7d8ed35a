#include <pellucid/activation/patch_images.hpp>
#include <pellucid/activation/patch_view.hpp>
#include <pellucid/activation/top_patches.hpp>
#include <pellucid/core/digest.hpp>
#include <pellucid/image/write.hpp>
#include <pellucid/render/patch_sheet.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>

#include "explore/kinds.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

constexpr int patch_side = 252;  // pixels
constexpr std::int64_t kept_patches = 20, most_rows = 64;

/// When a model's file was written; nothing where its name is none of a file.
std::string age_of(const std::string& file) {
  std::error_code none;
  const auto written = std::filesystem::last_write_time(file, none);
  return none ? "" : std::to_string(static_cast<long long>(written.time_since_epoch().count()));
}

/// An index belongs to a model and to how it is run: another has another file.
std::filesystem::path index_file(const World& world, const Explored& model, const std::string& layer) {
  std::error_code ignored;
  const Common& how = model.common;
  const std::string about = how.model + "\n" + age_of(how.model) + "\n" + how.preprocess + "\n" + how.device +
                            "\n" + how.precision + "\n" +
                            std::filesystem::absolute(world.images.folder(), ignored).string() + "\n" + layer;
  return world.indexes / (model.name + "-" + digest_of(about).substr(0, 16) + ".safetensors");
}

/// An index with what is needed to show it.
struct Shelf {
  PatchIndex index{};
  ReceptiveField field{};
};

/// The indexes that were asked for, by file: read once, and again when the file is another.
class Shelves {
 public:
  std::shared_ptr<const Shelf> get(const World& world, const Explored& model, const std::string& layer) {
    const std::filesystem::path file = index_file(world, model, layer);
    std::error_code missing;
    const auto written = std::filesystem::last_write_time(file, missing);
    if (missing) throw Refused(404, "there is no index of " + layer + " yet");
    {
      const std::lock_guard lock(mutex_);
      if (const auto known = all_.find(file); known != all_.end() && known->second.first == written)
        return known->second.second;
    }
    // Whoever asks for another index must not wait for this one.
    const auto shelf = std::make_shared<Shelf>();
    shelf->index = PatchIndex::load(file);
    const std::vector<std::int64_t> size = image_size(shelf->index);
    shelf->field = field_of(model, layer, size[0], size[1]);
    const std::lock_guard lock(mutex_);
    all_[file] = {written, shelf};
    return shelf;
  }

 private:
  std::mutex mutex_{};
  std::map<std::filesystem::path, std::pair<std::filesystem::file_time_type, std::shared_ptr<const Shelf>>>
      all_{};
};

Shelves& shelves() {
  static Shelves all;
  return all;
}

std::int64_t number_in(const Request& request, const std::string& name, std::int64_t left_out,
                       std::int64_t most) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return left_out;
  std::int64_t value = 0;
  const std::string& text = found->second;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || code != std::errc{} || end != text.data() + text.size() || value < 0 || value > most)
    throw Refused(400, name + "=" + text.substr(0, 40) + ": a whole number from 0 to " +
                           std::to_string(most) + " is expected");
  return value;
}

std::string text_in(const Request& request, const std::string& name) {
  const auto found = request.query.find(name);
  if (found == request.query.end() || found->second.empty())
    throw Refused(400, name + "=… is missing in the address");
  return found->second;
}

std::string encoded(const std::string& text) {
  std::string result;
  for (const unsigned char c : text)
    result += std::isalnum(c) || c == '-' || c == '.' || c == '_' ? std::string(1, char(c))
                                                                  : formatted("%%%02X", c);
  return result;
}

/// The fields that were found.
class Fields {
 public:
  ReceptiveField get(const Explored& model, const std::string& layer, std::int64_t height,
                     std::int64_t width) {
    constexpr std::size_t most = 1000;
    const Key key{&model, layer, height, width};
    {
      const std::lock_guard lock(mutex_);
      if (const auto known = all_.find(key); known != all_.end()) return known->second;
    }
    const ReceptiveField found =
        receptive_fields(model.setup.model, torch::zeros({1, 3, height, width}), {layer})[0];
    const std::lock_guard lock(mutex_);
    if (all_.size() >= most) all_.clear();
    all_[key] = found;
    return found;
  }

 private:
  using Key = std::tuple<const Explored*, std::string, std::int64_t, std::int64_t>;

  std::mutex mutex_{};
  std::map<Key, ReceptiveField> all_{};
};

}  // namespace

ReceptiveField field_of(const Explored& model, const std::string& layer, std::int64_t height,
                        std::int64_t width) {
  static Fields all;
  return all.get(model, layer, height, width);
}

Wish index_wish(World& world, const Asked& asked) {
  const Explored& model = world.model(asked);
  const std::vector<std::string> layers = asked.texts("layers", 8);
  for (const std::string& layer : layers) model.layer(layer);
  return {
      .title = "the top patches of " + joined(layers),
      .lasting = true,
      .run = [&world, &model, layers](Work& work) {
        std::error_code code;
        std::filesystem::create_directories(world.indexes, code);
        if (code)
          throw Error("the folder " + world.indexes.string() + " cannot be made (" + code.message() +
                      "); give one with --indexes");
        std::int64_t images = 0;
        for (std::size_t i = 0; i < layers.size(); ++i) {
          ProgressLine progress([&](const Progress& inner) {
            const double count = double(layers.size());
            return work(
                {(double(i) + inner.fraction) / count,
                 inner.seconds_left +
                     (inner.fraction > 0 ? inner.seconds_left / (1 - std::min(inner.fraction, 0.999)) : 0) *
                         (count - double(i) - 1)});
          });
          // In its place when it is whole; what a scan that was stopped has found is gone on with.
          const std::filesystem::path file = index_file(world, model, layers[i]);
          const std::filesystem::path part = std::filesystem::path(file).replace_extension(".part");
          const TopPatches scan{
              .layers = {layers[i]}, .top = kept_patches, .index = part, .begin_from = file};
          images = std::int64_t(scan(model.setup.model, world.images.folder(), progress).images().size());
          std::filesystem::rename(part, file);
        }
        Json answer{{"images", images}, {"layers", layers}};
        answer["command"] = model.command("patches") + " --images " +
                            shell_word(world.images.folder().string()) + " --layer " + joined(layers, ",") +
                            " --top " + std::to_string(kept_patches) + " --out patches.png";
        return Found{std::move(answer), {}};
      }};
}

std::vector<std::string> indexed_layers(const World& world, const Explored& model) {
  std::vector<std::string> all;
  std::error_code ignored;
  for (const LayerInfo& layer : model.layers)
    if (std::filesystem::exists(index_file(world, model, layer.name), ignored)) all.push_back(layer.name);
  return all;
}

Response patches_of(World& world, const Request& request) {
  const Explored& model = world.model(request.path[2]);
  const std::string layer = text_in(request, "layer");
  model.layer(layer);
  std::error_code missing;
  if (!std::filesystem::exists(index_file(world, model, layer), missing))
    return Response::of(Json{{"layer", layer}, {"indexed", false}, {"rows", Json::array()}}.dump());
  const auto shelf = shelves().get(world, model, layer);
  const PatchIndexOf& about = shelf->index.about();
  const std::int64_t channels = about.channels[0];
  const std::int64_t from = number_in(request, "from", 0, channels - 1);
  const std::int64_t to =
      std::min({number_in(request, "to", from + 7, 1 << 20), channels - 1, from + most_rows - 1});
  const std::int64_t top = std::min(number_in(request, "top", 9, kept_patches), about.top);
  Json answer{{"layer", layer},
              {"indexed", true},
              {"channels", channels},
              {"indexed_images", shelf->index.images().size()},
              {"rows", Json::array()}};
  const bool known = shelf->field.vertical && shelf->field.horizontal;
  for (std::int64_t channel = from; channel <= to; ++channel) {
    Json patches = Json::array();
    for (const Patch& patch : shelf->index.of(layer, channel)) {
      if (std::int64_t(patches.size()) == top) break;
      const auto id = world.images.id_of_file(patch.image);
      if (!id) continue;  // gone since the scan
      const Listed listed = world.images.listed(*id);
      Json one{{"value", patch.value},        {"image", *id},
               {"name", listed.name},         {"label", text_or_null(listed.label)},
               {"place", {patch.y, patch.x}}, {"box", nullptr}};
      if (known) {
        const Box box = shelf->field.box(patch.y, patch.x);
        one["box"] = {box.top, box.left, box.bottom, box.right};
      }
      one["picture"] = "/api/models/" + request.path[2] + "/patch?layer=" + encoded(layer) + "&image=" + *id +
                       "&y=" + std::to_string(patch.y) + "&x=" + std::to_string(patch.x) +
                       "&run=" + world.run;
      patches.push_back(std::move(one));
    }
    answer["rows"].push_back({{"channel", channel}, {"patches", patches}});
  }
  return Response::of(answer.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Response patch_picture(World& world, const Request& request) {
  const Explored& model = world.model(request.path[2]);
  const std::string layer = text_in(request, "layer");
  model.layer(layer);
  const auto shelf = shelves().get(world, model, layer);
  const Images image = world.seen(model, text_in(request, "image"));
  const PatchView view =
      view_of(image, shelf->field, number_in(request, "y", 0, 1 << 20), number_in(request, "x", 0, 1 << 20));
  Response response = Response::of(encode_png(draw_patch(view, patch_side)), "image/png");
  response.forever = true;
  return response;
}

}  // namespace pellucid::app
