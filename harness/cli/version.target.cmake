# What version.cpp says of the build; looked at whenever something is built, written when it has changed.
set(version_header ${CMAKE_BINARY_DIR}/version/rogate_version.hpp)
add_custom_target(rogate_version BYPRODUCTS ${version_header}
  COMMAND ${CMAKE_COMMAND} -D SOURCE=${CMAKE_SOURCE_DIR} -D OUT=${version_header} -D VERSION=${PROJECT_VERSION}
          -D "BUILD=${CMAKE_BUILD_TYPE}, ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}, ${CMAKE_SYSTEM_PROCESSOR}"
          -P ${CMAKE_CURRENT_LIST_DIR}/version.cmake
  COMMENT "" VERBATIM)
target_include_directories(rogate PRIVATE ${CMAKE_BINARY_DIR}/version)
add_dependencies(rogate rogate_version)
