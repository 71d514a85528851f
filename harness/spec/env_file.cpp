#include "spec/env_file.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace rogate::spec {

namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

class Reader {
  public:
    Reader(std::string_view text, const Lookup& lookup, int file, Problems& problems)
        : text_(text), lookup_(lookup), file_(file), problems_(problems) {}

    Variables read() {
        while (at_ < text_.size()) line();
        return std::move(variables_);
    }

  private:
    void line() {
        const int number = line_;
        std::string_view rest = trim(rest_of_line());
        if (rest.empty() || rest[0] == '#') return next_line();
        skip_blanks();
        if (rest.starts_with("export ") || rest.starts_with("export\t")) {
            at_ += 7;
            skip_blanks();
        }
        const std::size_t end = text_.find_first_of("=:\n#", at_);
        const std::size_t stop = std::min(end, text_.size());
        const std::string name(trim(text_.substr(at_, stop - at_)));
        if (name.empty() || name.find_first_of(" \t\"'") != std::string::npos) {
            problems_.add({number, 1, file_},
                          fmt::format("{} is not the name of a variable; write NAME=value", in_quotes(name)));
            return next_line();
        }
        at_ = stop;
        if (at_ >= text_.size() || text_[at_] == '\n' || text_[at_] == '#') {
            if (auto value = lookup_(name)) variables_[name] = std::move(*value);
            return next_line();
        }
        ++at_;
        skip_blanks();
        if (auto value = read_value(number)) variables_[name] = std::move(*value);
    }

    std::optional<std::string> read_value(int number) {
        const char quote = at_ < text_.size() ? text_[at_] : '\n';
        if (quote != '"' && quote != '\'') {
            std::string_view value = rest_of_line();
            // A comment needs a blank before it: "a#b" is a value.
            for (std::size_t i = 0; i < value.size(); ++i)
                if (value[i] == '#' && (i == 0 || value[i - 1] == ' ' || value[i - 1] == '\t')) {
                    value = value.substr(0, i);
                    break;
                }
            value = trim(value);
            next_line();
            return expand(value, number);
        }
        std::string raw;
        for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
            if (text_[at_] == '\n') ++line_;
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
                const char next = text_[at_ + 1];
                if (quote == '"') {
                    ++at_;
                    const std::size_t known = std::string_view("nrt").find(next);
                    if (known != std::string_view::npos)
                        raw += "\n\r\t"[known];
                    else if (next == '$')
                        raw += "$$";
                    else if (next == '"' || next == '\\')
                        raw += next;
                    else
                        raw.append(1, '\\').append(1, next);
                    continue;
                }
                if (next == '\'') ++at_;
            }
            raw += text_[at_];
        }
        if (at_ >= text_.size()) {
            problems_.add({number, 1, file_}, fmt::format("a {} is never closed; close it", quote));
            return std::nullopt;
        }
        ++at_;
        const std::string_view behind = trim(rest_of_line());
        if (!behind.empty() && behind[0] != '#')
            problems_.add({line_, 1, file_},
                          fmt::format("{} stands behind the closing quote; leave it out", in_quotes(behind)));
        next_line();
        return quote == '"' ? expand(raw, number) : std::optional(raw);
    }

    std::optional<std::string> expand(std::string_view value, int number) {
        const Lookup lookup = [&](const std::string& name) -> std::optional<std::string> {
            if (auto outside = lookup_(name)) return outside;
            const auto found = variables_.find(name);
            return found == variables_.end() ? std::nullopt : std::optional(found->second);
        };
        std::vector<std::string> unset;
        auto expanded = interpolate(value, lookup, unset);
        if (expanded) return std::move(*expanded);
        problems_.add({number, 1, file_}, expanded.error());
        return std::nullopt;
    }

    std::string_view rest_of_line() const {
        return text_.substr(at_, std::min(text_.find('\n', at_), text_.size()) - at_);
    }
    void next_line() {
        at_ = std::min(text_.find('\n', at_), text_.size() - 1) + 1;
        ++line_;
    }
    void skip_blanks() {
        while (at_ < text_.size() && blanks.find(text_[at_]) != std::string_view::npos) ++at_;
    }

    std::string_view text_;
    const Lookup& lookup_;
    int file_;
    Problems& problems_;
    std::size_t at_ = 0;
    int line_ = 1;
    Variables variables_;
};

}  // namespace

Variables parse_env_file(std::string_view text, const Lookup& lookup, int file, Problems& problems) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    return Reader(text, lookup, file, problems).read();
}

Variables parse_raw_env_file(std::string_view text, const Lookup& lookup, int file, Problems& problems) {
    Variables variables;
    for (int line = 1; !text.empty(); ++line) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view each = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (each.ends_with('\r')) each.remove_suffix(1);
        each.remove_prefix(std::min(each.find_first_not_of(" \t"), each.size()));
        if (each.empty() || each[0] == '#') continue;
        const std::size_t equals = each.find('=');
        const std::string name(each.substr(0, equals));
        if (name.empty() || name.find_first_of(" \t") != std::string::npos)
            problems.add({line, 1, file},
                         fmt::format("{} is not the name of a variable; write NAME=value", in_quotes(name)));
        else if (equals != std::string_view::npos)
            variables[name] = each.substr(equals + 1);
        else if (auto value = lookup(name))
            variables[name] = std::move(*value);
    }
    return variables;
}

}  // namespace rogate::spec
