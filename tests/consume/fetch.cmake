# An archive of the sources, got by FetchContent.
include(${CMAKE_CURRENT_LIST_DIR}/fresh.cmake)
copy_sources(${work}/pellucid-${VERSION})
run(${CMAKE_COMMAND} -E tar czf pellucid.tar.gz pellucid-${VERSION})
file(REMOVE_RECURSE ${work}/pellucid-${VERSION})
configure_project(-D GET=fetch -D PELLUCID_URL=${work}/pellucid.tar.gz)
run_project(core)
file(REMOVE_RECURSE ${work})
