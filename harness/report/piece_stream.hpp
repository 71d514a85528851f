// A Source as rapidjson reads it, and where in it the reader is.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "report/pieces.hpp"

namespace rogate::report {

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

    bool at_end() const { return ended_; }
    const std::optional<Error>& error() const { return error_; }
    // "line 3, column 7": how far it was read.
    std::string where() const;

  private:
    std::string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }
    void next_piece();

    const Source& source_;
    const char *begin_ = nullptr, *at_ = nullptr, *end_ = nullptr;
    std::size_t before_ = 0;                 // bytes before this piece
    std::size_t lines_ = 0, last_line_ = 0;  // line ends before this piece, and where the last of them ends
    bool ended_ = false;
    std::optional<Error> error_;
};

}  // namespace rogate::report
