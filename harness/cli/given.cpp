#include "cli/given.hpp"

#include <fmt/format.h>

#include "base/references.hpp"
#include "spec/candidates.hpp"
#include "spec/without.hpp"

namespace rogate::cli {

namespace {

Result<std::map<std::string, std::string>> given_variables(const std::vector<std::string>& settings) {
    std::map<std::string, std::string> variables;
    for (const std::string& setting : settings) {
        const std::size_t equals = setting.find('=');
        if (equals == std::string::npos || !is_variable_name(setting.substr(0, equals)))
            return fail(
                ErrorKind::usage,
                fmt::format("--set {}: write NAME=VALUE, the name of letters, digits and _", setting));
        variables.insert_or_assign(setting.substr(0, equals), setting.substr(equals + 1));
    }
    return variables;
}

}  // namespace

Result<spec::Surroundings> given_surroundings(const std::vector<std::string>& without,
                                              const std::vector<std::string>& settings) {
    spec::Surroundings surroundings;
    for (const std::string& key : without)
        if (!spec::can_be_left_out(key))
            return fail(ErrorKind::usage, fmt::format("--without {}: '{}' {}", key, key, spec::not_left_out));
    surroundings.without = without;
    auto variables = given_variables(settings);
    if (!variables) return fail(std::move(variables.error()));
    surroundings.variables = std::move(*variables);
    return surroundings;
}

Result<> give_candidates(const std::vector<std::string>& given, std::vector<Result<spec::Input>>& inputs) {
    std::vector<spec::AskedCandidate> asked;
    for (const std::string& each : given) {
        auto candidate = spec::parse_candidate(each);
        if (!candidate)
            return fail(ErrorKind::usage, fmt::format("--candidate {}: {}", each, candidate.error()));
        asked.push_back(std::move(*candidate));
    }
    return spec::try_only(inputs, asked);
}

}  // namespace rogate::cli
