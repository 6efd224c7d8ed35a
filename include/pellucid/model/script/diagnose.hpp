#pragma once
#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <pellucid/model/weights/formats.hpp>

namespace pellucid::detail {

/// Says in a sentence why a file is not TorchScript: what it is instead, or what is wrong with it.
inline std::string why_unreadable(const std::filesystem::path& file, const std::exception& error) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return "it cannot be opened; look at its permissions";
  std::string head(4, '\0');
  stream.read(head.data(), 4);
  if (stream.gcount() == 0) return "it is empty";
  if (head != "PK\x03\x04")
    return "it is not a zip archive, as TorchScript files are; write one in Python with "
           "torch.jit.script(model).save(\"model.pt\")";
  stream.clear();
  stream.seekg(0, std::ios::end);
  stream.seekg(std::max<std::streamoff>(stream.tellg() - std::streamoff(archive_end), 0));
  const std::string tail{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  constexpr std::size_t end_record = 22;  // bytes, of which these are the first
  const std::size_t end = tail.rfind("PK\x05\x06");
  if (end == std::string::npos || tail.size() - end < end_record)
    return "its end is missing (the copy or the download was cut short); get the file again";
  if (ends_like_checkpoint(tail))
    return "it is a checkpoint (parameters without a program); write TorchScript in Python with "
           "torch.jit.script(model).save(\"model.pt\")";
  const std::string reason = error.what();
  return "it is damaged (" + reason.substr(0, reason.find('\n')) + "); get the file again";
}

}  // namespace pellucid::detail
