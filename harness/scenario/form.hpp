// multipart/form-data (RFC 7578). Pure.
#pragma once

#include <rogate/scenario.hpp>
#include <string>
#include <vector>

namespace rogate::scenario {

struct FormBody {
    std::string content_type;  // with the boundary
    std::string body;
};

FormBody to_multipart(const std::vector<FormField>& form);

}  // namespace rogate::scenario
