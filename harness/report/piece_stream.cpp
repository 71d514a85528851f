#include "report/piece_stream.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/escape.hpp"

namespace rogate::report {

namespace {

struct LineEnds {
    std::size_t count = 0, behind_last = 0;  // 0: there is none
};

// memchr() looks at many bytes at a time; std::count() and rfind() at one.
LineEnds line_ends(std::string_view text) {
    LineEnds found;
    for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
        ++found.count;
        found.behind_last = at + 1;
    }
    return found;
}

// Of the sequence that a byte begins.
std::size_t length_after(char first) {
    const auto byte = static_cast<unsigned char>(first);
    return byte < 0xc2 || byte > 0xf4 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

}  // namespace

// How much of it is UTF-8; a character that it ends in the middle of is taken to be.
std::size_t PieceStream::well_formed_part(std::string_view piece) {
    std::size_t at = 0;
    for (; !begun_.empty() && at < piece.size(); ++at) {
        begun_ += piece[at];
        if (begun_.size() < length_after(begun_[0])) continue;
        if (sequence_length(begun_) == 0) return at;
        begun_.clear();
    }
    at += well_formed(piece.substr(at));
    const std::string_view rest = piece.substr(at);
    if (rest.empty() || rest.size() >= length_after(rest[0])) return at;
    begun_ = rest;
    return piece.size();
}

void PieceStream::next_piece() {
    static constexpr char zero = '\0';
    const std::string_view read(begin_, static_cast<std::size_t>(end_ - begin_));
    if (!ended_) {
        const LineEnds ends = line_ends(read);
        lines_ += ends.count;
        if (ends.count > 0) last_line_ = before_ + ends.behind_last;
        before_ += read.size();
        auto piece = source_();
        if (!piece) error_ = std::move(piece.error());
        if (!error_ && piece->empty() && !begun_.empty()) utf8_ = false;
        ended_ = error_ || !utf8_ || piece->empty();
        if (!ended_) {
            const std::size_t good = well_formed_part(*piece);
            utf8_ = good == piece->size();
            ended_ = good == 0;
            begin_ = at_ = piece->data();
            end_ = begin_ + good;
        }
        if (!ended_) return;
    }
    begin_ = at_ = &zero;
    end_ = begin_ + 1;
}

std::string PieceStream::where() const {
    const std::string_view read(begin_, static_cast<std::size_t>(at_ - begin_));
    const LineEnds ends = line_ends(read);
    const std::size_t line = ends.count > 0 ? before_ + ends.behind_last : last_line_;
    return fmt::format("line {}, column {}", lines_ + ends.count + 1, Tell() - line + 1);
}

}  // namespace rogate::report
