#include "observe/agent_program.hpp"

#include <fmt/format.h>

namespace rogate::observe {

Result<std::string> program_for(const AgentProgram& program, std::string_view arch) {
    if (arch != "amd64" && arch != "arm64")
        return fail(ErrorKind::engine,
                    fmt::format("the engine runs on {}, and rogate has its {} for amd64 and arm64 only",
                                arch.empty() ? "an architecture that it does not name" : arch, program.name));
    const std::string_view bytes = arch == "amd64" ? program.amd64 : program.arm64;
    if (bytes.empty())
        return fail(ErrorKind::engine,
                    fmt::format("this rogate was built without its {} for engines on {}; build it where that "
                                "architecture's cross compiler is, or take a released one",
                                program.name, arch));
    return std::string(bytes);
}

}  // namespace rogate::observe
