# libFuzzer on what reads bytes of strangers (cmake --preset fuzz; ctest -L fuzz). Each target runs for
# WAYMARK_FUZZ_SECONDS from the seeds in corpus/<what>; what it finds on the way stays in the build directory.
if(WAYMARK_FUZZ)
  set(WAYMARK_FUZZ_SECONDS 10 CACHE STRING "how long ctest runs each fuzz target")
  foreach(what event register yaml control)
    set(found ${CMAKE_CURRENT_BINARY_DIR}/fuzz/${what})
    file(MAKE_DIRECTORY ${found})
    add_executable(fuzz_${what} fuzz/fuzz_${what}.c)
    target_link_libraries(fuzz_${what} PRIVATE waymark_codec)
    target_link_options(fuzz_${what} PRIVATE -fsanitize=fuzzer)
    add_test(NAME fuzz_${what}
      COMMAND fuzz_${what} -max_total_time=${WAYMARK_FUZZ_SECONDS} -timeout=10 -rss_limit_mb=1024 -print_final_stats=1
              -artifact_prefix=${found}/crash- ${found} ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${what})
    math(EXPR limit "${WAYMARK_FUZZ_SECONDS} + 240")
    set_tests_properties(fuzz_${what} PROPERTIES LABELS fuzz TIMEOUT ${limit})
  endforeach()
endif()
