# What the tests and the examples share: warnings, ccache and one precompiled header. Nothing of it is on the
# library's own targets.

find_program(CCACHE ccache)
mark_as_advanced(CCACHE)
if(CCACHE AND PROJECT_IS_TOP_LEVEL AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # ccache refuses precompiled headers without these.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()

add_library(pellucid_program INTERFACE)
target_link_libraries(pellucid_program INTERFACE pellucid::pellucid)
target_compile_options(pellucid_program INTERFACE
  -Wall -Wextra -Wpedantic
  $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess> $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>)

file(WRITE ${PROJECT_BINARY_DIR}/precompiled.cpp.new "")
file(COPY_FILE ${PROJECT_BINARY_DIR}/precompiled.cpp.new ${PROJECT_BINARY_DIR}/precompiled.cpp ONLY_IF_DIFFERENT)
add_library(pellucid_precompiled OBJECT ${PROJECT_BINARY_DIR}/precompiled.cpp)
target_link_libraries(pellucid_precompiled PRIVATE pellucid_program)
target_precompile_headers(pellucid_precompiled PRIVATE ${PROJECT_SOURCE_DIR}/cmake/precompiled.hpp)

# Makes a target one of the project's own programs.
function(pellucid_program target)
  target_link_libraries(${target} PRIVATE pellucid_program)
  target_precompile_headers(${target} REUSE_FROM pellucid_precompiled)
endfunction()
