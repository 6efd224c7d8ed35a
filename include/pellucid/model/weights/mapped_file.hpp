#pragma once
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string_view>

#if __has_include(<sys/mman.h>)
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#else
#include <vector>
#endif

#include <pellucid/core/files.hpp>

namespace pellucid::detail {

/// The bytes of a file, for as long as it lives. They may be written to; the file stays as it is.
///
/// Mapped into memory where the system can do so: only what is looked at is ever read. As with every mapped
/// file, nobody may shorten or overwrite it meanwhile (replacing it by renaming is safe).
/// Throws Error, in the words of `file`, when it cannot be opened or mapped.
class MappedFile {
 public:
#if __has_include(<sys/mman.h>)
  MappedFile(const std::filesystem::path& path, const InputFile& file) {
    const auto check = [&](bool good) {
      if (!good) file.refuse(last_error().message(), fault_of(last_error()));
    };
    errno = 0;
    const Descriptor opened{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    check(opened.number >= 0);
    struct stat status {};
    check(::fstat(opened.number, &status) == 0);
    if (!S_ISREG(status.st_mode)) file.refuse("it is not a regular file");
    size_ = std::size_t(status.st_size);
    if (size_ == 0) return;
    // Private and writable: a tensor may be changed in place, and the page that it changes becomes its own.
    void* start =
        ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, opened.number, 0);
    check(start != MAP_FAILED);
    data_ = static_cast<char*>(start);
  }
  ~MappedFile() {
    if (data_ != nullptr) ::munmap(data_, size_);
  }
#else
  MappedFile(const std::filesystem::path&, InputFile& file) : bytes_(std::size_t(file.size())) {
    file.read(bytes_.data(), bytes_.size());
    data_ = bytes_.data();
    size_ = bytes_.size();
  }
#endif
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  char* data() const {
    return data_;
  }
  std::size_t size() const {
    return size_;
  }

 private:
#if __has_include(<sys/mman.h>)
  struct Descriptor {
    ~Descriptor() {
      if (number >= 0) ::close(number);
    }
    int number;
  };
#else
  std::vector<char> bytes_;
#endif
  char* data_ = nullptr;
  std::size_t size_ = 0;
};

/// The bytes of a file, and what keeps them: what a reader of weights reads. Its tensors point into them.
struct FileBytes {
  std::shared_ptr<const void> owner;
  char* data;
  std::size_t size;

  std::string_view view() const { return {data, size}; }
};

inline FileBytes map_file(const std::filesystem::path& path, InputFile& file) {
  const auto mapped = std::make_shared<const MappedFile>(path, file);
  return {mapped, mapped->data(), mapped->size()};
}

}  // namespace pellucid::detail
