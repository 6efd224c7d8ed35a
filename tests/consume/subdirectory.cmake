# The sources within another project, on a machine that has no libpng: pellucid::core does without.
include(${CMAKE_CURRENT_LIST_DIR}/fresh.cmake)
copy_sources(${work}/project/pellucid)
configure_project(-D GET=subdirectory -D CMAKE_DISABLE_FIND_PACKAGE_PNG=ON)
run_project(core)
file(REMOVE_RECURSE ${work})
