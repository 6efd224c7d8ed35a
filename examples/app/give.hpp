#pragma once
/// The end of a command: its answer, on standard output and in the files that were asked for.

#include <pellucid/core/torch.hpp>
#include <pellucid/image/picture.hpp>

#include <functional>
#include <string>
#include <vector>

#include "json.hpp"
#include "setup.hpp"

namespace pellucid::app {

/// The answer as --json gives it, and as a person reads it.
struct Told {
  Json document{};
  std::string text{};
};

/// Gives the answer on standard output, at once: then a file that cannot be made takes nothing of it away.
/// Writes to --array the rows, one after another (none: it was written already), then to --out what draw()
/// gives, and says, to a person, where they are.
void give(const Common& common, const Told& told, const std::vector<Tensor>& rows,
          const std::function<Picture()>& draw);

}  // namespace pellucid::app
