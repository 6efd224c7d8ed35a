include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/pellucid)
install(TARGETS pellucid_core pellucid_pellucid EXPORT pellucid FILE_SET HEADERS)
install(EXPORT pellucid NAMESPACE pellucid:: FILE pellucid-targets.cmake DESTINATION ${package_dir})

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/pellucid-config.cmake.in
                              ${PROJECT_BINARY_DIR}/pellucid-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/pellucid-config-version.cmake
                                 COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/pellucid-config.cmake ${PROJECT_BINARY_DIR}/pellucid-config-version.cmake
              cmake/PellucidDependencies.cmake cmake/FindRandom123.cmake cmake/Findstb.cmake cmake/FindRapidJSON.cmake
        DESTINATION ${package_dir})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/pellucid)
