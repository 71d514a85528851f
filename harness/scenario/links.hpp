// The links of a page that may be followed without knowing the application. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rogate::scenario {

// Where a link of the page `page` ("/shop/list?n=1") on `port` leads to on the same origin, as a path with
// its query. Empty: elsewhere; or it is not to be followed, since its words say that it changes something (a
// sign-out, a deletion), or since it holds what may be different each time (a token, a random name).
std::string followed(std::string_view link, std::string_view page, std::uint16_t port);

// Those of an HTML page (href and src), each once, in order.
std::vector<std::string> links_in(std::string_view html, std::string_view page, std::uint16_t port);

}  // namespace rogate::scenario
