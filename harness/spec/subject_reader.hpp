// The key `subject`: the application under test.
#pragma once

#include <rogate/subject.hpp>

#include "spec/fields.hpp"

namespace rogate::spec {

// `container`, `kubernetes`, `compose` and `docker_run`, which stand for the rest, are read by the caller.
Subject read_subject(const Value& value, const Context& context, const std::string& where = "'subject'");

// "80", "8080/udp" or "127.0.0.1:80:8080/tcp"; only the port of the container is kept.
Parsed<Port> parse_port(std::string_view text);

}  // namespace rogate::spec
