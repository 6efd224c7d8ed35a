# The installed package. The one way in which all of the library is compiled, too.
include(${CMAKE_CURRENT_LIST_DIR}/fresh.cmake)
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${work}/stage)
check_relocatable(${work}/stage)
set(ENV{CMAKE_PREFIX_PATH} ${work}/stage:${PREFIX_PATH})
# Without a build type, and so without NDEBUG, which LibTorch was built with.
configure_project(-D GET=package)
run_project(core whole)
file(REMOVE_RECURSE ${work})
