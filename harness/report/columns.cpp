#include "report/columns.hpp"

#include <algorithm>

namespace rogate::report {

std::size_t columns(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::string padded(std::string text, std::size_t width) {
    const std::size_t size = columns(text);
    if (size < width) text.append(width - size, ' ');
    return text;
}

}  // namespace rogate::report
