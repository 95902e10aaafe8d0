# The command through its outside: exit codes, stdout, stderr.
file(GLOB tool_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/test_*.py)
foreach(source ${tool_tests})
  get_filename_component(name ${source} NAME_WE)
  string(REPLACE test_ tools_ name ${name})
  add_test(NAME ${name} COMMAND /usr/bin/python3 -m pytest -q -p no:cacheprovider ${source})
  set_tests_properties(${name} PROPERTIES LABELS tools TIMEOUT 600
    ENVIRONMENT "WAYMARK_COMMAND=$<TARGET_FILE:waymark>;PYTHONDONTWRITEBYTECODE=1")
endforeach()
