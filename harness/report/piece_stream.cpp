#include "report/piece_stream.hpp"

#include <fmt/format.h>

#include <utility>

namespace rogate::report {

namespace {

// memchr() looks at many bytes at a time; std::count() at one.
std::size_t line_ends(std::string_view text) {
    std::size_t count = 0;
    for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1))
        ++count;
    return count;
}

}  // namespace

void PieceStream::next_piece() {
    static constexpr char zero = '\0';
    const std::string_view read(begin_, static_cast<std::size_t>(end_ - begin_));
    if (!ended_) {
        lines_ += line_ends(read);
        if (const std::size_t last = read.rfind('\n'); last != std::string_view::npos)
            last_line_ = before_ + last + 1;
        before_ += read.size();
        auto piece = source_();
        if (!piece) error_ = std::move(piece.error());
        ended_ = error_ || piece->empty();
        if (!ended_) {
            begin_ = at_ = piece->data();
            end_ = begin_ + piece->size();
            return;
        }
    }
    begin_ = at_ = &zero;
    end_ = begin_ + 1;
}

std::string PieceStream::where() const {
    const std::string_view read(begin_, static_cast<std::size_t>(at_ - begin_));
    const auto lines = lines_ + line_ends(read);
    const std::size_t last = read.rfind('\n');
    const std::size_t line = last == std::string_view::npos ? last_line_ : before_ + last + 1;
    return fmt::format("line {}, column {}", lines + 1, Tell() - line + 1);
}

}  // namespace rogate::report
