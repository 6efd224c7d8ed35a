#pragma once
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <pellucid/activation/patch_index.hpp>
#include <pellucid/activation/patch_scan.hpp>
#include <pellucid/core/concepts.hpp>
#include <pellucid/core/error.hpp>
#include <pellucid/core/progress.hpp>
#include <pellucid/image/decode_ahead.hpp>

namespace pellucid {

/// The places in many images at which the channels of some layers are strongest: for each channel, of each
/// image max over y, x of a, and of the images the `top` with the largest.
///
///   const PatchIndex index = TopPatches({.layers = {"features.7"}, .index = "patches.safetensors"})(
///       model, "photos");
///   index.of("features.7", 42)[0];  // the image and the place that channel 42 looked for
///
/// All layers (N×C×h×w, N×h×w×C, tokens N×T×C; N×K has the one place 0, 0) are seen in one pass, cut behind
/// the last, while threads decode the next images. Memory does not grow with the images but for their list.
///
/// The result is a function of the set of images alone. All passes have one shape: a batch that is not full
/// is filled up with an image that does not count. Parts of the images (`shard`, other folders) give indexes
/// that merge into that of the whole.
///
/// With a file for the index, the scan saves there as it goes, and goes on from what is there (and in
/// `begin_from`, a file that stays as it is): images that the index has are not decoded again. A stop
/// (Cancelled, a failure, kill -9) loses what is not saved yet.
///
/// Files that cannot be read, and of a model that takes images of any size those of another size than the
/// first one's, are left out and listed with the reason (`PatchIndex::skipped`).
///
/// Girshick et al. (2014), "Rich feature hierarchies"; Zeiler & Fergus (2014); Yosinski et al. (2015).
struct TopPatches {
  std::vector<std::string> layers{};   ///< "" for the scores
  std::int64_t top = 9;                ///< places kept of each channel
  std::filesystem::path index{};       ///< the file of the index; empty: none
  std::filesystem::path begin_from{};  ///< the file of another one to go on from, where it is there
  double save_every =
      30;           ///< seconds between two times of saving; saving takes a twentieth of the time at most
  Shard shard{};    ///< which of the images
  int threads = 0;  ///< that decode images; 0: as many as there are cores

  void check() const {
    if (layers.empty()) throw Error("TopPatches: no layer was named; give at least one in layers");
    const std::set<std::string> different(layers.begin(), layers.end());
    if (different.size() != layers.size())
      throw Error("TopPatches: a layer is named twice in " + detail::listed(layers) + "; name each once");
    if (top < 1) throw Error("TopPatches: top is " + std::to_string(top) + "; keep at least 1 place");
    if (!(save_every >= 0))
      throw Error("TopPatches: save_every is " + std::to_string(save_every) + " seconds; give 0 or more");
    if (threads < 0)
      throw Error("TopPatches: threads is " + std::to_string(threads) + "; give 0 (one a core) or more");
    shard.check();
  }

  /// Of all PNG and JPEG images in a folder and its subfolders.
  ///
  /// Throws Error where none of them can be read, for a layer that is not there or has no places, for a layer
  /// with NaN, and where the file of the index is none, is about something else (the part is said), or has
  /// another image by a name that is in the folder.
  template <LayeredModel M, ProgressCallback F = Silent>
  PatchIndex operator()(const M& model, const std::filesystem::path& folder, F&& callback = {}) const {
    check();
    return scan(model, detail::image_files(folder), Reporter<std::remove_reference_t<F>>(callback));
  }

  /// Of these files, which the index knows by their paths as they were given.
  template <LayeredModel M, ProgressCallback F = Silent>
  PatchIndex operator()(const M& model, const std::vector<std::filesystem::path>& files,
                        F&& callback = {}) const {
    check();
    return scan(model, detail::image_files(files), Reporter<std::remove_reference_t<F>>(callback));
  }

 private:
  /// What scans before this one found, with the files.
  using Before = std::vector<std::pair<std::filesystem::path, PatchIndex>>;

  /// The file of the index, if there is one.
  class Store {
   public:
    /// What is in it now is read by the scan.
    explicit Store(std::filesystem::path file) : file_(std::move(file)) {
      if (has_content()) known_ = digest_of_file(file_);
    }

