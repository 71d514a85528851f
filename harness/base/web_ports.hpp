// What the number of a port says.
#pragma once

#include <cstdint>

namespace rogate {

// HTTP is usually spoken there: ports of web servers and of the frameworks' examples. 9000 is not among them:
// PHP-FPM speaks FastCGI there.
bool is_web_port(std::uint16_t port);

}  // namespace rogate
