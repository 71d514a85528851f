# The layout of every C++ file and the scripts, as tests with the label `lint`; what is not installed is not tested.
find_program(CLANG_FORMAT clang-format)
find_program(SHELLCHECK shellcheck)
if(CLANG_FORMAT)
  add_test(NAME lint.clang-format WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
           COMMAND sh -c "git ls-files '*.cpp' '*.hpp' | xargs ${CLANG_FORMAT} --dry-run -Werror")
  set_tests_properties(lint.clang-format PROPERTIES LABELS lint)
endif()
if(SHELLCHECK)
  add_test(NAME lint.shellcheck WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
           COMMAND sh -c "git ls-files '*.sh' .ci/run | xargs ${SHELLCHECK} -x")
  set_tests_properties(lint.shellcheck PROPERTIES LABELS lint)
endif()
