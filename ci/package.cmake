# Installing, and packages made of what is installed: cmake --install build/release; cpack --config build/release/CPackConfig.cmake.
include(GNUInstallDirs)

# Manual pages and completions are what the program itself says of its options.
set(man ${CMAKE_BINARY_DIR}/man)
set(completions ${CMAKE_BINARY_DIR}/completions)
add_custom_command(OUTPUT ${man}/rogate.1 ${completions}/bash ${completions}/zsh ${completions}/fish
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${man} ${completions}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${completions}
  COMMAND rogate help --man-pages ${man}
  COMMAND rogate completion bash > ${completions}/bash
  COMMAND rogate completion zsh > ${completions}/zsh
  COMMAND rogate completion fish > ${completions}/fish
  DEPENDS rogate VERBATIM COMMENT "Writing manual pages and completions")
add_custom_target(rogate_pages ALL DEPENDS ${man}/rogate.1)

install(TARGETS rogate RUNTIME)
install(DIRECTORY ${man}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 FILES_MATCHING PATTERN "*.1")
install(FILES ${completions}/bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME rogate)
install(FILES ${completions}/zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _rogate)
install(FILES ${completions}/fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d RENAME rogate.fish)
install(FILES README.md CHANGELOG.md SECURITY.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
file(GLOB schemas CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/scenarios/*.schema.json)
install(FILES ${schemas} DESTINATION ${CMAKE_INSTALL_DATADIR}/rogate/schemas)
# `docker rogate`: docker's clients look below /usr/libexec (and /usr/local/libexec) whatever the distribution's own folder is.
install(CODE "
  set(plugins \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/libexec/docker/cli-plugins\")
  file(MAKE_DIRECTORY \"\${plugins}\")
  file(CREATE_LINK ../../../${CMAKE_INSTALL_BINDIR}/rogate \"\${plugins}/docker-rogate\" SYMBOLIC)")

# The library is for who asks for it: cmake --install build/release --component development.
set(library_targets rogate_api rogate_base rogate_report rogate_report_page_bytes rogate_library rogate_gtest)
set_target_properties(rogate_library PROPERTIES EXPORT_NAME rogate)
set_target_properties(rogate_gtest PROPERTIES EXPORT_NAME gtest)
add_library(rogate::rogate ALIAS rogate_library)
add_library(rogate::gtest ALIAS rogate_gtest)
install(TARGETS ${library_targets} EXPORT rogate ARCHIVE COMPONENT development EXCLUDE_FROM_ALL)
install(DIRECTORY include/rogate TYPE INCLUDE COMPONENT development EXCLUDE_FROM_ALL)
set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/rogate)
install(EXPORT rogate NAMESPACE rogate:: DESTINATION ${config_folder} FILE rogate-targets.cmake
        COMPONENT development EXCLUDE_FROM_ALL)
include(CMakePackageConfigHelpers)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/rogate-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_SOURCE_DIR}/harness/library/rogate-config.cmake ${CMAKE_BINARY_DIR}/rogate-config-version.cmake
        DESTINATION ${config_folder} COMPONENT development EXCLUDE_FROM_ALL)

set(CPACK_PACKAGE_NAME rogate)
set(CPACK_PACKAGE_VENDOR "the authors of rogate")
set(CPACK_PACKAGE_CONTACT "the authors of rogate <rogate@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "ask an application which of its mounts it has to write")
set(CPACK_PACKAGE_DESCRIPTION "rogate starts an application through the Docker Engine API with its mounts
read-only, drives it through a scenario, and watches every write. It answers for
each mount: can it be read-only, what is the evidence, what is the smallest change.")
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_GENERATOR DEB TGZ)
find_program(RPMBUILD rpmbuild)
if(RPMBUILD)
  list(APPEND CPACK_GENERATOR RPM)
endif()
if(CMAKE_SYSTEM_PROCESSOR STREQUAL aarch64)
  set(architecture arm64)
  set(CPACK_RPM_PACKAGE_ARCHITECTURE aarch64)
else()
  set(architecture amd64)
  set(CPACK_RPM_PACKAGE_ARCHITECTURE x86_64)
endif()
set(CPACK_PACKAGE_FILE_NAME rogate-${PROJECT_VERSION}-linux-${architecture})
set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE ${architecture})
# rpm's own steps after the installation know programs of this machine alone; CPack has stripped it.
set(CPACK_RPM_SPEC_MORE_DEFINE "%define __os_install_post %{nil}
%define _build_id_links none")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
if(NOT ROGATE_STATIC)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
endif()
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "openssh-client")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "docker.io")
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_LICENSE "Apache-2.0")
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION /usr/libexec/docker /usr/libexec/docker/cli-plugins
  /usr/share/zsh /usr/share/zsh/vendor-completions /usr/share/fish /usr/share/fish/vendor_completions.d
  /usr/share/bash-completion /usr/share/bash-completion/completions /usr/share/man /usr/share/man/man1)
include(CPack)
