#include "spec/shell_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "spec/problems.hpp"

namespace rogate::spec {

namespace {

tl::unexpected<std::string> wrong(std::string text) {
    return tl::unexpected<std::string>(std::move(text));
}

class Splitter {
  public:
    Splitter(std::string_view text, const ShellVariables& variables) : text_(text), variables_(variables) {}

    Parsed<std::vector<ShellWord>> split() {
        for (; at_ < text_.size(); ++at_) {
            begin_ = place_of(at_);
            if (auto taken = take(text_[at_]); !taken) return wrong(std::move(taken.error()));
        }
        begin_ = opened_;
        if (quote_ != 0) return wrong(fmt::format("a {} is never closed; close it", quote_));
        end_word();
        return std::move(words_);
    }

    // What was read last, or is not closed.
    ShellPlace place() const { return begin_; }

  private:
    ShellPlace place_of(std::size_t at) const {
        ShellPlace place;
        for (const char c : text_.substr(0, at))
            if (c == '\n')
                place = {place.line + 1, 0};
            else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80)
                ++place.column;
        return place;
    }
    Parsed<bool> take(char c) {
        if (quote_ != 0 && c == quote_) {
            quote_ = 0;
        } else if (variables_ && quote_ != '\'' && (c == '$' || c == '`')) {
            return expand();
        } else if (quote_ == '\'' || (quote_ == '"' && c != '\\')) {
            add(c);
        } else if (c == '\\') {
            return escape();
        } else if (c == '\'' || c == '"') {
            quote_ = c;
            opened_ = begin_;
            begin_word();
        } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            end_word();
        } else if (std::string_view("|&;<>").find(c) != std::string_view::npos) {
            return wrong(
                fmt::format("unquoted '{}' in a command that no shell runs; quote it, or write "
                            "[sh, -c, \"…\"]",
                            c));
        } else {
            add(c);
        }
        return true;
    }

    Parsed<bool> escape() {
        if (++at_ == text_.size()) return wrong("a backslash ends the command; write \\\\ for a backslash");
        const char c = text_[at_];
        if (c == '\n') return true;  // the line goes on
        // Within double quotes a backslash escapes these only, and is itself otherwise (POSIX 2.2.3).
        if (quote_ == '"' && std::string_view("$`\"\\").find(c) == std::string_view::npos) add('\\');
        add(c);
        return true;
    }

    Parsed<bool> expand() {
        const std::string_view rest = text_.substr(at_);
        for (const std::string_view pwd : {"$(pwd)", "`pwd`"})
            if (rest.starts_with(pwd)) return put("PWD", pwd.size());
        if (rest.starts_with("$(") || rest.starts_with('`'))
            return wrong("the output of a command ($(…)) is not taken; write it out");
        const bool braced = rest.starts_with("${");
        const std::size_t begin = braced ? 2 : 1;
        std::size_t end = begin;
        while (end < rest.size() && is_name(rest[end], end == begin)) ++end;
        const std::string name(rest.substr(begin, end - begin));
        if (braced && (name.empty() || end >= rest.size() || rest[end] != '}'))
            return wrong("only $NAME, ${NAME} and $(pwd) are expanded; write the value out");
        if (!name.empty()) return put(name, end + (braced ? 1 : 0));
        if (begin < rest.size() &&
            std::string_view("0123456789@*#?!-$").find(rest[1]) != std::string_view::npos)
            return wrong(fmt::format("'${}' is the shell's own; write the value out", rest[1]));
        add('$');
        return true;
    }

    Parsed<bool> put(const std::string& name, std::size_t length) {
        const auto value = variables_(name);
        if (!value)
            return wrong(
                fmt::format("variable '{}' of the shell is not set; set it, or write its value", name));
        begin_word();
        word_->text += *value;
        at_ += length - 1;
        return true;
    }

    static bool is_name(char c, bool first) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
               (!first && c >= '0' && c <= '9');
    }
    void begin_word() {
        if (!word_) word_ = ShellWord{{}, begin_};
    }
    void add(char c) {
        begin_word();
        word_->text += c;
    }
    void end_word() {
        if (word_) words_.push_back(*std::exchange(word_, std::nullopt));
    }

    std::string_view text_;
    const ShellVariables& variables_;
    std::size_t at_ = 0;
    ShellPlace begin_, opened_;  // of what is taken; of the quote
    char quote_ = 0;
    std::optional<ShellWord> word_;  // absent between words; '' is a word, though empty
    std::vector<ShellWord> words_;
};

}  // namespace

Parsed<std::vector<ShellWord>> split_shell_text(std::string_view text, const ShellVariables& variables,
                                                ShellPlace* wrong_at) {
    Splitter splitter(text, variables);
    auto words = splitter.split();
    if (!words && wrong_at != nullptr) *wrong_at = splitter.place();
    return words;
}

Parsed<std::vector<std::string>> split_shell_words(std::string_view text) {
    auto words = split_shell_text(text);
    if (!words) return wrong(std::move(words.error()));
    std::vector<std::string> texts;
    for (ShellWord& word : *words) texts.push_back(std::move(word.text));
    return texts;
}

}  // namespace rogate::spec
