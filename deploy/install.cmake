# What `cmake --install` puts beside the programs.
install(FILES deploy/man/waymarkd.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES deploy/man/waymark-workspace.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES deploy/systemd/waymarkd.service DESTINATION lib/systemd/system)
install(FILES CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY deploy/guide deploy/settings DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY deploy/sample/ DESTINATION ${CMAKE_INSTALL_DATADIR}/waymark/sample)

# waymark.1 comes from the tables of the command itself.
add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/waymark.1
  COMMAND waymark help --man > ${CMAKE_BINARY_DIR}/waymark.1 DEPENDS waymark VERBATIM)
add_custom_target(manual ALL DEPENDS ${CMAKE_BINARY_DIR}/waymark.1)
install(FILES ${CMAKE_BINARY_DIR}/waymark.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
