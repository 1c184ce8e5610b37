# The Debian package: cmake --preset package && cmake --build --preset package. Files of a packaged service stand in places of the system, whatever
# the prefix, and so are installed for the package alone.
option(ASND_PACKAGE "install the service's units and settings too, for a package" OFF)

add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/asnd.conf.5
  COMMAND ${CMAKE_COMMAND} -DASND=$<TARGET_FILE:asnd> -DIN=${PROJECT_SOURCE_DIR}/docs/man/asnd.conf.5.in -DOUT=${PROJECT_BINARY_DIR}/asnd.conf.5
          -P ${PROJECT_SOURCE_DIR}/cmake/manual.cmake
  DEPENDS asnd docs/man/asnd.conf.5.in cmake/manual.cmake)
add_custom_target(manual ALL DEPENDS ${PROJECT_BINARY_DIR}/asnd.conf.5)
install(FILES docs/man/asnd.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES ${PROJECT_BINARY_DIR}/asnd.conf.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES packaging/asnd.bash-completion DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME asnd)

if(ASND_PACKAGE)
  install(FILES packaging/asnd.service packaging/asnd.socket DESTINATION /lib/systemd/system)
  install(PROGRAMS packaging/asnd-backup packaging/asnd-restore DESTINATION sbin)
  install(FILES packaging/asnd.conf DESTINATION /etc/asnd PERMISSIONS OWNER_READ OWNER_WRITE)
  set(CPACK_GENERATOR DEB)
  set(CPACK_PACKAGE_NAME asnd)
  set(CPACK_PACKAGE_VENDOR "asnd")
  set(CPACK_PACKAGE_CONTACT "asnd <asnd@localhost>")
  set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "civil servants, their training and their performance")
  set(CPACK_PACKAGE_DESCRIPTION "A daemon that keeps the civil servants (ASN) of a regency with their histories, their training from need to certificate\nand their evaluation by the national rules, and links both to how well citizens are served. It needs a PostgreSQL 15 or newer,\nhere or elsewhere.")
  set(CPACK_SET_DESTDIR ON)
  set(CPACK_INSTALL_PREFIX /usr)
  set(CPACK_STRIP_FILES ON)
  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  set(CPACK_DEBIAN_PACKAGE_SECTION net)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
  set(CPACK_DEBIAN_PACKAGE_DEPENDS "fonts-dejavu-core, passwd")
  set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "postgresql (>= 15), ca-certificates")
  set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${PROJECT_SOURCE_DIR}/packaging/conffiles;${PROJECT_SOURCE_DIR}/packaging/postinst;${PROJECT_SOURCE_DIR}/packaging/prerm;${PROJECT_SOURCE_DIR}/packaging/postrm")
  set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
  set(CPACK_OUTPUT_FILE_PREFIX ${PROJECT_BINARY_DIR})
  include(CPack)
endif()