    bool is_there() const { return !file_.empty(); }

    /// Saves what was found. What another process has saved there meanwhile is taken over.
    void save(PatchIndex& found) {
      if (!is_there()) return;
      if (has_content() && digest_of_file(file_) != known_) found.merge(PatchIndex::load(file_));
      found.save(file_);
      known_ = digest_of_file(file_);
    }

   private:
    bool has_content() const {
      std::error_code ignored;
      return is_there() && std::filesystem::exists(file_, ignored);
    }

    std::filesystem::path file_;
    std::string known_{};  ///< digest of what this one read or saved last
  };

  /// Images that go through the model together.
  struct Batch {
    std::vector<ScannedImage> images{};
    Images pixels{};  ///< micro-batch×3×H×W; of these, as many as there are images
    std::set<std::string> digests{};
    std::vector<ScannedImage> same{};  ///< other files of images of this batch
  };

  template <LayeredModel M, class Report>
  PatchIndex scan(const M& model, detail::ImageFiles files, const Report& report) const {
    const torch::NoGradGuard no_grad;
    std::error_code ignored;
    Store store(index);
    Before before;
    for (const std::filesystem::path& file : {index, begin_from})
      if (!file.empty() && std::filesystem::exists(file, ignored))
        before.emplace_back(file, PatchIndex::load(file));
    std::optional<std::vector<std::int64_t>> size;
    if (!before.empty()) size = detail::size_told(before[0].second.about().preprocess);
    if (!size) size = detail::size_seen(model, files);
    const detail::ScanPlan plan = detail::scan_plan(model, *size, layers);
    PatchIndex found = begin(model, plan, std::move(before));

    std::erase_if(files.names, [&](const std::string& name) {
      return !shard.has(name) || is_known(name, files.path(name), found);
    });
    std::vector<std::string> gone;
    for (const auto& [name, reason] : found.skipped())
      if (shard.has(name) && !std::filesystem::exists(files.path(name), ignored)) gone.push_back(name);
    for (const std::string& name : gone) found.forget(name);

    store.save(found);  // a place that cannot be written to is better known now than behind the scan
    try {
      run(model, plan, files, found, store, report);
    } catch (...) {
      try {
        store.save(found);
      } catch (const Error&) {  // what went wrong first tells more
      }
      throw;
    }
    store.save(found);
    report(1, 1);
    return found;
  }

  /// The index with what scans before this one found.
  template <LayeredModel M>
  PatchIndex begin(const M& model, const detail::ScanPlan& plan, Before before) const {
    PatchIndexOf about{.layers = layers,
                       .top = top,
                       .model = model_digest(model),
                       .preprocess = detail::preprocess_text(preprocess_of(model), plan.size),
                       .execution = plan.execution};
    for (const detail::ScannedLayer& layer : plan.layers) about.channels.push_back(layer.channels);
    PatchIndex found(std::move(about));
    for (const auto& [file, known] : before) {
      if (const std::string other = known.about().difference(found.about(), "it", "this scan");
          !other.empty())
        throw Error("the scan cannot go on with " + file.string() + ": " + other +
                    "; give the same network and options, or another file");
      found.merge(known);
    }
    return found;
  }

  /// Whether the index has the file. Throws Error where it has another by that name: its patches cannot be
  /// taken out again, because what they drove out is lost.
  bool is_known(const std::string& name, const std::filesystem::path& path, const PatchIndex& found) const {
    const auto known = found.images().find(name);
    if (!known) return false;
    std::error_code gone;
    const std::uintmax_t size = std::filesystem::file_size(path, gone);
    if (gone || size == known->size) return true;
    throw Error("the image " + detail::shown(name) + " has changed since the index was made: it had " +
                std::to_string(known->size) + " bytes, and has " + std::to_string(size) +
                "; give the file another name, or make a new index");
  }

  /// The image, where it has the size that the others have. Throws Error, which is why it is left out.
  static Images of_size(Images image, const std::vector<std::int64_t>& size) {
    if (image.size(2) == size[0] && image.size(3) == size[1]) return image;
    throw Error(c10::str("it has ", image.size(2), "×", image.size(3),
                         " pixels (height × width), and the scan is one of images with ", size[0], "×",
                         size[1], ": give the model a preprocess that crops, or scan it by itself"));
  }

