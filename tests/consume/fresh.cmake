# For the scripts beside it, which ctest starts with BUILD, SOURCE, VERSION, GENERATOR, COMPILER, LAUNCHER and
# PREFIX_PATH. Makes ${work}, a folder in the build tree that holds project/ and nothing else. Its name is the same
# each time, so that ccache knows the files again.
cmake_path(GET CMAKE_SCRIPT_MODE_FILE STEM way)
set(work ${BUILD}/consume/${way})
file(REMOVE_RECURSE ${work})
file(COPY ${CMAKE_CURRENT_LIST_DIR}/project DESTINATION ${work})

set(ENV{CMAKE_PREFIX_PATH} ${PREFIX_PATH})
set(ENV{CMAKE_CXX_COMPILER_LAUNCHER} ${LAUNCHER})

function(run)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${work} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# What a package of the sources has.
function(copy_sources folder)
  file(COPY ${SOURCE}/include ${SOURCE}/cmake ${SOURCE}/CMakeLists.txt ${SOURCE}/LICENSE DESTINATION ${folder})
endfunction()

# Configures project/ to get the library in the way that the options say.
function(configure_project)
  run(${CMAKE_COMMAND} -S project -B build -G ${GENERATOR} -D CMAKE_CXX_COMPILER=${COMPILER} ${ARGN})
endfunction()

# Builds and runs these programs of project/.
function(run_project)
  run(${CMAKE_COMMAND} --build build --target ${ARGN})
  foreach(program IN LISTS ARGN)
    run(${work}/build/${program})
  endforeach()
endfunction()

# Is any file of the folder tied to this machine?
function(check_relocatable folder)
  file(GLOB_RECURSE files ${folder}/*)
  if(NOT files)
    message(FATAL_ERROR "${folder} holds no file")
  endif()
  foreach(file IN LISTS files)
    file(READ ${file} text)
    foreach(path IN ITEMS ${SOURCE} ${BUILD} /usr/lib /usr/include libc10)
      string(FIND "${text}" "${path}" found)
      if(NOT found EQUAL -1)
        message(FATAL_ERROR "${file} holds a path of the build machine: ${path}")
      endif()
    endforeach()
  endforeach()
endfunction()
