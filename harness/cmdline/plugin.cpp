#include "cmdline/plugin.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string_view>

namespace rogate::cmdline {

namespace {

// docker's global options, as of 20.10 to 28.
struct DockerOption {
    std::string_view name, letter;
    bool has_value;
};
constexpr std::array<DockerOption, 10> docker_options = {{{"--config", "", true},
                                                          {"--context", "-c", true},
                                                          {"--debug", "-D", false},
                                                          {"--host", "-H", true},
                                                          {"--log-level", "-l", true},
                                                          {"--tls", "", false},
                                                          {"--tlscacert", "", true},
                                                          {"--tlscert", "", true},
                                                          {"--tlskey", "", true},
                                                          {"--tlsverify", "", false}}};

struct Found {
    const DockerOption* option = nullptr;
    std::optional<std::string> value;  // "--host=VALUE", "-HVALUE"
};

Found find_option(const std::string& word) {
    for (const DockerOption& each : docker_options) {
        if (word == each.name || (!each.letter.empty() && word == each.letter)) return {&each, std::nullopt};
        if (word.starts_with(std::string(each.name) + "=")) return {&each, word.substr(each.name.size() + 1)};
        if (!each.letter.empty() && each.has_value && word.starts_with(each.letter) &&
            !word.starts_with("--"))
            return {&each, word.substr(word[2] == '=' ? 3 : 2)};
    }
    return {};
}

// The three files of TLS have to be where DOCKER_CERT_PATH would have them, since that is what rogate reads.
Result<> add_tls_file(const DockerOption& option, const std::string& file, PluginCall& call) {
    const std::string_view wanted = option.name == "--tlscacert" ? "ca.pem"
                                    : option.name == "--tlscert" ? "cert.pem"
                                                                 : "key.pem";
    const std::size_t slash = file.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : file.substr(0, slash);
    const std::string name = slash == std::string::npos ? file : file.substr(slash + 1);
    const auto [place, first] = call.environment.emplace("DOCKER_CERT_PATH", folder);
    if (name != wanted || (!first && place->second != folder))
        return fail(
            ErrorKind::usage,
            fmt::format("docker's option {} {}: rogate takes ca.pem, cert.pem and key.pem from one folder; "
                        "name them so, or set DOCKER_CERT_PATH",
                        option.name, file));
    return {};
}

Result<> apply(const DockerOption& option, const std::string& value, PluginCall& call) {
    if (option.name == "--config")
        call.environment.insert_or_assign("DOCKER_CONFIG", value);
    else if (option.name == "--context" || option.name == "--host")
        call.arguments.insert(call.arguments.end(), {std::string(option.name), value});
    else if (option.name == "--tlsverify") {
        if (value == "false")
            call.environment.insert_or_assign("DOCKER_TLS_VERIFY", "");
        else
            call.environment.insert_or_assign("DOCKER_TLS_VERIFY", "1");
    } else if (option.name == "--tls" && value != "false") {
        return fail(ErrorKind::usage,
                    "docker's option --tls trusts every engine; use --tlsverify with the engine's authority");
    } else if (option.name.starts_with("--tls")) {
        return add_tls_file(option, value, call);
    }
    // --debug and --log-level are about docker's own messages.
    return {};
}

}  // namespace

bool is_plugin_name(const std::string& program) {
    return program.substr(program.rfind('/') + 1) == "docker-rogate";
}

std::string plugin_metadata(const std::string& version) {
    return fmt::format(
        R"({{"SchemaVersion":"0.1.0","Vendor":"rogate","Version":"{}","ShortDescription":"Ask an application which of its mounts it has to write"}})"
        "\n",
        version);
}

Result<PluginCall> read_plugin_call(const std::vector<std::string>& words) {
    PluginCall call;
    std::size_t i = 0;
    for (; i < words.size() && words[i] != "rogate"; ++i) {
        const auto [option, value] = find_option(words[i]);
        if (option == nullptr)
            return fail(ErrorKind::usage, fmt::format("'{}' is none of docker's global options", words[i]));
        if (option->has_value && !value && i + 1 == words.size())
            return fail(ErrorKind::usage, fmt::format("docker's option {} lacks its value", option->name));
        const std::string given = value ? *value : option->has_value ? words[++i] : "";
        if (auto applied = apply(*option, given, call); !applied) return fail(std::move(applied.error()));
    }
    if (i < words.size()) ++i;  // "rogate"
    call.arguments.insert(call.arguments.end(), words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
    return call;
}

}  // namespace rogate::cmdline
