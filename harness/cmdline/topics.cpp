#include "cmdline/topics.hpp"

#include <algorithm>

namespace rogate::cmdline {

namespace {

constexpr Topic all[] = {
    {"verdicts", "What each verdict says",
     R"(A verdict is the answer for one mount: can it be mounted read-only?

safe: It passes read-only. Nothing failed on it but no-ops and access checks, and the scenario did use it.

tolerated: It passes read-only, though writes failed or were left out that would have changed something. They are listed; a person decides.

split: It fails read-only, and passes with the listed sub-paths writable. That arrangement was run.

required: It fails read-only, and no smaller arrangement passed.

untested: It passes, but nothing opened or listed anything on it. There is no evidence.

ineffective: Read-only would protect nothing: a socket, a device, a FIFO, or a sub-mount that stays writable on this engine.

already-ro: It was read-only to begin with. Its failed writes are listed all the same.

inconclusive: rogate cannot tell. The reason says why, and how to go on.)"},
    {"exit-codes", "What the exit code says",
     R"(0: All is as asked.

1: The scenario fails with everything as you configured it, or the gate says no.

2: Something is wrong with the command line or with a file. The message says where.

3: The engine or the infrastructure failed.

4: Something is inconclusive.

130: rogate was interrupted (SIGINT).

143: rogate was told to end (SIGTERM).)"},
    {"environment", "Environment variables that rogate reads",
     R"(DOCKER_HOST: The engine: unix://PATH, tcp://HOST:PORT or ssh://[USER@]HOST. --host comes before it.

DOCKER_CONTEXT: The docker context whose engine to use, where DOCKER_HOST is not set.

DOCKER_CONFIG: The folder of docker's configuration, with contexts and credentials (default: ~/.docker).

DOCKER_TLS_VERIFY: Not empty: use TLS with tcp:// and verify the engine's certificate.

DOCKER_CERT_PATH: The folder with ca.pem, cert.pem and key.pem.

ROGATE_ENGINE_TIMEOUT: As --engine-timeout: seconds that an ordinary call to the engine may take.

NO_COLOR: Not empty: no colours, unless --color says otherwise.)"},
    {"words", "The words that rogate uses",
     R"(engine: A daemon that speaks the Docker Engine API.

subject: The container that is judged.

candidate: A writable mount that is tried read-only.

scenario: What the subject has to do in each run: readiness, steps with expectations, shutdown.

run: One launch of the subject, with some of its mounts read-only.

control: The control run has everything as the user configured it. It must pass, else nothing can be concluded.

probe: A probe run has some candidates read-only. What fails in it is compared with the control run.

campaign: The runs that it takes to settle every candidate.

attempt: One kind of write that was tried: mount, path, operation and process, with outcome and count.

canary: A write of rogate's own that must be refused and seen; else the run is no evidence.)"},
};

}  // namespace

std::span<const Topic> topics() {
    return all;
}

const Topic* find_topic(std::string_view name) {
    const auto* const found =
        std::find_if(std::begin(all), std::end(all), [&](const Topic& topic) { return topic.name == name; });
    return found == std::end(all) ? nullptr : found;
}

}  // namespace rogate::cmdline
