// Any bytes as a .pth file; or, where the first is odd, the rest as the pickle in a good one, which a
// checksum keeps a fuzzer from finding. Built and run by run.sh.
#include <pellucid/model/weights/pth.hpp>

#include "fuzz/look_at.hpp"
#include "model/pth_bytes.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pellucid;
  const auto read = [](const InputName& name, const pellucid::detail::FileBytes& bytes) {
    return pellucid::detail::read_pth(name, bytes);
  };
  if (size == 0) return 0;
  const std::string rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) {
    test::look_at(read, rest);
  } else {
    const std::string values(96, '\x3F');
    test::look_at(read, test::zip_of({{"a/data.pkl", rest}, {"a/data/0", values}, {"a/data/1", values}}));
  }
  return 0;
}
