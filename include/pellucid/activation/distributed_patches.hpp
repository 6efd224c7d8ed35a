#pragma once
/// Not in pellucid.hpp: it needs Gloo's headers (core/meeting.hpp).
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

#include <pellucid/activation/patch_index.hpp>
#include <pellucid/activation/top_patches.hpp>
#include <pellucid/core/concepts.hpp>
#include <pellucid/core/digest.hpp>
#include <pellucid/core/error.hpp>
#include <pellucid/core/files.hpp>
#include <pellucid/core/meeting.hpp>
#include <pellucid/core/progress.hpp>
#include <pellucid/core/ranks.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/model/weights/mapped_file.hpp>

namespace pellucid {

/// TopPatches in several processes, on one machine or many, which any launcher starts that sets RANK,
/// WORLD_SIZE and MASTER_ADDR:
///
///   const PatchIndex whole = DistributedTopPatches{
///       .scan = {.layers = {"features.7"}, .index = "patches.safetensors"},
///       .ranks = Ranks::from_environment()}(model, "photos");
///
/// All are given the same network, options and images (of which each reads its own only, but for the first).
/// Each scans its shard for itself and saves that part beside the index (`part()`). Only behind its scan it
/// meets the others: rank 0 merges the parts and saves the index, and every rank returns it, has it on its
/// disk, and removes its part. The index is byte for byte that of one process.
///
/// A rank that dies is started again, alone or with all others: it goes on from its part, and whoever is
/// ready waits for it. A rank begins from the index, where that is there: folders may grow, and the number of
/// ranks may change between runs that came to their end; the parts of one that did not are of that number of
/// ranks alone, and may be merged into the index by hand.
struct DistributedTopPatches {
  TopPatches scan{};   ///< what every rank is to do; with an index, and without a shard
  Ranks ranks{};       ///< which of them this is
  double wait = 1800;  ///< seconds that a rank waits for the others, behind its own scan

  void check() const {
    scan.check();
    ranks.check();
    if (scan.index.empty())
      throw Error(
          "DistributedTopPatches: no file was named for the index; name one in scan.index, beside "
          "which each rank saves its part");
    if (scan.shard.of != 1)
      throw Error("DistributedTopPatches: shard " + std::to_string(scan.shard.number) + " of " +
                  std::to_string(scan.shard.of) + " was asked for; the ranks are the shards, leave it out");
    if (!(wait > 0) || wait > 1e9)
      throw Error("DistributedTopPatches: wait is " + std::to_string(wait) +
                  " seconds; give more than 0, and at most 10⁹");
  }

  /// Where this rank saves what it scans.
  std::filesystem::path part() const {
    return scan.index.string() + ".rank-" + std::to_string(ranks.rank) + "-of-" + std::to_string(ranks.of);
  }

  /// Of a folder or a list of files, as TopPatches takes them.
  ///
  /// Throws Error as TopPatches does; where rank 0 cannot be met at its address; where the parts are about
  /// different things (on all ranks); and where the others did not come in time: the part is saved then.
  template <LayeredModel M, class Where, ProgressCallback F = Silent>
  requires requires(const TopPatches& scan, const M& model, const Where& where) { scan(model, where); }
  PatchIndex operator()(const M& model, const Where& where, F&& callback = {}) const {
    check();
    if (ranks.of == 1) return scan(model, where, callback);
    detail::Meeting meeting(ranks);
    const Reporter<std::remove_reference_t<F>> report(callback);
    TopPatches mine = scan;
    mine.index = part();
    mine.begin_from = scan.index;
    mine.shard = {ranks.rank + 1, ranks.of};
    // The meeting is the last thousandth of the work.
    PatchIndex found = mine(model, where, [&callback](const Progress& progress) {
      return callback(Progress{0.999 * progress.fraction, progress.seconds_left});
    });
    const auto hindered = meeting(
        std::chrono::milliseconds(std::int64_t(std::ceil(1000 * wait))), [&] { report(999, 1000); },
        [&](const detail::Conversation& others) {
          ranks.rank == 0 ? lead(found, others) : follow(found, others);
        });
    std::error_code ignored;
    if (hindered) {
      // So it is where this rank was done, and killed and started again before the process had ended.
      const bool complete =
          std::filesystem::exists(scan.index, ignored) && PatchIndex::load(scan.index) == found;
      throw Error(c10::str("rank ", ranks.rank, " of ", ranks.of, " has waited ", wait,
                           " seconds for the others, whom it should meet at ", meeting.place(), ": ",
                           *hindered, ". What it scanned is saved in ", part().string(),
                           complete ? ", and " + scan.index.string() + " has all of it already" : "",
                           ". Start all ranks again, and each goes on from its part; or merge the parts "
                           "(`pellucid patches merge`)"),
                  Fault::failure);
    }
    std::filesystem::remove(part(), ignored);
    report(1, 1);
    return found;
  }

