# What the architecture promises about includes, symbols and headers, held by machine.
function(waymark_layout_test name)
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS layout WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} TIMEOUT 600)
endfunction()

waymark_layout_test(layout_includes ${CMAKE_SOURCE_DIR}/tests/layout/includes)
waymark_layout_test(layout_headers ${CMAKE_SOURCE_DIR}/tests/layout/headers ${CMAKE_C_COMPILER})
waymark_layout_test(layout_codes ${CMAKE_SOURCE_DIR}/tests/layout/codes)
if(NOT WAYMARK_SANITIZE AND NOT WAYMARK_FUZZ) # instrumented code calls the sanitizer's runtime
  waymark_layout_test(layout_symbols ${CMAKE_SOURCE_DIR}/tests/layout/symbols $<TARGET_FILE:waymark_core>)
endif()
