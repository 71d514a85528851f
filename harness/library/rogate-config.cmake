# find_package(rogate): rogate::rogate, and rogate::gtest for GoogleTest.
include(CMakeFindDependencyMacro)
find_dependency(fmt)
find_dependency(nlohmann_json)
find_dependency(LibArchive)
find_dependency(GTest)
include(${CMAKE_CURRENT_LIST_DIR}/rogate-targets.cmake)
