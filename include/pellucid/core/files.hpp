#pragma once
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <pellucid/core/error.hpp>

namespace pellucid {

namespace detail {

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using FileHandle = std::unique_ptr<std::FILE, CloseFile>;

inline FileHandle open_file(const std::filesystem::path& path, bool for_writing) {
#ifdef _WIN32
  return FileHandle(_wfopen(path.c_str(), for_writing ? L"wb" : L"rb"));
#else
  return FileHandle(std::fopen(path.c_str(), for_writing ? "wb" : "rb"));
#endif
}

/// What a person can mend (a wrong path, a missing permission) is a request; a full disk is a failure.
inline Fault fault_of(const std::error_code& code) {
  const bool asked_wrongly = code == std::errc::no_such_file_or_directory ||
                             code == std::errc::not_a_directory || code == std::errc::is_a_directory ||
                             code == std::errc::permission_denied || code == std::errc::filename_too_long ||
                             code == std::errc::read_only_file_system;
  return asked_wrongly ? Fault::request : Fault::failure;
}

inline std::error_code last_error() {
  return errno != 0 ? std::error_code(errno, std::generic_category())
                    : std::make_error_code(std::errc::io_error);
}

}  // namespace detail

/// A file that appears whole or not at all: written beside its place under another name, renamed by
/// `commit()`.
///
/// Left without `commit()` (an exception, say) nothing is left behind, and what was at `path` before stays.
/// A link is followed; a device or a pipe (`/dev/stdout`) is written to directly.
/// Throws Error with the system's reason: no such folder, no permission, disk full.
class AtomicFile {
 public:
  /// Opens a file beside the path. Throws Error without a name, for a folder, and where none can be written.
  explicit AtomicFile(const std::filesystem::path& path) : path_(path), target_(path) {
    namespace fs = std::filesystem;
    std::error_code ignored;
    if (path.empty()) throw Error("cannot write a file without a name; give a path");
    if (fs::is_directory(path, ignored)) {
      throw Error("cannot write " + path.string() + ": it is a folder; give the path of a file");
    }
    const bool direct = fs::exists(path, ignored) && !fs::is_regular_file(path, ignored);
    if (!direct) {
      if (fs::is_symlink(path, ignored)) {
        target_ = fs::weakly_canonical(path, ignored);
        if (target_.empty()) target_ = path;  // a link that leads nowhere is replaced
      }
      const fs::path folder = target_.has_parent_path() ? target_.parent_path() : fs::path(".");
      if (!fs::is_directory(folder, ignored)) {
        throw Error("cannot write " + path.string() + ": there is no folder " + folder.string() +
                    "; make it first");
      }
      temporary_ = folder / unique_name();
    }
    errno = 0;
    file_ = detail::open_file(direct ? path : temporary_, true);
    if (file_ == nullptr) {
      temporary_.clear();
      fail(detail::last_error());
    }
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() { discard(); }

  /// The next bytes. Throws Error when they do not fit on the disk.
  void write(const void* data, std::size_t size) {
    errno = 0;
    if (size != 0 && std::fwrite(data, 1, size, file_.get()) != size) fail(detail::last_error());
  }
  /// The same.
  void write(std::string_view bytes) { write(bytes.data(), bytes.size()); }

  /// Puts the file in its place. Throws Error when the last bytes do not fit on the disk.
  void commit() {
    errno = 0;
    if (std::fclose(file_.release()) != 0) fail(detail::last_error());
    if (temporary_.empty()) return;
    std::error_code code;
    std::filesystem::rename(temporary_, target_, code);
    if (code) fail(code);
    temporary_.clear();
  }

 private:
  static std::string unique_name() {
    std::random_device random;
    std::string name = ".pellucid-";
    for (int i = 0; i < 16; ++i) name += "0123456789abcdef"[random() % 16];
    return name + ".tmp";
  }

  void discard() noexcept {
    file_.reset();
    std::error_code ignored;
    if (!temporary_.empty()) std::filesystem::remove(temporary_, ignored);
    temporary_.clear();
  }

  [[noreturn]] void fail(const std::error_code& code) {
    discard();
    throw Error("cannot write " + path_.string() + ": " + code.message(), detail::fault_of(code));
  }

  std::filesystem::path path_, target_;
  std::filesystem::path temporary_{};  // empty when writing directly, and once the file is in its place
  detail::FileHandle file_{};
};

/// Writes `bytes` to `path`: the whole file or, with an Error that gives the reason, nothing.
inline void write_atomically(const std::filesystem::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

/// What is said of something that is read, wherever its bytes come from: its name, and what a good one would
/// be, which ends the message of every refusal.
class InputName {
 public:
  /// expected: what a good one would be, such as "a PNG or JPEG file".
  InputName(std::filesystem::path path, std::string expected)
      : path_(std::move(path)), expected_(std::move(expected)) {}

  /// Throws Error, which tells the name, the reason and what was expected.
  [[noreturn]] void refuse(const std::string& reason, Fault fault = Fault::request) const {
    throw Error("cannot read " + path_.string() + ": " + reason + "; expected " + expected_, fault);
  }

 protected:
  std::filesystem::path path_;

 private:
  std::string expected_;
};

/// A regular file open for reading, of known size.
///
/// Throws Error when the file is missing, a folder or no regular file, or may not be read.
class InputFile : public InputName {
 public:
  /// Opens the file.
  InputFile(std::filesystem::path path, std::string expected)
      : InputName(std::move(path), std::move(expected)) {
    namespace fs = std::filesystem;
    std::error_code code;
    const fs::file_status status = fs::status(path_, code);
    if (status.type() == fs::file_type::not_found) refuse("there is no such file");
    if (code) refuse(code.message(), detail::fault_of(code));
    if (fs::is_directory(status)) refuse("it is a folder");
    if (!fs::is_regular_file(status)) refuse("it is not a regular file");
    size_ = fs::file_size(path_, code);
    if (code) refuse(code.message(), detail::fault_of(code));
    errno = 0;
    file_ = detail::open_file(path_, false);
    if (file_ == nullptr) refuse(detail::last_error().message(), detail::fault_of(detail::last_error()));
  }

  /// Bytes in the file.
  std::uintmax_t size() const { return size_; }

  /// Reads exactly `size` bytes.
  void read(void* data, std::size_t size) {
    errno = 0;
    if (size == 0 || std::fread(data, 1, size, file_.get()) == size) return;
    if (std::ferror(file_.get()) != 0) refuse(detail::last_error().message(), Fault::failure);
    refuse("it ends early");
  }

 private:
  std::uintmax_t size_ = 0;
  detail::FileHandle file_{};
};

}  // namespace pellucid
