# stb, headers only: the target stb::stb. Debian keeps them in a folder stb/, others do not;
# `#include <stb_image_write.h>` works with both.
include(FindPackageHandleStandardArgs)
find_path(stb_INCLUDE_DIR stb_image_write.h PATH_SUFFIXES stb)
mark_as_advanced(stb_INCLUDE_DIR)
find_package_handle_standard_args(stb REQUIRED_VARS stb_INCLUDE_DIR)
if(stb_FOUND AND NOT TARGET stb::stb)
  add_library(stb::stb INTERFACE IMPORTED)
  target_include_directories(stb::stb SYSTEM INTERFACE ${stb_INCLUDE_DIR})
endif()
