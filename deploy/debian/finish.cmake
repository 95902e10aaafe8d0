# What Debian wants to be otherwise than `cmake --install` leaves it: manuals are compressed, the change log and the
# licence have names of their own.
set(root ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
set(doc ${root}/usr/share/doc/waymark)
file(REMOVE ${doc}/LICENSE)
file(COPY_FILE ${CMAKE_CURRENT_LIST_DIR}/copyright ${doc}/copyright)
file(RENAME ${doc}/CHANGELOG.md ${doc}/NEWS.md)
string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC) # SOURCE_DATE_EPOCH, if it is set
file(WRITE ${doc}/changelog "waymark (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium

  * What is new stands in NEWS.md.

 -- ${CPACK_PACKAGE_CONTACT}  ${now}
")
file(GLOB_RECURSE pages ${root}/usr/share/man/*.[1-8])
execute_process(COMMAND gzip -9 -n ${doc}/changelog ${pages} COMMAND_ERROR_IS_FATAL ANY)
