#include "patches.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iostream>
#include <memory>

#ifdef PELLUCID_DISTRIBUTED
#include <pellucid/activation/distributed_patches.hpp>
#endif

#include "command.hpp"
#include "field_text.hpp"
#include "give.hpp"
#include "label_file.hpp"
#include "progress_line.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

/// I/N
Shard shard_from(const std::string& text) {
  Shard shard;
  const char* const end = text.data() + text.size();
  auto [rest, failure] = std::from_chars(text.data(), end, shard.number);
  if (failure == std::errc() && rest != end && *rest == '/') {
    const auto second = std::from_chars(rest + 1, end, shard.of);
    rest = second.ptr, failure = second.ec;
  } else {
    failure = std::errc::invalid_argument;
  }
  if (failure != std::errc() || rest != end || shard.of < 1 || shard.number < 1 || shard.number > shard.of)
    throw Error("--shard " + text + ": give which part of how many, as in 1/4, 2/4, 3/4 and 4/4");
  return shard;
}

void check(PatchesWish& wish) {
  if (wish.images.empty()) throw Error("no images were named; give their folder with --images");
  if (wish.scan.layers.empty())
    throw Error("no layer was named; give --layer NAME (`pellucid layers` lists them)");
  if (wish.dream && wish.common.out.empty())
    throw Error("--dream draws beside the patches what each channel looks for; give --out FILE.png with it");
  if (!wish.shard.empty() && wish.scan.index.empty())
    throw Error("--shard scans a part of the images, to be merged with the others; give --index FILE for it");
  if (wish.distributed && !wish.shard.empty())
    throw Error("--distributed gives each process a part of the images; leave --shard out");
  if (!wish.channels.empty()) wish.range = channels_from(wish.channels);
  if (!wish.shard.empty()) wish.scan.shard = shard_from(wish.shard);
  wish.scan.check();
}

PatchIndex scanned(const PatchesWish& wish, const Setup& setup) {
  ProgressLine progress("scanning", 1);
#ifdef PELLUCID_DISTRIBUTED
  if (wish.distributed)
    return DistributedTopPatches{.scan = wish.scan, .ranks = Ranks::from_environment()}(
        setup.model, std::filesystem::path(wish.images), progress);
#endif
  return wish.scan(setup.model, std::filesystem::path(wish.images), progress);
}

void tell_left_out(const PatchIndex& index) {
  std::vector<Skipped> skipped;
  for (const auto& [name, reason] : index.skipped())
    skipped.push_back({name, reason.find(name) == reason.npos ? name + ": " + reason : reason});
  tell_skipped(skipped);
}

/// The channels asked for, or those with the largest values.
std::vector<std::int64_t> shown_channels(const PatchesWish& wish, const PatchIndex& index,
                                         const std::string& layer, std::int64_t count) {
  std::vector<std::int64_t> channels;
  if (wish.range) {
    check_channels(*wish.range, wish.channels, layer, count);
    for (std::int64_t c = wish.range->first; c <= wish.range->last; ++c) channels.push_back(c);
    return channels;
  }
  std::vector<std::pair<float, std::int64_t>> strongest;
  for (std::int64_t c = 0; c < count; ++c)
    if (const auto patches = index.of(layer, c); !patches.empty())
      strongest.emplace_back(-patches.front().value, c);
  std::sort(strongest.begin(), strongest.end());
  if (std::int64_t(strongest.size()) > most_rows) strongest.resize(std::size_t(most_rows));
  for (const auto& [value, channel] : strongest) channels.push_back(channel);
  return channels;
}

/// How images of this size are seen by the layers.
std::vector<ReceptiveField> fields_of(const PatchesWish& wish, const Setup& setup, const PatchIndex& index) {
  const std::vector<std::int64_t> size = image_size(index);
  ProgressLine progress("receptive fields", 1);
  return receptive_fields(setup.model, torch::zeros({1, 3, size[0], size[1]}), wish.scan.layers, progress);
}

