#include "patch/volume_entry.hpp"

#include <algorithm>

namespace rogate::patch {

namespace {

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Behind the variable or command that begins at `at` with '$'; `at` + 1 for another '$'.
std::size_t behind_variable(std::string_view text, std::size_t at) {
    const char open = at + 1 < text.size() ? text[at + 1] : ' ';
    if (open == '{' || open == '(') {
        const char close = open == '{' ? '}' : ')';
        int depth = 0;
        for (std::size_t i = at + 1; i < text.size(); ++i) {
            if (text[i] == open) ++depth;
            if (text[i] == close && --depth == 0) return i + 1;
        }
        return text.size();
    }
    std::size_t end = at + 1;
    while (end < text.size() && (is_letter(text[end]) || text[end] == '_' ||
                                 (end > at + 1 && text[end] >= '0' && text[end] <= '9')))
        ++end;
    return end;
}

bool is_option_variable(const std::vector<std::string>& options) {
    return std::ranges::any_of(options, has_variable);
}

}  // namespace

bool has_variable(std::string_view text) {
    for (std::size_t at = text.find_first_of("$`"); at != std::string_view::npos;
         at = text.find_first_of("$`", at + 1)) {
        if (text[at] == '`') return true;
        if (text.substr(at).starts_with("$$")) {
            ++at;
            continue;
        }
        if (behind_variable(text, at) > at + 1) return true;
    }
    return false;
}

std::vector<std::string> split_outside(std::string_view text, char separator) {
    std::vector<std::string> parts(1);
    for (std::size_t at = 0; at < text.size();) {
        std::size_t next = at + 1;
        if (text[at] == '$')
            next = std::max(next, behind_variable(text, at));
        else if (text[at] == '`')
            next = std::min(text.size(), std::min(text.find('`', at + 1), text.size() - 1) + 1);
        if (text[at] == separator)
            parts.emplace_back();
        else
            parts.back() += text.substr(at, next - at);
        at = next;
    }
    return parts;
}

std::optional<ShortMount> parse_short(std::string_view text) {
    std::vector<std::string> parts = split_outside(text, ':');
    // A letter and ':' at the beginning of a part is a drive: "C:\\x:/data", "C:/x:/data". A volume's name
    // has two letters at least, but "a:/data" reads as one all the same.
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
        const std::string& next = parts[i + 1];
        const bool path_follows = i + 2 < parts.size() && parts[i + 2].starts_with('/');
        if (parts[i].size() == 1 && is_letter(parts[i][0]) &&
            (next.starts_with('\\') || (next.starts_with('/') && path_follows))) {
            parts[i] += ":" + next;
            parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        }
    }
    if (parts.size() > 3 || std::ranges::any_of(parts, &std::string::empty)) return std::nullopt;
    ShortMount mount;
    if (parts.size() == 1) {
        mount.target = parts[0];
        return mount;
    }
    mount.source = parts[0];
    mount.target = parts[1];
    if (parts.size() == 3) {
        mount.options_at = parts[0].size() + parts[1].size() + 2;
        mount.options = split_outside(parts[2], ',');
        mount.variable_options = is_option_variable(mount.options);
    }
    return mount;
}

ShortMount parse_tmpfs(std::string_view text) {
    ShortMount mount;
    const std::vector<std::string> parts = split_outside(text, ':');
    mount.target = parts[0];
    if (parts.size() == 1) return mount;
    mount.options_at = parts[0].size() + 1;
    mount.options = split_outside(text.substr(mount.options_at), ',');
    mount.variable_options = is_option_variable(mount.options);
    return mount;
}

bool has_option(const ShortMount& mount, std::string_view option) {
    return std::ranges::find(mount.options, option) != mount.options.end();
}

std::optional<Splice> short_read_only(std::string_view text, const ShortMount& mount) {
    if (mount.options_at == std::string::npos) return Splice{text.size(), 0, ":ro"};
    // The last of the two is the one that counts.
    std::size_t at = mount.options_at;
    std::optional<Splice> change =
        Splice{at, 0, mount.options.size() == 1 && mount.options[0].empty() ? "ro" : "ro,"};
    for (const std::string& option : mount.options) {
        if (option == "rw") change = Splice{at, 2, "ro"};
        if (option == "ro") change.reset();
        at += option.size() + 1;
    }
    return change;
}

std::optional<Splice> short_writable(const ShortMount& mount) {
    if (mount.options_at == std::string::npos) return std::nullopt;
    std::size_t at = mount.options_at;
    std::optional<Splice> change;
    for (const std::string& option : mount.options) {
        if (option == "rw") change.reset();
        // With the comma, or with the colon of what is the only one.
        const bool first = at == mount.options_at;
        if (option == "ro")
            change = mount.options.size() == 1 ? Splice{at - 1, 3, ""} : Splice{first ? at : at - 1, 3, ""};
        at += option.size() + 1;
    }
    return change;
}

std::string normalised(std::string_view path) {
    if (!path.starts_with('/')) return std::string(path);
    std::string out;
    for (const std::string& part : split_outside(path, '/')) {
        if (part.empty() || part == ".") continue;
        out += "/" + part;
    }
    return out.empty() ? "/" : out;
}

bool could_be(std::string_view text, std::string_view path) {
    if (!has_variable(text)) return normalised(text) == path;
    // Every variable may be anything; what is written between them has to be there in its order.
    std::size_t from = 0;
    bool anchored = true;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] == '$' && behind_variable(text, at) > at + 1) {
            at = behind_variable(text, at);
            anchored = false;
            continue;
        }
        const std::size_t end = std::min(text.find('$', at + 1), text.size());
        const std::string_view literal = text.substr(at, end - at);
        const std::size_t found = path.find(literal, from);
        if (found == std::string_view::npos || (anchored && found != 0)) return false;
        from = found + literal.size();
        at = end;
    }
    return true;
}

std::string volume_name(std::string_view owner, std::string_view path, char joint,
                        const std::vector<std::string>& taken) {
    std::string name;
    const auto add = [&](std::string_view text) {
        for (char c : text) {
            if (c >= 'A' && c <= 'Z' && joint == '-') c = static_cast<char>(c - 'A' + 'a');
            const bool word =
                is_letter(c) || (c >= '0' && c <= '9') || (joint == '_' && (c == '.' || c == '-'));
            if (word)
                name += c;
            else if (!name.empty() && name.back() != joint)
                name += joint;
        }
    };
    add(owner);
    if (!name.empty() && name.back() != joint) name += joint;
    add(path.substr(std::min<std::size_t>(1, path.size())));
    while (!name.empty() && !is_letter(name.front()) && !(name.front() >= '0' && name.front() <= '9'))
        name.erase(0, 1);
    constexpr std::size_t longest = 55;  // a DNS label has 63
    if (name.size() > longest) name.resize(longest);
    while (!name.empty() && name.back() == joint) name.pop_back();
    if (name.size() < 2) name += std::string("volume");
    std::string unique = name;
    for (int i = 2; std::ranges::find(taken, unique) != taken.end(); ++i)
        unique = name + joint + std::to_string(i);
    return unique;
}

}  // namespace rogate::patch
