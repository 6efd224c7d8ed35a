#include "give.hpp"

#include <pellucid/image/npy.hpp>
#include <pellucid/image/write.hpp>

#include <iostream>

namespace pellucid::app {

void give(const Common& common, const Told& told, const std::vector<Tensor>& rows,
          const std::function<Picture()>& draw) {
  if (common.json) {
    print(told.document);
  } else {
    std::cout << told.text;
  }
  std::cout.flush();
  if (!common.array.empty() && !rows.empty()) write_npy(common.array, torch::cat(rows));
  if (!common.out.empty()) write_png(common.out, draw());
  if (common.json) return;
  for (const std::string& file : {common.out, common.array})
    if (!file.empty()) std::cout << "written: " << file << '\n';
}

}  // namespace pellucid::app