std::vector<ToldLayer> told(const PatchesWish& wish, const Setup& setup, const PatchIndex& index) {
  const LabelFile classes(wish.label_file);
  std::vector<ToldLayer> layers;
  for (std::size_t i = 0; i < wish.scan.layers.size(); ++i) {
    ToldLayer layer{wish.scan.layers[i], index.about().channels[i], {}, {}};
    for (const std::int64_t channel : shown_channels(wish, index, layer.layer, layer.channels)) {
      ToldChannel row{channel, {}};
      for (Patch& patch : index.of(layer.layer, channel)) {
        const auto label = classes.find(std::filesystem::path(patch.image).filename().string());
        row.patches.push_back({std::move(patch), label ? setup.labels.text(*label) : "", {}});
      }
      layer.shown.push_back(std::move(row));
    }
    layers.push_back(std::move(layer));
  }
  const std::vector<ReceptiveField> fields = fields_of(wish, setup, index);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    layers[i].field = fields[i];
    for (ToldChannel& channel : layers[i].shown)
      for (ToldPatch& one : channel.patches) one.box = fields[i].box(one.patch.y, one.patch.x);
  }
  return layers;
}

Json as_json(const ToldPatch& told) {
  Json its{{"value", told.patch.value},
           {"image", told.patch.image},
           {"label", text_or_null(told.label)},
           {"y", told.patch.y},
           {"x", told.patch.x}};
  its["box"] = told.box ? Json{{"top", told.box->top},
                               {"left", told.box->left},
                               {"bottom", told.box->bottom},
                               {"right", told.box->right}}
                        : Json();
  return its;
}

Json counts_of(const PatchIndex& index) {
  Json document{{"images", index.images().size()}, {"duplicates", index.duplicates()}};
  document["left_out"] = Json::array();
  for (const auto& [name, reason] : index.skipped())
    document["left_out"].push_back({{"image", name}, {"reason", reason}});
  return document;
}

Json as_json(const PatchIndex& index, const std::vector<ToldLayer>& layers) {
  Json document = counts_of(index);
  document["layers"] = Json::array();
  for (const ToldLayer& layer : layers) {
    Json channels = Json::array();
    for (const ToldChannel& row : layer.shown) {
      Json patches = Json::array();
      for (const ToldPatch& one : row.patches) patches.push_back(as_json(one));
      channels.push_back({{"channel", row.channel}, {"patches", patches}});
    }
    document["layers"].push_back({{"layer", layer.layer},
                                  {"channels_in_all", layer.channels},
                                  {"receptive_field", layer.field ? field_json(*layer.field) : Json()},
                                  {"channels", channels}});
  }
  return document;
}

std::string counts_text(const PatchIndex& index) {
  const auto images = std::int64_t(index.images().size());
  std::string text = std::to_string(images) + (images == 1 ? " image" : " images");
  if (index.duplicates() > 0)
    text += ", " + std::to_string(index.duplicates()) + " of them again under another name";
  if (!index.skipped().empty()) text += "; left out: " + std::to_string(index.skipped().size());
  return text + "\n";
}

std::string as_text(const PatchesWish& wish, const PatchIndex& index, const std::vector<ToldLayer>& layers) {
  std::string text = counts_text(index);
  for (const ToldLayer& layer : layers) {
    text += layer.layer + ": " + std::to_string(layer.channels) + " channels";
    if (layer.field && !field_text(*layer.field).empty())
      text += ", a place sees " + field_text(*layer.field) + " pixels";
    if (!wish.range && layer.channels > most_rows)
      text += "; the " + std::to_string(most_rows) + " with the largest values (--channels: others)";
    text += "\n";
    Table table({"  channel", "value", "image", "row, column", "pixels"});
    for (const ToldChannel& row : layer.shown) {
      // Without a wish, the strongest of each: the picture and --json have all.
      const std::size_t listed =
          wish.range ? row.patches.size() : std::min<std::size_t>(row.patches.size(), 1);
      for (std::size_t i = 0; i < listed; ++i) {
        const auto& [patch, label, box] = row.patches[i];
        table.add({i == 0 ? "  " + std::to_string(row.channel) : "", number(patch.value),
                   patch.image + (label.empty() ? "" : ", " + label),
                   std::to_string(patch.y) + ", " + std::to_string(patch.x),
                   box ? std::to_string(box->top) + "…" + std::to_string(box->bottom - 1) + ", " +
                             std::to_string(box->left) + "…" + std::to_string(box->right - 1)
                       : ""});
      }
    }
    text += table.text();
  }
  if (!wish.scan.index.empty()) text += "written: " + wish.scan.index.string() + "\n";
  return text;
}

