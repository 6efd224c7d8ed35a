#pragma once
#include <cstdint>
#include <filesystem>

#include "progress_line.hpp"

namespace pellucid::app {

/// Writes pictures of the world of shapes, FOLDER/heart/000012.png, in the place of those that are there. A
/// number always is the same picture. Throws Error where the folder cannot be made.
void draw_shapes(const std::filesystem::path& folder, std::uint64_t first, std::int64_t count,
                 std::int64_t size, ProgressLine& progress);

}  // namespace pellucid::app
