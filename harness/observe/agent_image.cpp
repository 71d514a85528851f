#include "observe/agent_image.hpp"

#include <fmt/format.h>

#include <rogate/labels.hpp>
#include <utility>
#include <vector>

#include "base/tar.hpp"

namespace rogate::observe {

using engine::Task;

namespace {

// A root file system that is one file: the agent.
Result<std::string> agent_tar(const AgentProgram& agent, std::string_view arch) {
    TarWriter tar;
    auto program = program_for(agent, arch);
    if (!program) return fail(std::move(program.error()));
    auto added = tar.add({.name = "rogate-observer", .mode = 0755, .content = std::move(*program)});
    if (!added) return fail(std::move(added.error()).with_context("the observer's image could not be made"));
    return tar.finish();
}

}  // namespace

Task<std::string> import_agent(engine::Client& client, AgentProgram agent, std::string session,
                               std::string name, std::string tag) {
    auto tar = agent_tar(agent, client.server().arch);
    if (!tar) co_return fail(std::move(tar.error()));
    const std::vector<std::string> changes = {fmt::format("LABEL {}={}", session_label, session),
                                              fmt::format("LABEL {}=observer", role_label)};
    auto image = co_await client.image_import(std::move(name), std::move(tag), std::move(*tar), changes);
    if (!image) co_return fail(std::move(image.error()).with_context("importing its image"));
    co_return image;
}

}  // namespace rogate::observe
