#include "spec/without.hpp"

#include <algorithm>
#include <iterator>

#include "spec/compose_keys.hpp"

namespace rogate::spec {

bool can_be_left_out(std::string_view key) {
    return key == network_mode_key ||
           std::ranges::find(pod_fields_of_the_host, key) != std::end(pod_fields_of_the_host) ||
           std::ranges::any_of(compose_service_keys, [&](const ComposeKey& each) {
               return each.name == key && each.fate == refused;
           });
}

}  // namespace rogate::spec
