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
execute_process(COMMAND ${python} ${CMAKE_CURRENT_LIST_DIR}/../tests/reference/make_all.py ${OUT}
                COMMAND_ERROR_IS_FATAL ANY)