  template <LayeredModel M, class Report>
  void run(const M& model, const detail::ScanPlan& plan, const detail::ImageFiles& files, PatchIndex& found,
           Store& store, const Report& report) const {
    using Clock = std::chrono::steady_clock;
    using Seconds = std::chrono::duration<double>;
    const std::size_t count = files.names.size();
    const std::size_t decoders =
        threads > 0 ? std::size_t(threads) : std::max(1U, std::thread::hardware_concurrency());
    DecodeAhead images(
        count, [&files](std::size_t i) { return files.path(files.names[i]); },
        [&](const Images& image) { return of_size(detail::fitted(model, image), plan.size); }, int(decoders),
        decoders + 2 * std::size_t(plan.micro_batch));
    Clock::time_point saved = Clock::now();
    Seconds pause(save_every);
    Batch batch;
    batch.pixels = torch::zeros({plan.micro_batch, 3, plan.size[0], plan.size[1]});
    for (std::int64_t done = 1; const DecodedImage* next = images.next(); ++done) {
      take(*next, files.names[next->number], files, batch, found);
      if (std::int64_t(batch.images.size()) == plan.micro_batch) look(model, plan, batch, found);
      if (const Clock::time_point now = Clock::now(); store.is_there() && now - saved >= pause) {
        store.save(found);
        saved = Clock::now();
        // A long list takes its time to save.
        pause = std::max(Seconds(save_every), Seconds(20 * (saved - now)));
      }
      if (done < std::int64_t(count)) report(done, std::int64_t(count));
    }
    if (!batch.images.empty()) look(model, plan, batch, found);
  }

  /// Puts an image into the batch, unless there is a reason to leave it out, or it is known.
  static void take(const DecodedImage& next, const std::string& name, const detail::ImageFiles& files,
                   Batch& batch, PatchIndex& found) {
    if (!next.image.defined())
      return found.skip(name, detail::reason_about(name, files.path(name), next.reason));
    ScannedImage image{name, next.size, next.digest};
    if (found.has_digest(image.digest)) {
      found.add(image);
    } else if (!batch.digests.insert(image.digest).second) {
      batch.same.push_back(std::move(image));
    } else {
      batch.pixels[std::int64_t(batch.images.size())].copy_(next.image[0]);
      batch.images.push_back(std::move(image));
    }
  }

  /// Passes the batch through the model, and empties it. Either all that was found of it is in the index, or
  /// nothing.
  template <LayeredModel M>
  static void look(const M& model, const detail::ScanPlan& plan, Batch& batch, PatchIndex& found) {
    const auto images = std::int64_t(batch.images.size());
    for (std::int64_t row = images; row < plan.micro_batch; ++row)
      batch.pixels[row].copy_(batch.pixels[images - 1]);
    std::vector<std::string> names;
    for (const detail::ScannedLayer& layer : plan.layers) names.push_back(layer.name);
    const std::vector<Tensor> outputs = detail::scanned(model, batch.pixels, names);
    std::vector<std::vector<detail::StrongestPlace>> places;
    for (std::size_t i = 0; i < plan.layers.size(); ++i) {
      places.push_back(detail::strongest_places(
          plan.layers[i].maps(outputs[i]), images,
          [&](std::int64_t channel) { return found.threshold(i, channel); },
          [&](std::int64_t row) {
            detail::refuse_not_finite("layer '" + names[i] + "' gives NaN for the image " +
                                          detail::shown(batch.images[std::size_t(row)].name),
                                      "; move the image away if it is the only one");
          }));
    }
    for (std::size_t i = 0; i < places.size(); ++i)
      for (const detail::StrongestPlace& place : places[i])
        found.offer(i, place.channel, place.value, batch.images[std::size_t(place.row)].digest, place.y,
                    place.x);
    for (const ScannedImage& image : batch.images) found.add(image);
    for (const ScannedImage& image : batch.same) found.add(image);
    batch.images.clear(), batch.digests.clear(), batch.same.clear();
  }
};

}  // namespace pellucid
