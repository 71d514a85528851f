// A command line as a person pastes it -> words, as a POSIX shell splits it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/notations.hpp"

namespace rogate::spec {

struct ShellWord {
    std::string text;
    int line = 0;  // of the text, where the word begins; counts from 0
};

using ShellVariables = std::function<std::optional<std::string>(const std::string& name)>;

// With `variables`, $NAME, ${NAME} and $(pwd) are expanded, the last one as $PWD; the value stays one word,
// as within double quotes. Without, a '$' is itself.
Parsed<std::vector<ShellWord>> split_shell_text(std::string_view text, const ShellVariables& variables = {});

}  // namespace rogate::spec
