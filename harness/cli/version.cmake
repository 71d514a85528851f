# cmake -D SOURCE=DIR -D OUT=FILE -D VERSION=… -D BUILD=… -P version.cmake: writes FILE anew if anything in it has changed.
# An archive without .git tells its commit by ROGATE_COMMIT and ROGATE_COMMIT_DATE in the environment, or not at all.
set(ROGATE_COMMIT "$ENV{ROGATE_COMMIT}")
set(ROGATE_COMMIT_DATE "$ENV{ROGATE_COMMIT_DATE}")
if(NOT ROGATE_COMMIT AND EXISTS "${SOURCE}/.git")
  execute_process(COMMAND git -C "${SOURCE}" log -1 --format=%h --abbrev=12 OUTPUT_VARIABLE ROGATE_COMMIT
                  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  # The day in UTC, wherever it is built.
  set(ENV{TZ} UTC)
  execute_process(COMMAND git -C "${SOURCE}" log -1 --format=%cd --date=format-local:%Y-%m-%d
                  OUTPUT_VARIABLE ROGATE_COMMIT_DATE OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  execute_process(COMMAND git -C "${SOURCE}" diff-index --quiet HEAD -- RESULT_VARIABLE changed ERROR_QUIET)
  if(ROGATE_COMMIT AND changed)
    string(APPEND ROGATE_COMMIT "+")
  endif()
endif()
set(text "#define ROGATE_VERSION \"${VERSION}\"\n#define ROGATE_COMMIT \"${ROGATE_COMMIT}\"
#define ROGATE_COMMIT_DATE \"${ROGATE_COMMIT_DATE}\"\n#define ROGATE_BUILD \"${BUILD}\"\n")
set(old "")
if(EXISTS "${OUT}")
  file(READ "${OUT}" old)
endif()
if(NOT old STREQUAL text)
  file(WRITE "${OUT}" "${text}")
endif()
