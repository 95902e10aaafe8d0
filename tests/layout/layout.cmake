# What the architecture promises about includes, symbols and headers, held by machine.
add_test(NAME layout_includes COMMAND ${CMAKE_SOURCE_DIR}/tests/layout/includes)
add_test(NAME layout_headers COMMAND ${CMAKE_SOURCE_DIR}/tests/layout/headers ${CMAKE_C_COMPILER})
add_test(NAME layout_symbols COMMAND ${CMAKE_SOURCE_DIR}/tests/layout/symbols $<TARGET_FILE:waymark_core>)
set_tests_properties(layout_includes layout_headers layout_symbols PROPERTIES LABELS layout
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} TIMEOUT 120)
if(WAYMARK_SANITIZE OR WAYMARK_FUZZ)
  set_tests_properties(layout_symbols PROPERTIES DISABLED TRUE) # instrumented code calls the sanitizer's runtime
endif()
