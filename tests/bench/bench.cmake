# Benches: `tools/bench` builds and runs them; no test depends on a time.
foreach(bench bench_core bench_project bench_consume bench_produce)
  add_executable(${bench} EXCLUDE_FROM_ALL ${CMAKE_CURRENT_SOURCE_DIR}/bench/${bench}.c)
  target_link_libraries(${bench} PRIVATE waymark_codec)
endforeach()
target_link_libraries(bench_consume PRIVATE PkgConfig::RDKAFKA)
target_link_libraries(bench_produce PRIVATE PkgConfig::RDKAFKA)

# The worker's loop on a log in memory and a real Redis.
add_executable(bench_archive EXCLUDE_FROM_ALL bench/bench_archive.c lib/world.c lib/memory_log.c lib/memory_group.c
  lib/memory_door.c)
target_link_libraries(bench_archive PRIVATE waymark_engine)
