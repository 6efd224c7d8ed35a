# What pellucid::core, pellucid::pellucid and pellucid::distributed stand on. Both the build and the installed
# package find it here. Macros, because find_package sets variables (TORCH_LIBRARIES) that the caller reads.
# Random123 and stb have no CMake package of their own, RapidJSON none that all agree on. A package manager's file for one of them names its target as
# it likes, so they are found by the modules beside this file alone.

macro(pellucid_find_core)
  find_package(Torch ${ARGN})
  find_package(Random123 MODULE ${ARGN})
endmacro()

# What pellucid::pellucid needs beyond that. Sets pellucid_rest_missing to the packages that are not there.
macro(pellucid_find_rest)
  set(pellucid_rest_missing "")
  find_package(stb MODULE QUIET)
  find_package(RapidJSON MODULE QUIET)
  foreach(package IN ITEMS PNG JPEG xtensor)
    find_package(${package} QUIET)
  endforeach()
  foreach(package IN ITEMS PNG JPEG stb xtensor RapidJSON)
    if(NOT ${package}_FOUND)
      list(APPEND pellucid_rest_missing ${package})
    endif()
  endforeach()
  list(JOIN pellucid_rest_missing ", " pellucid_rest_missing)
endmacro()

# Makes pellucid::distributed where it can be: a scan in several processes meets over Gloo. LibTorch has it inside
# (and its targets define USE_C10D_GLOO then), but its headers include Gloo's own, which are a package for themselves.
# Only beside LibTorch's own is Gloo known to be of its version; PELLUCID_GLOO may name another folder. Not exported,
# because where those lie is the user's machine's to say.
function(pellucid_add_distributed)
  find_path(PELLUCID_GLOO gloo/algorithm.h PATHS ${TORCH_INCLUDE_DIRS} NO_DEFAULT_PATH
    DOC "The folder of Gloo's headers, of the version that LibTorch was built with")
  mark_as_advanced(PELLUCID_GLOO)
  set(torch_definitions "")
  if(TARGET torch_cpu)
    get_target_property(torch_definitions torch_cpu INTERFACE_COMPILE_DEFINITIONS)
  endif()
  if(PELLUCID_GLOO AND "USE_C10D_GLOO" IN_LIST torch_definitions AND NOT TARGET pellucid::distributed)
    add_library(pellucid::distributed INTERFACE IMPORTED ${ARGN})
    target_include_directories(pellucid::distributed SYSTEM INTERFACE ${PELLUCID_GLOO})
    target_link_libraries(pellucid::distributed INTERFACE pellucid::pellucid)
  endif()
endfunction()
