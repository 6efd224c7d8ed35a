#pragma once
/// The parts of a scan for patches: its files, how a model is run for it, and what it takes from a layer.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pellucid/activation/patch_index.hpp>
#include <pellucid/attribution/layer_grid.hpp>
#include <pellucid/core/average.hpp>
#include <pellucid/core/concepts.hpp>
#include <pellucid/core/digest.hpp>
#include <pellucid/core/error.hpp>
#include <pellucid/core/execution.hpp>
#include <pellucid/core/noise.hpp>
#include <pellucid/image/limits.hpp>
#include <pellucid/image/read.hpp>
#include <pellucid/model/digest.hpp>
#include <pellucid/model/preprocess.hpp>
#include <pellucid/model/recording.hpp>
#include <pellucid/model/weights/json.hpp>

namespace pellucid {

/// A part of the images: number `number` of `of` parts, which hold about as many each and together all.
struct Shard {
  std::int64_t number = 1, of = 1;  ///< parts count from 1

  void check() const {
    if (of < 1 || number < 1 || number > of)
      throw Error("shard " + std::to_string(number) + " of " + std::to_string(of) +
                  " was asked for; give 1 of 1, or 1 to N of N");
  }

  /// By the name alone, so that an image that is new in the folder moves no other to another shard.
  bool has(const std::string& name) const {
    if (of == 1) return true;
    return std::int64_t(std::stoull(digest_of(name).substr(0, 15), nullptr, 16) % std::uint64_t(of)) ==
           number - 1;
  }
};

namespace detail {

/// Image files, by the names that an index has them by. Paths are made when they are needed: those of a
/// million files would take more memory than all else.
struct ImageFiles {
  std::filesystem::path folder{};    ///< that the names are relative to; empty: they are paths
  std::vector<std::string> names{};  ///< sorted

  std::filesystem::path path(const std::string& name) const { return folder / name; }
};

/// The images below a folder.
inline ImageFiles image_files(const std::filesystem::path& folder) {
  ImageFiles files{folder, {}};
  each_image_file(folder, [&](const auto& entry) {
    files.names.push_back(entry.path().lexically_relative(folder).generic_string());
  });
  std::sort(files.names.begin(), files.names.end());
  return files;
}

/// These files, by their paths as they were given.
inline ImageFiles image_files(const std::vector<std::filesystem::path>& paths) {
  ImageFiles files;
  for (const std::filesystem::path& path : paths) files.names.push_back(path.generic_string());
  std::sort(files.names.begin(), files.names.end());
  files.names.erase(std::unique(files.names.begin(), files.names.end()), files.names.end());
  return files;
}

/// A reason with the file's name in the place of its path, which is another on another machine.
inline std::string reason_about(const std::string& name, const std::filesystem::path& path,
                                std::string reason) {
  const std::size_t at = reason.find(path.string());
  return at == reason.npos ? reason : reason.replace(at, path.string().size(), name);
}

/// The image as the network sees it.
template <class M>
Images fitted(const M& model, const Images& image) {
  if constexpr (requires { Images(model.fit(image)); }) {
    return model.fit(image);
  } else {
    return image;
  }
}

/// {height, width} that the network sees: those of the first of the files that can be read.
template <class M>
std::vector<std::int64_t> size_seen(const M& model, const ImageFiles& files) {
  std::string reason;
  for (const std::string& name : files.names) {
    try {
      const Images image = fitted(model, read_image(files.path(name)));
      return {image.size(2), image.size(3)};
    } catch (const Error& error) {
      if (reason.empty()) reason = error.what();
    }
  }
  throw Error("patches were asked for, but " + (files.names.empty()
                                                    ? "there is no PNG or JPEG image; give a folder with some"
                                                    : "none of " + std::to_string(files.names.size()) +
                                                          " images can be read. The first: " + reason));
}

/// How images come to the network, as an index tells it: JSON with all of the model's preprocess, and with
/// the size that the network sees.
inline std::string preprocess_text(const Preprocess& preprocess, const std::vector<std::int64_t>& size) {
  constexpr const char* names[] = {"nearest", "bilinear", "bicubic"};
  return "{\"size\":" + json_array(size) + ",\"resize\":" + std::to_string(preprocess.resize) +
         ",\"crop\":" + std::to_string(preprocess.crop) + ",\"interpolation\":\"" +
         names[std::size_t(preprocess.interpolation)] + "\",\"mean\":" + json_array(preprocess.mean) +
         ",\"std\":" + json_array(preprocess.std) + "}";
}

/// The size that an index was made at, by its preprocess; nothing where that does not tell.
inline std::optional<std::vector<std::int64_t>> size_told(const std::string& preprocess) {
  const JsonDocument told(preprocess);
  if (!told.IsObject() || !told.HasMember("size") || !told["size"].IsArray()) return {};
  std::vector<std::int64_t> size;
  for (const auto& side : told["size"].GetArray()) {
    if (!side.IsInt64() || side.GetInt64() < 1 || side.GetInt64() > max_pixels) return {};
    size.push_back(side.GetInt64());
  }
  if (size.size() != 2 || size[0] * size[1] > max_pixels) return {};
  return size;
}

/// What a scan knows of one layer.
struct ScannedLayer {
  std::string name{};
  std::optional<LayerGrid> grid{};  ///< nothing: N×K, each unit with one place
  std::int64_t channels = 0;