void merge(const PatchesWish& wish) {
  if (wish.scan.index.empty()) throw Error("the merged index needs a place; give --index FILE");
  PatchIndex whole = PatchIndex::load(wish.parts.front());
  for (std::size_t i = 1; i < wish.parts.size(); ++i) {
    try {
      whole.merge(PatchIndex::load(wish.parts[i]));
    } catch (const Error& error) {
      throw Error(wish.parts[i] + ": " + error.what(), error.fault());
    }
  }
  whole.save(wish.scan.index);
  if (wish.common.json) return print(counts_of(whole));
  std::cout << counts_text(whole) << "written: " << wish.scan.index.string() << '\n';
}

void run(PatchesWish wish) {
  check(wish);
  const Setup setup(wish.common);
  note_preprocess(wish.common);
  const PatchIndex index = scanned(wish, setup);
  tell_left_out(index);
  const std::vector<ToldLayer> layers = told(wish, setup, index);
  give(wish.common, {as_json(index, layers), as_text(wish, index, layers)}, {},
       [&] { return patches_picture(wish, setup, index, layers); });
}

std::function<void()> set_up(CLI::App& options) {
  const auto wish = std::make_shared<PatchesWish>();
  TopPatches& scan = wish->scan;
  options
      .add_option("--images", wish->images,
                  "the folder: all PNG and JPEG images in it and in the folders below it")
      ->type_name("FOLDER");
  options.add_option("--layer", scan.layers, "layers by name; `pellucid layers` lists them")
      ->delimiter(',')
      ->type_name("NAME[,NAME]");
  options
      .add_option("--channels", wish->channels,
                  "channels, or units of a layer N×K, to show, A to B (left out: the " +
                      std::to_string(most_rows) + " with the largest values; the index has all)")
      ->type_name("A-B");
  options.add_option("--top", scan.top, "patches of each channel (" + std::to_string(scan.top) + ")")
      ->type_name("K");
  options.add_flag(
      "--dream", wish->dream,
      "beside the patches a picture of what each channel looks for, as `pellucid dream` makes it");
  options
      .add_option("--label-file", wish->label_file,
                  "what the images show: a line NAME,K for each, with the number of its class")
      ->type_name("FILE");
  const std::string long_scans = "Long scans";
  const auto add_index = [&](CLI::App& its, const std::string& text) {
    its.add_option("--index", scan.index, text)->type_name("FILE")->group(long_scans);
  };
  add_index(options,
            "where what was found is kept: a scan that was stopped goes on from there, and one of a folder "
            "that grew looks at the new images alone");
  options
      .add_option("--save-every", scan.save_every, "seconds from one saving of the index to the next (30)")
      ->type_name("S")
      ->group(long_scans);
  options
      .add_option("--shard", wish->shard,
                  "scan part I of N of the images only; `pellucid patches merge` puts the parts together")
      ->type_name("I/N")
      ->group(long_scans);
#ifdef PELLUCID_DISTRIBUTED
  options
      .add_flag("--distributed", wish->distributed,
                "one of several processes that share the images: the launcher sets RANK, WORLD_SIZE, "
                "MASTER_ADDR and, if it is not 29500, MASTER_PORT")
      ->group(long_scans);
#endif
  add_common(options, wish->common,
             {.input = false, .out = "draw the patches: a row for each channel, the strongest first"});

  CLI::App* const parts = options.add_subcommand("merge", "put the indexes of parts together, instead");
  parts->add_option("parts", wish->parts, "the indexes")->required()->type_name("INDEX...");
  add_index(*parts, "the whole");
  parts->add_flag("--json", wish->common.json, "one JSON document on standard output, and nothing else");
  // A merge needs no model.
  parts->preparse_callback([&options](std::size_t) {
    for (CLI::Option* const option : options.get_options()) option->required(false);
  });
  return [wish, parts] { parts->parsed() ? merge(*wish) : run(*wish); };
}

const Registered registered(
    "patches",
    {"the patches of many images that excite each channel of a layer most",
     "  pellucid patches --model shapes-vgg --images shapes --layer features.7 --channels 0-7 --top 7 --out "
     "patches.png\n"
     "  pellucid patches ... --layer features.4,features.7 --index patches.safetensors --dream --out "
     "patches.png\n"
     "  pellucid patches ... --label-file classes.csv --labels names.txt --channels 42-45 --out sheet.png\n"
     "  pellucid patches ... --shard 1/2 --index part-1.safetensors\n"
     "  pellucid patches merge part-1.safetensors part-2.safetensors --index patches.safetensors",
     set_up});

}  // namespace

}  // namespace pellucid::app
