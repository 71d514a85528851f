# The layout of every C++ and C file and the scripts, as tests with the label `lint`. A tool that is missing fails its test, and so does a
# list of files that is empty.
find_program(CLANG_FORMAT clang-format)
find_program(SHELLCHECK shellcheck)
function(lint name tool files)
  string(JOIN " " options ${ARGN})
  add_test(NAME lint.${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
           COMMAND sh -c "files=$(git ls-files ${files}) && test -n \"$files\" && '${tool}' ${options} $files")
  set_tests_properties(lint.${name} PROPERTIES LABELS lint)
endfunction()
lint(clang-format "${CLANG_FORMAT}" "'*.cpp' '*.hpp' ':(glob)harness/**/*.[ch]' 'tests/*.[ch]'" --dry-run -Werror)
lint(shellcheck "${SHELLCHECK}" "'*.sh' .ci/run" -x)
