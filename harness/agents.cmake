# The programs that rogate sends to an engine: static, without a C library of the engine's host, and for each architecture that an
# engine can have. rogate carries the bytes of all of them, so that it is one file; those of another architecture need that one's
# cross compiler, and without it their place is empty.

set(ROGATE_ARCHITECTURES amd64 arm64)
set(ROGATE_MACHINE_amd64 x86_64)
set(ROGATE_MACHINE_arm64 aarch64)
foreach(arch ${ROGATE_ARCHITECTURES})
  if(CMAKE_SYSTEM_PROCESSOR STREQUAL "${ROGATE_MACHINE_${arch}}")
    set(ROGATE_OWN_ARCHITECTURE ${arch})
  endif()
endforeach()
if(NOT ROGATE_OWN_ARCHITECTURE)
  message(FATAL_ERROR "rogate's observers know x86-64 and arm64, and not ${CMAKE_SYSTEM_PROCESSOR}")
endif()

# Debian's compilers, and the static libraries of the architecture (ci/sysroot.sh fetches those of the other one).
foreach(arch ${ROGATE_ARCHITECTURES})
  set(triple ${ROGATE_MACHINE_${arch}}-linux-gnu)
  find_program(ROGATE_CC_${arch} ${triple}-gcc)
  find_path(ROGATE_LIBRARIES_${arch} libbpf.a
            PATHS /usr/lib/${triple} ${CMAKE_SOURCE_DIR}/build/sysroot/${arch}/usr/lib/${triple} NO_DEFAULT_PATH)
  if(NOT arch STREQUAL ROGATE_OWN_ARCHITECTURE AND NOT (ROGATE_CC_${arch} AND ROGATE_LIBRARIES_${arch}))
    message(STATUS "rogate will drive no engine on ${arch}: ${triple}-gcc or what `ci/sysroot.sh ${arch}` fetches is missing")
  endif()
endforeach()

# rogate_cross_program(name arch SOURCES … [OPTIONS …] [LINK …] [LIBRARIES …] [MADE …]): a static C program of another architecture
# as the target name-for-arch; its path is left in `program`. An empty file, if there is no compiler.
function(rogate_cross_program name arch)
  cmake_parse_arguments(PROGRAM "" "MADE" "SOURCES;OPTIONS;LINK;LIBRARIES" ${ARGN})
  set(program ${CMAKE_CURRENT_BINARY_DIR}/${name}-${arch})
  if(ROGATE_CC_${arch} AND ROGATE_LIBRARIES_${arch})
    list(TRANSFORM PROGRAM_SOURCES PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE sources)
    list(TRANSFORM PROGRAM_LIBRARIES REPLACE "(.+)" "${ROGATE_LIBRARIES_${arch}}/lib\\1.a" OUTPUT_VARIABLE libraries)
    set(headers)
    if(PROGRAM_MADE)
      get_filename_component(headers ${PROGRAM_MADE} DIRECTORY)
      set(headers -isystem${headers})
    endif()
    file(GLOB_RECURSE included CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/harness/observe/*.h)
    add_custom_command(
      OUTPUT ${program}
      COMMAND ${ROGATE_CC_${arch}} ${PROGRAM_OPTIONS} ${headers} ${sources} ${PROGRAM_LINK} -o ${program} ${libraries}
      DEPENDS ${sources} ${included} ${PROGRAM_MADE}
      VERBATIM)
  else()
    add_custom_command(OUTPUT ${program} COMMAND ${CMAKE_COMMAND} -E touch ${program} VERBATIM)
  endif()
  add_custom_target(${name}-for-${arch} DEPENDS ${program})
  set(program ${program} PARENT_SCOPE)
endfunction()

# rogate_agent_program(name room SOURCES … [OPTIONS …] [LINK …] [LIBRARIES …] [MADE_amd64 …] [MADE_arm64 …])
# The target `name` is the program of this architecture. MADE_… are generated headers, whose folder is searched.
function(rogate_agent_program name room)
  cmake_parse_arguments(AGENT "" "MADE_amd64;MADE_arm64" "SOURCES;OPTIONS;LINK;LIBRARIES" ${ARGN})
  list(APPEND AGENT_OPTIONS -std=gnu11 -Wall -Wextra -Werror -fno-sanitize=all)
  list(APPEND AGENT_LINK -static -s -fno-sanitize=all)
  string(REPLACE - _ symbol ${name})
  foreach(arch ${ROGATE_ARCHITECTURES})
    if(arch STREQUAL ROGATE_OWN_ARCHITECTURE)
      add_executable(${name} ${AGENT_SOURCES} ${AGENT_MADE_${arch}})
      if(AGENT_MADE_${arch})
        get_filename_component(headers ${AGENT_MADE_${arch}} DIRECTORY)
        target_include_directories(${name} SYSTEM PRIVATE ${headers})
      endif()
      target_compile_options(${name} PRIVATE ${AGENT_OPTIONS})
      target_link_options(${name} PRIVATE ${AGENT_LINK})
      target_link_libraries(${name} PRIVATE ${AGENT_LIBRARIES})
      rogate_embed(${symbol}_${arch} ${CMAKE_CURRENT_BINARY_DIR}/${name} ${name} ${room})
    else()
      rogate_cross_program(${name} ${arch} SOURCES ${AGENT_SOURCES} OPTIONS ${AGENT_OPTIONS} LINK ${AGENT_LINK}
                           LIBRARIES ${AGENT_LIBRARIES} MADE ${AGENT_MADE_${arch}})
      rogate_embed(${symbol}_${arch} ${program} ${name}-for-${arch} ${room})
    endif()
  endforeach()
endfunction()
