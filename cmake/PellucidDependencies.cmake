# What pellucid::core and pellucid::pellucid stand on. Both the build and the installed package find it here.
# Macros, because find_package sets variables (TORCH_LIBRARIES) that the caller reads.

macro(pellucid_find_core)
  find_package(Torch ${ARGN})
  find_package(Random123 ${ARGN})
endmacro()

# What pellucid::pellucid needs beyond that. Sets pellucid_rest_missing to the packages that are not there.
macro(pellucid_find_rest)
  set(pellucid_rest_missing "")
  foreach(package IN ITEMS PNG JPEG stb xtensor nlohmann_json)
    find_package(${package} QUIET)
    if(NOT ${package}_FOUND)
      list(APPEND pellucid_rest_missing ${package})
    endif()
  endforeach()
endmacro()
