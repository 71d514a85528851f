// A command line as a person pastes it -> words, as a POSIX shell splits it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/notations.hpp"

namespace rogate::spec {

// Within a text; both count from 0, columns in characters.
struct ShellPlace {
    int line = 0, column = 0;
};

struct ShellWord {
    std::string text;
    ShellPlace place;  // where it begins
};

using ShellVariables = std::function<std::optional<std::string>(const std::string& name)>;

// With `variables`, $NAME, ${NAME} and $(pwd) are expanded, the last one as $PWD; the value stays one word,
// as within double quotes. Without, a '$' is itself. `wrong_at`: is told where the reading ended in vain.
Parsed<std::vector<ShellWord>> split_shell_text(std::string_view text, const ShellVariables& variables = {},
                                                ShellPlace* wrong_at = nullptr);

}  // namespace rogate::spec
