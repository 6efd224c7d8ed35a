#pragma once
#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <pellucid/core/error.hpp>
#include <pellucid/core/files.hpp>
#include <pellucid/core/torch.hpp>

namespace pellucid {

namespace detail {

static_assert(std::endian::native == std::endian::little, ".npy files are read and written as little-endian");

struct NpyHeader {
  std::string type{};
  bool fortran_order = false;
  std::vector<int64_t> shape{};
};

/// Reads the one Python dictionary that a .npy header may be: {'descr': …, 'fortran_order': …, 'shape': (…)}.
class NpyHeaderParser {
 public:
  NpyHeaderParser(const InputFile& file, std::string_view text) : file_(file), text_(text) {}

  NpyHeader parse() {
    std::optional<std::string> type;
    std::optional<bool> fortran_order;
    std::optional<std::vector<int64_t>> shape;
    expect("{");
    while (!accept("}")) {
      const std::string key = quoted();
      expect(":");
      if (key == "descr" && !type) {
        type = quoted();
      } else if (key == "fortran_order" && !fortran_order) {
        fortran_order = accept("True");
        if (!*fortran_order) expect("False");
      } else if (key == "shape" && !shape) {
        shape = tuple();
      } else {
        damaged();
      }
      if (!accept(",")) {
        expect("}");
        break;
      }
    }
    skip_spaces();
    if (!text_.empty() || !type || !fortran_order || !shape) damaged();
    return {*type, *fortran_order, *shape};
  }

 private:
  [[noreturn]] void damaged() const { file_.refuse("its header is damaged"); }

  void skip_spaces() { text_.remove_prefix(std::min(text_.find_first_not_of(" \t\n"), text_.size())); }