 private:
  static Tensor bytes_of_file(const std::filesystem::path& path) {
    InputFile file(path, "an index of patches, which this process has just written");
    const detail::FileBytes bytes = detail::map_file(path, file);
    return torch::from_blob(
        bytes.data, {std::int64_t(bytes.size)}, [owner = bytes.owner](void*) {}, torch::kByte);
  }
  static std::string_view view(const Tensor& bytes) {
    return {static_cast<const char*>(bytes.data_ptr()), std::size_t(bytes.numel())};
  }

  /// Rank 0. Ends when all have the index, or know why there is none.
  void lead(PatchIndex& whole, const detail::Conversation& others) const {
    std::optional<Error> refused;
    const auto attempt = [&](auto&& work) {
      try {
        if (!refused) work();
      } catch (const Error& error) {
        refused = error;
      }
    };
    for (std::int64_t rank = 1; rank < ranks.of; ++rank) {
      const Tensor bytes = others.receive(rank);
      attempt([&] {
        const std::string name = "the part of rank " + std::to_string(rank);
        const PatchIndex part = PatchIndex::from_bytes(bytes, name);
        whole.merge(part, "the part of rank 0", name);
      });
    }
    attempt([&] { whole.save(scan.index); });
    const std::string outcome =
        refused ? (refused->fault() == Fault::request ? "?" : "!") + std::string(refused->what()) : "";
    for (std::int64_t rank = 1; rank < ranks.of; ++rank) {
      others.send(rank, detail::bytes_tensor(outcome));
      if (!refused) others.send(rank, bytes_of_file(scan.index));
    }
    for (std::int64_t rank = 1; rank < ranks.of; ++rank) others.receive(rank);
    for (std::int64_t rank = 1; rank < ranks.of; ++rank) {
      try {
        others.send(rank, detail::bytes_tensor(""));
      } catch (const std::exception&) {  // it has all that it came for
      }
    }
    if (refused) throw Error(*refused);
  }

  /// The others. None leaves before all have what they came for: who dies finds them still there.
  void follow(PatchIndex& found, const detail::Conversation& others) const {
    others.send(0, bytes_of_file(part()));
    const Tensor outcome = others.receive(0);
    const Tensor whole = outcome.numel() == 0 ? others.receive(0) : Tensor();
    others.send(0, detail::bytes_tensor(""));
    others.receive(0);
    if (!whole.defined())
      throw Error(std::string(view(outcome).substr(1)),
                  view(outcome)[0] == '?' ? Fault::request : Fault::failure);
    found = PatchIndex::from_bytes(whole, "the index of rank 0");
    std::error_code ignored;
    // On a disk that all share it is there.
    if (!std::filesystem::exists(scan.index, ignored) || digest_of_file(scan.index) != digest_of(view(whole)))
      write_atomically(scan.index, view(whole));
  }
};

}  // namespace pellucid
