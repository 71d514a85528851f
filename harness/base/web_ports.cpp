#include "base/web_ports.hpp"

#include <algorithm>
#include <iterator>

namespace rogate {

bool is_web_port(std::uint16_t port) {
    constexpr std::uint16_t web_ports[] = {80,   3000, 5000, 8000, 8008, 8080, 8081, 8082,
                                           8083, 8084, 8085, 8086, 8088, 8090, 8888, 9090};
    return std::ranges::find(web_ports, port) != std::end(web_ports);
}

}  // namespace rogate
