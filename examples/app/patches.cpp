#include "patches.hpp"

#include <pellucid/activation/channels.hpp>
#include <pellucid/image/read.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <set>

#ifdef PELLUCID_DISTRIBUTED
#include <pellucid/activation/distributed_patches.hpp>
#endif

#include "command.hpp"
#include "field_text.hpp"
#include "give.hpp"
#include "label_file.hpp"
#include "number_pair.hpp"
#include "progress_line.hpp"
#include "text.hpp"

namespace pellucid::app {

namespace {

/// I/N
Shard shard_from(const std::string& text) {
  const auto numbers = number_pair(text, '/');
  if (!numbers || numbers->second < 1 || numbers->first < 1 || numbers->first > numbers->second)
    throw Error("--shard " + text + ": give which part of how many, as in 1/4, 2/4, 3/4 and 4/4");
  return {numbers->first, numbers->second};
}

/// An index that is there is continued with its own layers and top: they may be more than is to be shown.
void scan_as_before(PatchesWish& wish) {
  wish.scan.layers = wish.layers;
  wish.scan.top = wish.top.value_or(wish.scan.top);
  std::error_code ignored;
  if (wish.scan.index.empty() || !std::filesystem::exists(wish.scan.index, ignored)) return;
  const PatchIndexOf about = PatchIndex::load(wish.scan.index).about();
  for (const std::string& layer : wish.layers)
    if (std::find(about.layers.begin(), about.layers.end(), layer) == about.layers.end())
      throw Error("--layer " + layer + ": " + wish.scan.index.string() + " is an index of " +
                  joined(about.layers) + "; give it a layer of these, or another --index");
  if (wish.top && *wish.top > about.top)
    throw Error("--top " + std::to_string(*wish.top) + ": " + wish.scan.index.string() + " keeps the top " +
                std::to_string(about.top) + " of each channel; give no more, or another --index");
  wish.scan.layers = about.layers;
  wish.scan.top = about.top;
}

void check(PatchesWish& wish) {
  if (wish.images.empty()) throw Error("no images were named; give their folder with --images");
  if (wish.layers.empty())
    throw Error("no layer was named; give --layer NAME (`pellucid layers` lists them)");
  if (wish.dream && wish.common.out.empty())
    throw Error("--dream draws beside the patches what each channel looks for; give --out FILE.png with it");
  if (!wish.shard.empty() && wish.scan.index.empty())
    throw Error("--shard scans a part of the images, to be merged with the others; give --index FILE for it");
  if (wish.distributed && wish.scan.index.empty())
    throw Error("--distributed keeps each process's part beside the index; give --index FILE");
  if (wish.distributed && !wish.shard.empty())
    throw Error("--distributed gives each process a part of the images; leave --shard out");
  if (wish.common.precision == "auto")
    throw Error(
        "--precision auto measures anew in each run, and a scan must be able to go on with the numbers of "
        "another; give fp32 or bf16");
  if (!wish.channels.empty()) wish.range = channels_from(wish.channels);
  if (!wish.shard.empty()) wish.scan.shard = shard_from(wish.shard);
  if (wish.top && *wish.top < 1)
    throw Error("--top " + std::to_string(*wish.top) + ": give 1 patch of each channel or more");
  wish.scan.threads = wish.common.threads.value_or(0);
  scan_as_before(wish);
  wish.scan.check();
}

/// Whether the layers have the channels is known before a scan of hours begins.
void check_before_scan(const PatchesWish& wish, const Setup& setup, const LabelFile& classes) {
  classes.check_names(setup.labels);
  if (!wish.range && wish.common.precision == "fp32") return;
  std::vector<Skipped> skipped;
  for (const auto& file : list_images(wish.images)) {
    const std::optional<Images> image = read_or_skip(file, skipped);
    if (!image) continue;
    const Images seen = setup.model.fit(*image);
    note_execution(setup.model, seen);
    if (!wish.range) return;
    const torch::NoGradGuard no_grad;
    const std::vector<Tensor> outputs = setup.model.observe(seen, wish.layers);
    for (std::size_t i = 0; i < outputs.size(); ++i)
      check_channels(*wish.range, wish.channels, wish.layers[i], channels_of(outputs[i], seen).size(0));
    return;
  }
}

/// What was found. Of several processes the first one tells it; the others have nothing.
std::optional<PatchIndex> scanned(const PatchesWish& wish, const Setup& setup) {
  ProgressLine progress("scanning", 1);
  const std::filesystem::path folder(wish.images);
#ifdef PELLUCID_DISTRIBUTED
  if (wish.distributed) {
    const DistributedTopPatches scan{
        .scan = wish.scan, .ranks = Ranks::from_environment(), .wait = wish.wait};
    PatchIndex index = scan(setup.model, folder, progress);
    if (scan.ranks.rank > 0) return std::nullopt;
    return index;
  }
#endif
  return wish.scan(setup.model, folder, progress);
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
  return receptive_fields(setup.model, torch::zeros({1, 3, size[0], size[1]}), wish.layers, progress);
}

/// What an image shows: by its name in the folder, or by that of its file, if no other has it.
class ImageLabels {
 public:
  ImageLabels(const LabelFile& classes, const Labels& labels, const PatchIndex& index)
      : classes_(classes), labels_(labels) {
    if (!classes_.given()) return;
    for (const ScannedImage& image : index.images()) {
      const auto [known, is_new] = of_file_.emplace(file_of(image.name), image.digest);
      if (!is_new && known->second != image.digest) several_.insert(file_of(image.name));
    }
  }

