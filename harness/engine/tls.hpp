// TLS over another transport, with the certificates where the docker CLI keeps them.
#pragma once

#include <memory>

#include "engine/transport.hpp"

namespace rogate::engine {

// Connections of `plain` with TLS (1.2 or newer) on them. Of `endpoint.cert_path`, ca.pem is what the
// engine's certificate is checked against (the system's authorities when there is none), cert.pem and key.pem
// are the client's own. Checked are the chain and the host's name, unless `endpoint.tls_verify` is false.
// ErrorKind::usage for files that cannot be used.
Result<std::unique_ptr<Transport>> make_tls_transport(const Endpoint& endpoint,
                                                      std::unique_ptr<Transport> plain);

}  // namespace rogate::engine
