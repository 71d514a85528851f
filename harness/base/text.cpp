#include "base/text.hpp"

#include <algorithm>

namespace rogate {

bool is_or_below(std::string_view path, std::string_view directory) {
    if (directory.ends_with('/'))
        return path.starts_with(directory);  // "/", and the root of a place ("web:/")
    return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

std::string_view folder_of(std::string_view file) {
    return file.substr(0, file.rfind('/') + 1);
}

bool is_merged_by_name(std::string_view file) {
    std::string name(file.substr(file.rfind('/') + 1));
    for (char& c : name)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return (name.starts_with("compose.") || name.starts_with("docker-compose.")) &&
           name.find(".override.") != std::string::npos;
}

std::string in_single_quotes(std::string_view text) {
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

std::string without_octal(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::string_view digits = text.substr(std::min(i + 1, text.size()), 3);
        if (text[i] == '\\' && digits.size() == 3 &&
            digits.find_first_not_of("01234567") == std::string_view::npos) {
            out += static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0'));
            i += 3;
        } else {
            out += text[i];
        }
    }
    return out;
}

}  // namespace rogate
