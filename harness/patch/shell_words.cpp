#include "patch/shell_words.hpp"

#include "base/text.hpp"

namespace rogate::patch {

namespace {

class Cutter {
  public:
    explicit Cutter(std::string_view text) : text_(text) {}

    std::optional<std::vector<Word>> cut() {
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (skip_continuation()) continue;
            if (c == ' ' || c == '\t' || c == '\r') {
                end_word();
                ++at_;
            } else if (c == '\n' || (c == '#' && !open_) ||
                       std::string_view("|&;<>").find(c) != std::string_view::npos) {
                // A line break in front of the first word is only the look of a block.
                if (c == '\n' && words_.empty() && !open_) {
                    ++at_;
                    continue;
                }
                break;
            } else if (!take(c)) {
                return std::nullopt;
            }
        }
        end_word();
        return std::move(words_);
    }

  private:
    bool skip_continuation() {
        if (text_.substr(at_).starts_with("\\\n")) return at_ += 2, true;
        if (text_.substr(at_).starts_with("\\\r\n")) return at_ += 3, true;
        return false;
    }

    void end_word() {
        if (!open_) return;
        word_.end = at_;
        word_.places.push_back(tail_);
        words_.push_back(std::move(word_));
        word_ = {};
        open_ = false;
    }

    void add(std::size_t at) {
        word_.value += text_[at];
        word_.places.push_back(at);
    }

    // "$(…)", "${…}" and "`…`" stay one piece.
    bool take_expansion() {
        const char open = text_[at_] == '`' ? '`' : at_ + 1 < text_.size() ? text_[at_ + 1] : ' ';
        if (open != '(' && open != '{' && open != '`') return add(at_++), true;
        const char close = open == '(' ? ')' : open == '{' ? '}' : '`';
        int depth = 0;
        const std::size_t first = at_;
        for (; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            add(at_);
            if (open == '`') {
                if (c == '`' && at_ > first) return ++at_, true;
            } else if (c == open) {
                ++depth;
            } else if (c == close && --depth == 0) {
                return ++at_, true;
            }
        }
        return false;
    }

    bool take_quoted(char quote) {
        for (++at_; at_ < text_.size();) {
            const char c = text_[at_];
            if (c == quote) {
                tail_ = at_++;  // more is added within the quotes
                return true;
            }
            if (quote == '"' && skip_continuation()) continue;
            if (quote == '"' && c == '\\' && at_ + 1 < text_.size() &&
                std::string_view("\"\\$`").find(text_[at_ + 1]) != std::string_view::npos) {
                // The value keeps "\$" as it is: it is no variable, but it is not looked into either.
                ++at_;
                add(at_++);
            } else if (quote == '"' && (c == '$' || c == '`')) {
                if (!take_expansion()) return false;
            } else {
                add(at_++);
            }
        }
        return false;
    }

    bool take(char c) {
        if (!open_) {
            open_ = true;
            word_.begin = at_;
        }
        if (c == '\'' || c == '"') return take_quoted(c);
        bool good = true;
        if (c == '\\' && at_ + 1 < text_.size()) {
            ++at_;
            add(at_++);
        } else if (c == '$' || c == '`') {
            good = take_expansion();
        } else {
            add(at_++);
        }
        tail_ = at_;
        return good;
    }

    std::string_view text_;
    std::size_t at_ = 0, tail_ = 0;
    bool open_ = false;
    Word word_;
    std::vector<Word> words_;
};

}  // namespace

std::optional<std::vector<Word>> shell_words(std::string_view text) {
    return Cutter(text).cut();
}

std::string shell_quoted(std::string_view word) {
    constexpr std::string_view safe =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,@%+";
    if (!word.empty() && word.find_first_not_of(safe) == std::string_view::npos) return std::string(word);
    return in_single_quotes(word);
}

}  // namespace rogate::patch