  bool accept(std::string_view word) {
    skip_spaces();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  void expect(std::string_view word) {
    if (!accept(word)) damaged();
  }

  std::string quoted() {
    skip_spaces();
    if (text_.starts_with('[')) file_.refuse("it holds records, not numbers of one type");
    const char quote = text_.starts_with('"') ? '"' : '\'';
    expect(std::string_view(&quote, 1));
    const auto end = text_.find(quote);
    if (end == std::string_view::npos) damaged();
    std::string word(text_.substr(0, end));
    text_.remove_prefix(end + 1);
    return word;
  }

  std::vector<int64_t> tuple() {
    std::vector<int64_t> values;
    expect("(");
    while (!accept(")")) {
      skip_spaces();
      int64_t value = -1;
      const auto [end, code] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
      if (code != std::errc{} || value < 0 || values.size() == 32) damaged();
      text_.remove_prefix(std::size_t(end - text_.data()));
      values.push_back(value);
      if (!accept(",")) {
        if (values.size() == 1) damaged();  // (3) is a number, (3,) a tuple
        expect(")");
        break;
      }
    }
    return values;
  }

  const InputFile& file_;
  std::string_view text_;
};

inline at::ScalarType npy_type(const InputFile& file, const std::string& name) {
  if (name == "<f4") return at::kFloat;
  if (name == "<f8") return at::kDouble;
  if (name == "<f2") return at::kHalf;
  if (name == "|u1") return at::kByte;
  if (name == "<i8") return at::kLong;
  std::string shown = name.substr(0, 20);
  for (char& c : shown) c = c < ' ' || c > '~' ? '?' : c;
  file.refuse("its type is '" + shown + "'" + (name.find('O') != name.npos ? " (Python objects)" : ""));
}

}  // namespace detail

/// Reads an array that NumPy saved (`numpy.save`), as float32 of the same shape, contiguous.
///
/// Format versions 1 to 3, C or Fortran order; float32, float64, float16, uint8, int64, little-endian. What
/// float32 cannot hold exactly is rounded.
/// Throws Error for another type (Python objects are never unpickled), and a missing, truncated or damaged
/// file.
inline Tensor read_npy(const std::filesystem::path& path) {
  InputFile file(path, "a NumPy array (.npy) of float32, float64, float16, uint8 or int64, little-endian");
  unsigned char start[12] = {};
  const std::string_view magic("\x93NUMPY", 6);
  if (file.size() < 10) file.refuse("it is too short to be a NumPy array");
  file.read(start, 10);
  if (std::string_view(reinterpret_cast<const char*>(start), 6) != magic) file.refuse("it is no NumPy array");
  if (start[6] < 1 || start[6] > 3 || start[7] != 0) {
    file.refuse(c10::str("it has format version ", int(start[6]), ".", int(start[7])));
  }
  std::uintmax_t header_size = start[8] + 256u * start[9], offset = 10;
  if (start[6] > 1) {
    file.read(start + 10, 2);
    header_size += 65536u * (start[10] + 256u * start[11]);
    offset = 12;
  }
  if (header_size > 65536 || header_size > file.size() - offset)
    file.refuse("its header is damaged or cut off");
  std::string text(std::size_t(header_size), '\0');
  file.read(text.data(), text.size());
  detail::NpyHeader header = detail::NpyHeaderParser(file, text).parse();

  const at::ScalarType type = detail::npy_type(file, header.type);
  const std::uintmax_t data_size = file.size() - offset - header_size;
  // Zero counts as one here: LibTorch's strides are products of the other sides, and must not overflow
  // either.
  std::uintmax_t volume = 1, elements = 1;
  for (const int64_t side : header.shape) {
    elements *= std::uintmax_t(side);
    if (side > 1 && volume > (std::uintmax_t(1) << 48) / std::uintmax_t(side)) {
      file.refuse("its shape is larger than any file");
    }
    volume *= std::max<std::uintmax_t>(1, std::uintmax_t(side));
  }
  if (elements * c10::elementSize(type) != data_size) {
    file.refuse(c10::str("its shape asks for ", elements * c10::elementSize(type), " bytes of numbers, and ",
                         data_size, " are there: it is cut off or damaged"));
  }
  if (header.fortran_order) std::reverse(header.shape.begin(), header.shape.end());
  Tensor array = at::empty(header.shape, type);
  file.read(array.data_ptr(), std::size_t(data_size));
  if (header.fortran_order) {
    std::vector<int64_t> reversed(header.shape.size());
    for (std::size_t i = 0; i < reversed.size(); ++i) reversed[i] = int64_t(reversed.size() - 1 - i);
    array = array.permute(reversed).contiguous();
  }
  return array.to(at::kFloat);
}

namespace detail {

/// What stands in a .npy file before the numbers of an array: float32, C order, format version 1.0.
inline std::string npy_head(at::IntArrayRef sizes) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (const int64_t side : sizes) header += std::to_string(side) + ", ";
  if (sizes.size() > 1) header.resize(header.size() - 2);
  if (sizes.size() == 1) header.resize(header.size() - 1);
  header += "), }";
  // The numbers start at a multiple of 64, so that they can be mapped into memory as they are.
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string head("\x93NUMPY\x01\x00", 8);
  head += char(header.size() % 256);
  head += char(header.size() / 256);
  return head + header;
}

/// The values as they stand in the file. Throws Error, which begins with `what`, unless they are real
/// numbers.
inline Tensor npy_values(const Tensor& array, const std::string& what) {
  if (!array.defined() || array.is_complex())
    throw Error(what + ": a tensor of real numbers was expected, got " +
                (array.defined() ? "complex ones" : "an undefined tensor"));
  return array.detach().to(at::kCPU, at::kFloat).contiguous();
}

}  // namespace detail

/// The bytes of a .npy file of a tensor of any shape, as `write_npy` writes it. Throws Error for an undefined
/// or complex tensor.
inline std::string encode_npy(const Tensor& array) {
  const Tensor plain = detail::npy_values(array, "cannot make a NumPy array");
  return detail::npy_head(plain.sizes())
      .append(static_cast<const char*>(plain.data_ptr()), std::size_t(plain.nbytes()));
}

/// Writes a tensor of any shape as a NumPy array (`numpy.load`): float32, C order, format version 1.0.
///
/// Throws Error for an undefined or complex tensor, and when the file cannot be written; then none is left
/// behind.
inline void write_npy(const std::filesystem::path& path, const Tensor& array) {
  const Tensor plain = detail::npy_values(array, "cannot write " + path.string());
  AtomicFile file(path);
  file.write(detail::npy_head(plain.sizes()));
  file.write(plain.data_ptr(), plain.nbytes());
  file.commit();
}

}  // namespace pellucid
