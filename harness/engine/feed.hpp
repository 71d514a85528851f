// Bytes as they come for a parser of Beast's.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <string>

namespace rogate::engine {

// What was received and not parsed yet.
struct Unparsed {
    std::string bytes;
    bool begun = false;  // what they begin with was too little for the parser
};

// Beast asserts that a last chunk whose beginning it has seen has five bytes when it is seen again. It has
// fewer when it is the first chunk too and comes in pieces, "0\r\n" and "\r" (basic_parser.ipp,
// parse_chunk_header). Nothing that the parser can ask more of is whole with fewer.
inline constexpr std::size_t fewest = sizeof "0\r\n\r\n" - 1;

// Lets the parser take what it can; an eager parser takes all that there is, another stops behind the header.
template <class Parser>
boost::system::error_code feed(Parser& parser, Unparsed& unparsed) {
    namespace http = boost::beast::http;
    while (!unparsed.bytes.empty() && !parser.is_done()) {
        if (unparsed.begun && unparsed.bytes.size() < fewest) break;
        boost::system::error_code error;
        const std::size_t used = parser.put(boost::asio::buffer(unparsed.bytes), error);
        unparsed.bytes.erase(0, used);
        unparsed.begun = error == http::error::need_more;
        if (unparsed.begun) break;
        if (error) return error;
        if (used == 0 || (!parser.eager() && parser.is_header_done())) break;
    }
    return {};
}

}  // namespace rogate::engine
