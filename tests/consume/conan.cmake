# The Conan package. The program is that of test_package/.
include(${CMAKE_CURRENT_LIST_DIR}/fresh.cmake)
copy_sources(${work}/pellucid)
file(COPY ${SOURCE}/conanfile.py ${SOURCE}/test_package DESTINATION ${work}/pellucid)
set(ENV{CONAN_HOME} ${work}/home)
run(${CONAN} create pellucid --profile:all pellucid/cmake/conan/debian12.profile)

# The identity of a package that depends on no setting and no option: the SHA-1 of nothing.
string(SHA1 identity "")
execute_process(COMMAND ${CONAN} cache path pellucid/${VERSION}:${identity}
                OUTPUT_VARIABLE folder OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
check_relocatable(${folder})
file(REMOVE_RECURSE ${work})