  std::string of(const std::string& name) const {
    std::optional<std::int64_t> label = classes_.find(name);
    if (!label && (label = classes_.find(file_of(name))) && several_.contains(file_of(name)))
      throw Error("--label-file has a line for " + file_of(name) +
                  ", which is the name of several images; give it one for " + name + " and for each other");
    return label ? labels_.text(*label) : "";
  }

 private:
  static std::string file_of(const std::string& name) {
    return std::filesystem::path(name).filename().string();
  }

  const LabelFile& classes_;
  const Labels& labels_;
  std::map<std::string, std::string> of_file_{};
  std::set<std::string> several_{};
};

std::vector<ToldLayer> told(const PatchesWish& wish, const Setup& setup, const LabelFile& classes,
                            const PatchIndex& index) {
  const ImageLabels labels(classes, setup.labels, index);
  const std::vector<ReceptiveField> fields = fields_of(wish, setup, index);
  std::vector<ToldLayer> layers;
  for (std::size_t i = 0; i < wish.layers.size(); ++i) {
    const PatchIndexOf& about = index.about();
    const auto its = std::find(about.layers.begin(), about.layers.end(), wish.layers[i]);
    ToldLayer layer{wish.layers[i], about.channels[std::size_t(its - about.layers.begin())], fields[i], {}};
    for (const std::int64_t channel : shown_channels(wish, index, layer.layer, layer.channels)) {
      ToldChannel row{channel, {}};
      for (Patch& patch : index.of(layer.layer, channel)) {
        if (std::int64_t(row.patches.size()) == wish.top.value_or(about.top)) break;
        const bool known = layer.field.all || layer.field.vertical || layer.field.horizontal;
        const auto box = known ? std::optional(layer.field.box(patch.y, patch.x)) : std::nullopt;
        std::string label = labels.of(patch.image);
        row.patches.push_back({std::move(patch), std::move(label), box});
      }
      layer.shown.push_back(std::move(row));
    }
    layers.push_back(std::move(layer));
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
                                  {"receptive_field", field_json(layer.field)},
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
    const std::string seen = field_text(layer.field);
    if (seen == "all") text += ", each sees the whole image";
    if (seen.find_first_of("0123456789") != seen.npos) text += ", a place sees " + seen + " pixels";
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
  // What is there already is not lost.
  std::vector<std::string> parts = wish.parts;
  std::error_code ignored;
  if (std::filesystem::exists(wish.scan.index, ignored)) parts.push_back(wish.scan.index.string());
  PatchIndex whole = PatchIndex::load(parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const PatchIndex part = PatchIndex::load(parts[i]);
    whole.merge(part, parts.front(), parts[i]);
  }
  whole.save(wish.scan.index);
  if (wish.common.json) return print(counts_of(whole));
  std::cout << counts_text(whole) << "written: " << wish.scan.index.string() << '\n';
}

void run(PatchesWish wish) {
  check(wish);
  const LabelFile classes(wish.label_file);
  const Setup setup(wish.common);
  note_preprocess(wish.common);
  check_before_scan(wish, setup, classes);
  const auto index = scanned(wish, setup);
  if (!index) return;
  tell_left_out(*index);
  const std::vector<ToldLayer> layers = told(wish, setup, classes, *index);
  give(wish.common, {as_json(*index, layers), as_text(wish, *index, layers)}, {},
       [&] { return patches_picture(wish, setup, *index, layers); });
}

std::function<void()> set_up(CLI::App& options) {
  const auto wish = std::make_shared<PatchesWish>();
  TopPatches& scan = wish->scan;
  options
      .add_option("--images", wish->images,
                  "the folder: all PNG and JPEG images in it and in the folders below it")
      ->type_name("FOLDER");
  options.add_option("--layer", wish->layers, "layers by name; `pellucid layers` lists them")
      ->delimiter(',')
      ->type_name("NAME[,NAME]");
  options
      .add_option("--channels", wish->channels,
                  "channels, or units of a layer N×K, to show, A to B (left out: the " +
                      std::to_string(most_rows) + " with the largest values; the index has all)")
      ->type_name("A-B");
  options.add_option("--top", wish->top, "patches of each channel (" + std::to_string(scan.top) + ")")
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
                "MASTER_ADDR and, if it is not 29500, MASTER_PORT; the first tells what was found")
      ->group(long_scans);
  options.add_option("--wait", wish->wait, "seconds to wait for the other processes, behind the scan (1800)")
      ->type_name("S")
      ->group(long_scans);
#endif
  add_common(options, wish->common,
             {.input = false, .out = "draw the patches: a row for each channel, the strongest first"});

  CLI::App* const parts = options.add_subcommand("merge", "put the indexes of parts together, instead");
  parts->add_option("indexes", wish->parts, "their files")->required()->type_name("INDEX...");
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
