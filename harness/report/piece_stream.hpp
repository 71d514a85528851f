// A Source as rapidjson reads it, and where in it the reader is.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "report/pieces.hpp"

namespace rogate::report {

// It looks for what is no UTF-8 itself, a piece at a time: rapidjson would do it for each byte by itself,
// which takes as long as all the rest of the parsing.
//
// rapidjson calls Peek() and Take() for each byte of hundreds of megabytes, so there is always a byte to look
// at: after the last one a zero, by which rapidjson knows the end.
class PieceStream {
  public:
    using Ch = char;

    explicit PieceStream(const Source& source) : source_(source) {
        next_piece();
        // Wholly in the first piece, or not at all.
        constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
        if (rest().starts_with(byte_order_mark))
            for (std::size_t i = 0; i < byte_order_mark.size(); ++i) Take();
    }

    char Peek() const { return *at_; }
    char Take() {
        const char byte = *at_;
        if (++at_ == end_) next_piece();
        return byte;
    }
    std::size_t Tell() const { return before_ + static_cast<std::size_t>(at_ - begin_); }
    // For streams that are written to in place.
    char* PutBegin() { return nullptr; }
    void Put(char) {}
    void Flush() {}
    std::size_t PutEnd(char*) { return 0; }

    // What was taken is all of it.
    bool at_end() const { return ended_ && utf8_; }
    // It ended before its end, at a byte that is no UTF-8.
    bool at_wrong_byte() const { return ended_ && !utf8_; }
    const std::optional<Error>& error() const { return error_; }
    // "line 3, column 7": how far it was read.
    std::string where() const;

  private:
    std::string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }
    void next_piece();
    std::size_t well_formed_part(std::string_view piece);

    const Source& source_;
    const char *begin_ = nullptr, *at_ = nullptr, *end_ = nullptr;
    std::size_t before_ = 0;                 // bytes before this piece
    std::size_t lines_ = 0, last_line_ = 0;  // line ends before this piece, and where the last of them ends
    bool ended_ = false;
    bool utf8_ = true;
    std::string begun_;  // the first bytes of a character that the next piece goes on with
    std::optional<Error> error_;
};

}  // namespace rogate::report
