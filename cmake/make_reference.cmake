# cmake -D OUT=folder -P make_reference.cmake
# Fills OUT with what PyTorch gives; the tests that compare with it pass over where it is absent.
# Debian's python3, because that is the one that python3-torch belongs to.
set(python /usr/bin/python3)
execute_process(COMMAND ${python} -c "import importlib.util as u; assert u.find_spec('torch') and u.find_spec('torchvision')"
                RESULT_VARIABLE missing ERROR_QUIET)
if(missing)
  message(STATUS "passed over: ${python} has no torch and torchvision (apt install python3-torchvision)")
  return()
endif()

# Where the environment names a folder (from the project's), timm and transformers are installed into it, and
# their networks are part of the reference.
set(other_libraries "$ENV{PELLUCID_OTHER_LIBRARIES}")
if(other_libraries)
  cmake_path(ABSOLUTE_PATH other_libraries BASE_DIRECTORY ${CMAKE_CURRENT_LIST_DIR}/.. NORMALIZE)
  execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/../tests/reference/other_libraries.sh ${other_libraries}
                  RESULT_VARIABLE failed)
  if(failed)
    message(STATUS "other_libraries: passed over, they could not be installed into ${other_libraries}")
  else()
    set(python ${other_libraries}/bin/python)
  endif()
endif()

execute_process(COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/../tests/reference/make_all.py ${OUT}
                COMMAND_ERROR_IS_FATAL ANY)
