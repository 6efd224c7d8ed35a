#include "explore/collection.hpp"

#include <pellucid/image/read.hpp>
#include <pellucid/image/resize.hpp>
#include <pellucid/image/write.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>
#include <utility>

#include "explore/http.hpp"

namespace pellucid::app {

namespace {

constexpr std::int64_t thumbnail_side = 144;
constexpr std::size_t most_thumbnails = 2048;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return char(std::tolower(c)); });
  return text;
}

/// Letters that a name in a listing may have; a browser's may be anything.
std::string plain_name(const std::string& name) {
  std::string plain = std::filesystem::path(name).filename().string();
  std::erase_if(plain, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  return plain.empty() ? "image" : plain.substr(0, 120);
}

}  // namespace

Collection::Collection(std::filesystem::path folder, UploadLimits limits)
    : folder_(std::move(folder)), limits_(limits) {
  const auto found = list_images(folder_);
  if (found.empty())
    throw Error("--images " + folder_.string() +
                ": the folder holds no file whose name ends in .png, .jpg or .jpeg");
  for (const auto& file : found) {
    const std::filesystem::path below = file.lexically_relative(folder_);
    Listed listed{"f" + std::to_string(files_.size()), below.string(),
                  below.parent_path().filename().string()};
    id_of_.emplace(listed.name, listed.id);
    files_.push_back(std::move(listed));
  }
}

Images Collection::first() const {
  std::string why_not;
  for (const Listed& one : files_) {
    try {
      return read(one.id);
    } catch (const Error& error) {
      if (why_not.empty()) why_not = error.what();
    }
  }
  throw Error("--images " + folder_.string() + ": none of its " + std::to_string(files_.size()) +
              " images can be read; of the first: " + why_not);
}

std::vector<std::string> Collection::labels() const {
  std::set<std::string> all;
  for (const Listed& one : files_)
    if (!one.label.empty()) all.insert(one.label);
  return {all.begin(), all.end()};
}

std::vector<Listed> Collection::list(const std::string& text, const std::string& label, std::size_t from,
                                     std::size_t count, std::size_t& total) const {
  const std::string wanted = lower(text);
  std::vector<Listed> page;
  total = 0;
  const auto look = [&](const Listed& one) {
    if (!label.empty() && one.label != label) return;
    if (!wanted.empty() && lower(one.name).find(wanted) == std::string::npos) return;
    if (total++ >= from && page.size() < count) page.push_back(one);
  };
  {
    const std::lock_guard lock(mutex_);
    for (auto held = held_.rbegin(); held != held_.rend(); ++held)
      if (held->second->listed.id.starts_with("u")) look(held->second->listed);
  }
  for (const Listed& one : files_) look(one);
  return page;
}

std::optional<std::size_t> Collection::file(const std::string& id) const {
  if (id.size() < 2 || id[0] != 'f') return std::nullopt;
  std::size_t number = 0;
  const auto [end, code] = std::from_chars(id.data() + 1, id.data() + id.size(), number);
  if (code != std::errc{} || end != id.data() + id.size() || number >= files_.size()) return std::nullopt;
  return files_[number].id == id ? std::optional(number) : std::nullopt;
}

std::shared_ptr<const Collection::Held> Collection::find(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [size, held] : held_)
    if (held->listed.id == id) return held;
  throw Refused(404,
                "there is no image '" + id.substr(0, 40) +
                    "' (any more: of what is uploaded or attacked only the latest are kept); choose another");
}

Listed Collection::listed(const std::string& id) const {
  if (const auto number = file(id)) return files_[*number];
  return find(id)->listed;
}

Images Collection::read(const std::string& id) const {
  if (const auto number = file(id)) return read_image(folder_ / files_[*number].name);
  const auto held = find(id);
  if (held->image.defined()) return held->image;
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(held->bytes.data());
  return decode_image({bytes, held->bytes.size()}, held->listed.name, limits_.pixels);
}

std::string Collection::path(const std::string& id) const {
  const Listed one = listed(id);
  return file(id) ? (folder_ / one.name).string() : one.name;
}

std::shared_ptr<const std::string> Collection::thumbnail(const std::string& id) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = thumbnails_.find(id); known != thumbnails_.end()) return known->second;
  }
  const torch::NoGradGuard no_grad;
  Images image = read(id);
  if (std::min(image.size(2), image.size(3)) > thumbnail_side) {
    const auto [height, width] = short_side_size(image, thumbnail_side);
    image = resize(image, height, width);
  }
  if (image.size(2) != image.size(3)) image = center_crop(image, std::min(image.size(2), image.size(3)));
  auto png = std::make_shared<const std::string>(encode_png(to_picture(image)));
  const std::lock_guard lock(mutex_);
  if (thumbnails_.size() >= most_thumbnails) thumbnails_.clear();
  return thumbnails_[id] = std::move(png);
}

void Collection::keep(Held held, std::size_t size) {
  std::erase_if(held_, [&](const auto& one) {
    if (one.second->listed.id != held.listed.id) return false;
    held_bytes_ -= one.first;
    return true;
  });
  thumbnails_.erase(held.listed.id);
  held_.emplace_back(size, std::make_shared<const Held>(std::move(held)));
  held_bytes_ += size;
  while (held_bytes_ > limits_.kept && held_.size() > 1) {
    held_bytes_ -= held_.front().first;
    thumbnails_.erase(held_.front().second->listed.id);
    held_.pop_front();
  }
}

Listed Collection::upload(const std::string& name, std::string bytes) {
  if (bytes.size() > limits_.bytes)
    throw Refused(413, "the file has " + std::to_string(bytes.size() >> 20) + " MB; " +
                           std::to_string(limits_.bytes >> 20) + " MB are possible");
  const std::string plain = plain_name(name);
  const auto* const data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  decode_image({data, bytes.size()}, plain, limits_.pixels);  // refused now, not when it is asked about
  const std::lock_guard lock(mutex_);
  Held held{.listed = {"u" + std::to_string(++uploads_), plain, ""}, .bytes = std::move(bytes)};
  const Listed listed = held.listed;
  const std::size_t size = held.bytes.size();
  keep(std::move(held), size);
  return listed;
}

void Collection::put_attacked(const std::string& id, const std::string& name, const Images& image) {
  const Images own = image.detach().to(torch::kCPU).contiguous().clone();
  const std::lock_guard lock(mutex_);
  keep({.listed = {id, name, ""}, .image = own}, std::size_t(own.nbytes()));
}

std::optional<std::string> Collection::id_of_file(const std::string& name) const {
  const auto found = id_of_.find(name);
  return found == id_of_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace pellucid::app
