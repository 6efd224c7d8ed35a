#pragma once
#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <pellucid/core/digest.hpp>
#include <pellucid/core/error.hpp>
#include <pellucid/core/torch.hpp>
#include <pellucid/image/read.hpp>

namespace pellucid {

/// One file of a list: its image, or why there is none.
struct DecodedImage {
  std::size_t number = 0;  ///< of the file in the list
  std::uint64_t size = 0;  ///< its bytes…
  std::string digest{};    ///< …and by what they are known again (`digest_of`)
  Images image{};          ///< 1×3×H×W, fitted; undefined where it could not be read,
  std::string reason{};    ///< for this reason
};

/// Images of a list of files, in its order, decoded by threads that work ahead of the caller.
///
///   DecodeAhead images(files, [&](const Images& image) { return model.fit(image); }, 4, 16);
///   while (const DecodedImage* next = images.next()) …
///
/// At most `ahead` files are decoded and not taken yet, so memory holds that many fitted images, and of each
/// thread the one that it is at. What is wrong with a file (missing, damaged, or `fit` throws) travels with
/// it as its reason. The threads end with the object, each behind the file that it is at.
class DecodeAhead {
 public:
  using Fit = std::function<Images(const Images&)>;
  using PathOf = std::function<std::filesystem::path(std::size_t)>;

  /// threads: 0 for as many as the machine has cores. `fit` is called by all of them; without it images are
  /// as they were read. Throws Error for counts that are none, and where not even one thread can be had.
  DecodeAhead(const std::vector<std::filesystem::path>& files, Fit fit, int threads, std::size_t ahead)
      : DecodeAhead(
            files.size(), [files](std::size_t i) { return files[i]; }, std::move(fit), threads, ahead) {}

  /// path_of(number) gives the path of each of `count` files; it is called by the threads.
  DecodeAhead(std::size_t count, PathOf path_of, Fit fit, int threads, std::size_t ahead)
      : count_(count), path_of_(std::move(path_of)), fit_(std::move(fit)), ahead_(ahead), slots_(ahead + 1) {
    if (threads < 0 || ahead < 1)
      throw Error("decoding ahead: " + std::to_string(threads) + " threads and " + std::to_string(ahead) +
                  " images were given; give 0 threads (one a core) or more, and at least 1 image");
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    const std::size_t wanted = std::min({threads > 0 ? std::size_t(threads) : cores, ahead, count_});
    const int before = at::get_num_threads();
    try {
      while (threads_.size() < wanted) threads_.emplace_back([this](std::stop_token stop) { work(stop); });
    } catch (const std::system_error& error) {
      if (threads_.empty())
        throw Error(std::string("no thread can be had to decode images: ") + error.what(), Fault::failure);
    }
    // Where a thread said that it computes alone, LibTorch took that for the next ones' wish as well.
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return started_ == threads_.size(); });
    if (before > 1) at::set_num_threads(before);
  }

  DecodeAhead(const DecodeAhead&) = delete;
  DecodeAhead& operator=(const DecodeAhead&) = delete;
  /// Ends the threads, all at once.
  ~DecodeAhead() {
    for (std::jthread& thread : threads_) thread.request_stop();
  }

  /// The next file of the list, as soon as it is decoded; nullptr behind the last. It stays until the next
  /// call, when its memory is given to a later one.
  const DecodedImage* next() {
    std::unique_lock lock(mutex_);
    if (given_ == count_) return nullptr;
    Slot& slot = slots_[given_ % slots_.size()];
    changed_.wait(lock, [&] { return slot.decoded; });
    slot.decoded = false;
    ++given_;
    changed_.notify_all();
    return &slot.image;
  }

 private:
  struct Slot {
    DecodedImage image{};
    Images memory{};  ///< of its image, used again and again
    bool decoded = false;
  };

  void work(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    // One image is too little for several threads, and each of these would start as many.
    if (at::get_num_threads() > 1) at::set_num_threads(1);
    ++started_;
    changed_.notify_all();
    while (true) {
      const bool goes_on =
          changed_.wait(lock, stop, [this] { return taken_ == count_ || taken_ < given_ + ahead_; });
      if (!goes_on || stop.stop_requested() || taken_ == count_) return;
      const std::size_t number = taken_++;
      lock.unlock();
      Slot& slot = slots_[number % slots_.size()];
      decode(number, slot);
      lock.lock();
      slot.decoded = true;
      changed_.notify_all();
    }
  }

  // What another thread would free stays with its slot. Holes left between these threads' images by what the
  // caller keeps are seldom filled: memory grew by half of all that was decoded.
  void decode(std::size_t number, Slot& slot) const {
    const torch::NoGradGuard no_grad;
    DecodedImage& result = slot.image;
    result.number = number;
    result.size = 0;
    result.digest.clear();
    result.image.reset();
    result.reason.clear();
    try {
      const std::filesystem::path path = path_of_(number);
      const std::vector<std::uint8_t> bytes = detail::image_bytes(path);
      result.size = bytes.size();
      result.digest = digest_of(bytes);
      const Images image = decode_image(bytes, path.string());
      const Images fitted = fit_ ? fit_(image) : image;
      if (!slot.memory.defined() || slot.memory.sizes() != fitted.sizes())
        slot.memory = torch::empty(fitted.sizes(), fitted.options());
      result.image = slot.memory.copy_(fitted);
    } catch (const c10::Error& error) {
      result.reason = error.what_without_backtrace();
    } catch (const std::exception& error) {
      result.reason = error.what();
    }
  }

  const std::size_t count_;
  const PathOf path_of_;
  const Fit fit_;
  std::mutex mutex_{};
  std::condition_variable_any changed_{};
  const std::size_t ahead_;
  std::vector<Slot> slots_;  ///< one more than `ahead_`: the caller's
  std::size_t taken_ = 0;    ///< files that a thread is or was at
  std::size_t given_ = 0;    ///< files that the caller has
  std::size_t started_ = 0;
  std::vector<std::jthread> threads_{};  ///< last, so that they end before what they use
};

}  // namespace pellucid
