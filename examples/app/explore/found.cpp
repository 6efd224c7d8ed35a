#include "explore/found.hpp"

#include <pellucid/image/npy.hpp>
#include <pellucid/image/write.hpp>

#include "base64.hpp"

namespace pellucid::app {

std::size_t Found::bytes() const {
  std::size_t sum = 1024;
  for (const auto& [name, file] : files) sum += file.bytes->size();
  return sum;
}

void Files::picture(Json& answer, const std::string& name, const Picture& picture) {
  const std::string png = encode_png(picture);
  Json& address = answer["pictures"][name];
  if (on_the_way()) {
    address = "data:image/png;base64," + base64(png);
    return;
  }
  files_[name + ".png"] = {"image/png", std::make_shared<std::string>(png)};
  address = "/api/results/" + key_ + "/" + name + ".png";
}

void Files::array(Json& answer, const std::string& name, const Tensor& values) {
  if (on_the_way()) return;
  files_[name + ".npy"] = {"application/octet-stream", std::make_shared<std::string>(encode_npy(values))};
  answer["arrays"][name] = "/api/results/" + key_ + "/" + name + ".npy";
}

}  // namespace pellucid::app
