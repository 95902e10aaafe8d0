# The loop on in-memory doors: named rules, and runs at random by seed.
if(WAYMARK_TESTS AND NOT WAYMARK_SANITIZE MATCHES "thread") # it does not know these coroutines
  add_library(waymark_doubles STATIC
    lib/fiber.c lib/world.c lib/memory_log.c lib/memory_group.c lib/memory_door.c lib/memory_cache.c
    simulation/sample.c simulation/judge.c simulation/told.c simulation/simulate.c)
  target_link_libraries(waymark_doubles PUBLIC waymark_engine)

  add_executable(simulation_seeds simulation/seeds.c)
  target_link_libraries(simulation_seeds PRIVATE waymark_doubles)

  # A sanitizer makes it ten times as slow. What a killed process held on its stack is lost on purpose.
  set(seeds 5000)
  if(WAYMARK_SANITIZE)
    set(seeds 500)
  endif()
  add_test(NAME simulation_seeds COMMAND simulation_seeds --count ${seeds})
  set_tests_properties(simulation_seeds PROPERTIES LABELS simulation TIMEOUT 600
    ENVIRONMENT "ASAN_OPTIONS=detect_leaks=0")

  add_executable(simulation_rules simulation/quiet.c simulation/rules_faults.c simulation/rules_owner.c
    simulation/rules_time.c simulation/rules_batch.c simulation/rules_control.c simulation/rules_delegation.c
    simulation/rules_rebuild.c simulation/rules_metrics.c simulation/rules_drift.c simulation/rules_doors.c)
  target_link_libraries(simulation_rules PRIVATE waymark_doubles waymark_test_flags PkgConfig::CRITERION)
  add_test(NAME simulation_rules COMMAND simulation_rules --short-filename)
  set_tests_properties(simulation_rules PROPERTIES LABELS simulation TIMEOUT 600
    ENVIRONMENT "ASAN_OPTIONS=detect_leaks=0")
endif()
