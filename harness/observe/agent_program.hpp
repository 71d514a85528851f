#pragma once

#include <rogate/error.hpp>
#include <string>
#include <string_view>

/// The programs that rogate sends to an engine. rogate carries them for each architecture
/// (harness/agents.cmake), and sends the one that the engine has, whatever rogate itself runs on.
namespace rogate::observe {

struct AgentProgram {
    std::string_view name;  ///< for messages: "observer"
    std::string_view amd64,
        arm64;  ///< static ELF programs; empty where rogate was built without that cross compiler
};

/// The program for an engine of that architecture, as GET /version names it ("Arch": "amd64", "arm64").
/// ErrorKind::engine for one that there is none for.
Result<std::string> program_for(const AgentProgram& program, std::string_view arch);

}  // namespace rogate::observe

/// The bytes of the program `symbol`, between the labels that rogate_embed() makes.
#define ROGATE_AGENT_BYTES(symbol)                                                              \
    extern "C" const char symbol##_amd64_begin[], symbol##_amd64_end[], symbol##_arm64_begin[], \
        symbol##_arm64_end[]
#define ROGATE_AGENT_PROGRAM(name, symbol)                                                         \
    rogate::observe::AgentProgram {                                                                \
        name,                                                                                      \
            std::string_view(symbol##_amd64_begin,                                                 \
                             static_cast<std::size_t>(symbol##_amd64_end - symbol##_amd64_begin)), \
            std::string_view(symbol##_arm64_begin,                                                 \
                             static_cast<std::size_t>(symbol##_arm64_end - symbol##_arm64_begin))  \
    }
