// Any bytes as a safetensors file. Built and run by run.sh.
#include <pellucid/model/weights/safetensors.hpp>

#include "fuzz/look_at.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pellucid;
  const auto read = [](const InputName& name, const pellucid::detail::FileBytes& bytes) {
    return pellucid::detail::read_safetensors(name, bytes);
  };
  test::look_at(read, {reinterpret_cast<const char*>(data), size});
  return 0;
}
