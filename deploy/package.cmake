# A package for Debian and its relatives: `cpack -G DEB` in the build folder. What it depends on, dpkg-shlibdeps finds out.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME waymark)
set(CPACK_PACKAGE_VENDOR Waymark)
set(WAYMARK_CONTACT "The Waymark authors <maintainers@waymark.dev>" CACHE STRING "who maintains the Debian package")
set(CPACK_PACKAGE_CONTACT "${WAYMARK_CONTACT}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "journey milestones in Kafka become security roles in Redis")
set(CPACK_PACKAGE_DESCRIPTION "Waymark reads the milestones of people's journeys from Kafka and
gives and takes roles by rules in YAML, exactly once. Applications read
the roles of a user from Redis.
.
This package holds the worker waymarkd with its systemd unit, the command
waymark for administrators and operators, schemas, manuals and a sample.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

# The settings are a part of the package alone: `cmake --install` never writes to /etc.
install(FILES deploy/settings/waymark.yaml DESTINATION /etc/waymark COMPONENT settings EXCLUDE_FROM_ALL)
set(CPACK_INSTALL_CMAKE_PROJECTS "${CMAKE_BINARY_DIR};waymark;Unspecified;/;${CMAKE_BINARY_DIR};waymark;settings;/")
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_SOURCE_DIR}/deploy/debian/finish.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS redis-server) # `waymark dev` starts one
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${CMAKE_SOURCE_DIR}/deploy/debian/conffiles
  ${CMAKE_SOURCE_DIR}/deploy/debian/postinst
  ${CMAKE_SOURCE_DIR}/deploy/debian/prerm
  ${CMAKE_SOURCE_DIR}/deploy/debian/postrm)
include(CPack)
