#include "cmdline/complete.hpp"

namespace rogate::cmdline {

namespace {

// `rogate __complete WORD…` answers a word a line. A last line ":files" asks the shell for names of files.
constexpr const char* bash = R"(# Completions of rogate for bash.
_rogate() {
    local answer line
    COMPREPLY=()
    # Words, not what readline cuts at '=' and ':'.
    answer=$("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) || return
    while IFS= read -r line; do
        if [ "$line" = :files ]; then
            compopt -o filenames 2>/dev/null
            mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
        elif [ -n "$line" ]; then
            COMPREPLY+=("$line")
        fi
    done <<<"$answer"
}
complete -F _rogate rogate
)";

constexpr const char* zsh = R"(#compdef rogate
# Completions of rogate for zsh.
_rogate() {
    local -a answer words_found
    local line
    answer=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    for line in $answer; do
        if [[ $line == :files ]]; then
            _files
        elif [[ -n $line ]]; then
            words_found+=("$line")
        fi
    done
    (( ${#words_found} )) && compadd -a words_found
}
compdef _rogate rogate
)";

constexpr const char* fish = R"(# Completions of rogate for fish.
function __rogate_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path (commandline -ct)
        else if test -n "$line"
            echo $line
        end
    end
end
complete -c rogate -f -a '(__rogate_complete)'
)";

}  // namespace

std::string completion_script(const std::string& shell) {
    return shell == "bash" ? bash : shell == "zsh" ? zsh : fish;
}

}  // namespace rogate::cmdline
