# What `cmake --install` puts beside the programs.
install(FILES deploy/man/waymarkd.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES deploy/man/waymark-workspace.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES deploy/systemd/waymarkd.service DESTINATION lib/systemd/system)
install(FILES CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY deploy/guide deploy/settings DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY deploy/sample/ DESTINATION ${CMAKE_INSTALL_DATADIR}/waymark/sample)
install(DIRECTORY deploy/prometheus deploy/grafana DESTINATION ${CMAKE_INSTALL_DATADIR}/waymark)

# waymark.1 comes from the tables of the command itself.
add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/waymark.1
  COMMAND waymark help --man > ${CMAKE_BINARY_DIR}/waymark.1 DEPENDS waymark VERBATIM)
add_custom_target(manual ALL DEPENDS ${CMAKE_BINARY_DIR}/waymark.1)
install(FILES ${CMAKE_BINARY_DIR}/waymark.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# So does completion.
set(COMPLETION ${CMAKE_BINARY_DIR}/completion)
foreach(shell bash zsh fish)
  add_custom_command(OUTPUT ${COMPLETION}/${shell}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${COMPLETION}
    COMMAND waymark help --completion ${shell} > ${COMPLETION}/${shell} DEPENDS waymark VERBATIM)
  list(APPEND COMPLETION_SCRIPTS ${COMPLETION}/${shell})
endforeach()
add_custom_target(completion ALL DEPENDS ${COMPLETION_SCRIPTS})
install(FILES ${COMPLETION}/bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME waymark)
install(FILES ${COMPLETION}/zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _waymark)
install(FILES ${COMPLETION}/fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d RENAME waymark.fish)