  /// Its output as maps N×C×h×w.
  Tensor maps(const Tensor& output) const {
    return grid ? folded(output, *grid) : output.unsqueeze(2).unsqueeze(3);
  }
};

/// How a model is run in a scan. All passes have the same shape, because LibTorch chooses its kernels by it.
struct ScanPlan {
  std::int64_t micro_batch = 1;
  std::vector<std::int64_t> size{};  ///< of the images: height, width
  std::vector<ScannedLayer> layers{};
  std::string execution{};  ///< what the numbers depend on
};

/// The layers' outputs. A pass that needs too much memory is no smaller one, which may give other numbers.
template <LayeredModel M>
std::vector<Tensor> scanned(const M& model, const Images& images, const std::vector<std::string>& layers) {
  try {
    return model.observe(images, layers);
  } catch (const std::exception& error) {
    if (!is_out_of_memory(error)) throw;
    throw Error("not enough memory for a pass with " + std::to_string(images.size(0)) +
                    " images: give the model a smaller Execution::micro_batch, the same for all parts of a "
                    "scan",
                Fault::failure);
  }
}

/// Where the layers have their places, asked in the network's order where it tells one.
template <LayeredModel M>
std::vector<ScannedLayer> scanned_layers(const M& model, const Images& images,
                                         const std::vector<std::string>& names,
                                         const std::vector<Tensor>& outputs) {
  std::vector<ScannedLayer> layers;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string what = names[i].empty() ? "the model" : "layer '" + names[i] + "'";
    layers.push_back({names[i]});
    if (outputs[i].dim() != 2 || outputs[i].size(0) != images.size(0))
      folded(outputs[i], images, {}, what), layers.back().grid = grid_of(outputs[i].sizes(), images.sizes());
  }
  if constexpr (requires { std::vector<LayerInfo>(model.layers(images)); }) {
    GridsInOrder grids(images.sizes());
    for (const LayerInfo& info : model.layers(images)) {
      const bool places = grids.next(info.shape).has_value();
      for (const ScannedLayer& layer : layers)
        if (layer.name == info.name && layer.grid && !places)
          throw Error(c10::str("layer '", info.name, "' gives a tensor of shape ",
                               at::IntArrayRef(info.shape),
                               ", in which nothing lies as the image does (attention between tokens, or its "
                               "heads); name a layer that has places, or one N×K"));
    }
  }
  for (std::size_t i = 0; i < layers.size(); ++i) layers[i].channels = layers[i].maps(outputs[i]).size(1);
  return layers;
}

/// Runs the model once, on noise, and sees how a scan has to run it.
///
/// The micro-batch is the model's, or half, a quarter… of it: the largest in which all rows give the same
/// numbers for the same image. Matrix products (the linear layers in ConvNeXt's blocks) work in blocks of
/// rows, and round a row at the edge of one differently; then an image's numbers would depend on its place
/// among those that it happened to be passed with.
template <LayeredModel M>
ScanPlan scan_plan(const M& model, const std::vector<std::int64_t>& size,
                   const std::vector<std::string>& layers) {
  const Images noise = uniform_noise({1, 3, size[0], size[1]}, {});
  if constexpr (requires { Execution(model.execution()); })
    if (Execution(model.execution()).is_automatic())
      throw Error(
          "a scan's numbers belong to the way in which the model is run, and another run is to go on with "
          "them: give an Execution of which nothing is automatic (model.execution(images) tells what is "
          "fastest here)");
  const SettledExecution how = execution_of(model, noise);
  for (std::int64_t micro_batch = how.micro_batch;; micro_batch /= 2) {
    const Images images = noise.repeat({micro_batch, 1, 1, 1});
    const std::vector<Tensor> outputs = scanned(model, images, layers);
    const bool alike = std::all_of(outputs.begin(), outputs.end(), [&](const Tensor& output) {
      return output.dim() < 1 || output.size(0) != micro_batch ||
             output.equal(output.narrow(0, 0, 1).expand_as(output));
    });
    if (!alike && micro_batch > 1) continue;
    return {micro_batch, size, scanned_layers(model, images, layers, outputs),
            "micro-batch " + std::to_string(micro_batch) + ", " +
                c10::DeviceTypeName(outputs[0].device().type(), /*lower_case=*/true) + ", " +
                c10::toString(how.precision == Precision::bfloat16 ? torch::kBFloat16
                                                                   : outputs[0].scalar_type()) +
                (how.layout == Layout::channels_last ? ", channels last" : "") +
                (how.folded ? ", folded" : "")};
  }
}

/// The strongest place of a channel in an image.
struct StrongestPlace {
  std::int64_t row = 0;  ///< of the image in its batch
  std::int64_t channel = 0;
  float value = 0;
  std::int64_t y = 0, x = 0;  ///< the first of equal ones
};

/// Of maps N×C×h×w, the strongest places of the first `images` rows that reach the threshold of their
/// channel: threshold(channel) → float. Only these are looked at closely, so few numbers leave the device.
/// nan(row) is called where a channel holds NaN.
template <class Threshold, class OnNaN>
std::vector<StrongestPlace> strongest_places(const Tensor& maps, std::int64_t images, Threshold&& threshold,
                                             OnNaN&& nan) {
  const Tensor strongest = maps.narrow(0, 0, images).amax({2, 3}).to(torch::kCPU, torch::kFloat).contiguous();
  const auto values = strongest.accessor<float, 2>();
  std::vector<StrongestPlace> found;
  std::vector<std::int64_t> which;
  for (std::int64_t channel = 0; channel < values.size(1); ++channel) {
    const float least = threshold(channel);
    for (std::int64_t row = 0; row < images; ++row) {
      const float value = values[row][channel];
      if (std::isnan(value)) nan(row);
      if (value < least) continue;
      found.push_back({row, channel, value + 0.0F});  // −0 is 0, whichever of them the kernel took for larger
      which.push_back(row);
      which.push_back(channel);
    }
  }
  if (found.empty()) return found;
  const Tensor pairs = torch::tensor(which, torch::kLong).view({-1, 2}).to(maps.device());
  const Tensor chosen = maps.index({pairs.select(1, 0), pairs.select(1, 1)});  // k×h×w
  const Tensor places = chosen.flatten(1).argmax(1).cpu();
  const auto* place = places.data_ptr<std::int64_t>();
  for (StrongestPlace& one : found) {
    one.y = *place / maps.size(3);
    one.x = *place++ % maps.size(3);
  }
  return found;
}

}  // namespace detail

}  // namespace pellucid
