# cmake -D BUILD=… -D SOURCE=… -D GENERATOR=… -D COMPILER=… -D LAUNCHER=… -D PREFIX_PATH=… -P install.cmake
# Installs BUILD, then configures, builds and runs project/ against it in a temporary folder.
# The folder's name is the same each time, so that ccache knows the files again.
string(SHA1 name "${BUILD}")
string(SUBSTRING ${name} 0 12 name)
set(work $ENV{TMPDIR})
if(NOT work)
  set(work /tmp)
endif()
set(work ${work}/pellucid-consume-${name})
file(REMOVE_RECURSE ${work})
file(COPY ${CMAKE_CURRENT_LIST_DIR}/project DESTINATION ${work})

function(run)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${work} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${work}/stage)

file(GLOB_RECURSE installed ${work}/stage/*)
foreach(file IN LISTS installed)
  file(READ ${file} text)
  foreach(path IN ITEMS ${SOURCE} ${BUILD} ${work} /usr/lib /usr/include)
    string(FIND "${text}" "${path}" found)
    if(NOT found EQUAL -1)
      message(FATAL_ERROR "${file} holds a path of the build machine: ${path}")
    endif()
  endforeach()
endforeach()

set(ENV{CMAKE_PREFIX_PATH} ${work}/stage:${PREFIX_PATH})
run(${CMAKE_COMMAND} -S project -B build -G ${GENERATOR} -D CMAKE_BUILD_TYPE=Release
    -D CMAKE_CXX_COMPILER=${COMPILER} -D CMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER})
run(${CMAKE_COMMAND} --build build --parallel 2)
run(${work}/build/core)
run(${work}/build/whole)
file(REMOVE_RECURSE ${work})
