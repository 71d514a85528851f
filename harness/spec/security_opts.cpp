#include "spec/security_opts.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

namespace rogate::spec {

namespace {

// JSON without the space between its parts; nothing if it is none. Not by a parser's tree, which would write
// numbers and escapes in another way.
std::optional<std::string> compact(const std::string& text) {
    if (!nlohmann::json::accept(text)) return std::nullopt;
    std::string out;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string && c == '\\' && i + 1 < text.size()) {
            (out += c) += text[++i];
            continue;
        }
        if (c == '"') in_string = !in_string;
        if (in_string || (c != ' ' && c != '\t' && c != '\n' && c != '\r')) out += c;
    }
    return out;
}

std::optional<std::string> profile(const Value& at, const std::string& file, const Context& context) {
    const std::string path = (std::filesystem::path(context.folder) / file).lexically_normal().string();
    const auto text = context.surroundings.read_file(path);
    if (!text) {
        context.problem(at, fmt::format("the seccomp profile {} cannot be had: {}", in_quotes(file),
                                        text.error().message));
        return std::nullopt;
    }
    auto json = compact(*text);
    if (!json) context.problem(at, fmt::format("the seccomp profile {} is not JSON", in_quotes(file)));
    return json;
}

}  // namespace

void read_security_opts(const Mapping& mapping, Subject& subject, const Context& context) {
    const Value* list = mapping.get("security_opt");
    if (list == nullptr) return;
    for (const std::string& option : mapping.texts("security_opt")) {
        if (option == "systempaths=unconfined") {
            subject.unconfined_system_paths = true;
            continue;
        }
        std::size_t parted = option.find('=');
        if (parted == std::string::npos) parted = option.find(':');
        const std::string key = option.substr(0, parted);
        const std::string value = parted == std::string::npos ? "" : option.substr(parted + 1);
        if (value.empty() && key != "no-new-privileges") {
            context.problem(*list,
                            fmt::format("{} is no security option; write NAME=VALUE, or no-new-privileges",
                                        in_quotes(option)));
            continue;
        }
        if (key != "seccomp" || value == "unconfined" || value == "builtin") {
            subject.security_opt.push_back(option);
            continue;
        }
        // Of a subject that was read before, or as an engine tells it.
        if (value.starts_with('{')) {
            subject.security_opt.push_back(option);
            continue;
        }
        if (auto json = profile(*list, value, context)) subject.security_opt.push_back("seccomp=" + *json);
    }
}

}  // namespace rogate::spec
