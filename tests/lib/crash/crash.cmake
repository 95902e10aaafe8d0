# A library to preload, for tests/integration/test_named_crashes.py. Without the flags of the product: no sanitizer.
if(WAYMARK_TESTS)
  add_library(crash_at MODULE lib/crash/crash_at.c)
  set_target_properties(crash_at PROPERTIES PREFIX "")
  target_compile_definitions(crash_at PRIVATE _GNU_SOURCE)
  target_compile_options(crash_at PRIVATE -Wall -Wextra -Wshadow -Wconversion -Werror)
  target_include_directories(crash_at PRIVATE ${RDKAFKA_INCLUDE_DIRS} ${HIREDIS_INCLUDE_DIRS})
  target_link_libraries(crash_at PRIVATE ${CMAKE_DL_LIBS})
endif()
