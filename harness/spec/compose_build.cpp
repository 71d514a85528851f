#include "spec/compose_build.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "spec/compose_forms.hpp"
#include "spec/compose_merge.hpp"
#include "spec/notations.hpp"

namespace rogate::spec {

namespace {

// What a build through the Engine API would do without, and make another image.
constexpr std::string_view beyond_the_api[] = {"ssh",          "secrets",    "additional_contexts",
                                               "entitlements", "privileged", "ulimits"};

// compose-go: paths, isRemoteContext.
constexpr std::string_view remote_prefixes[] = {"https://", "http://",     "git://",
                                                "ssh://",   "github.com/", "git@"};

bool is_remote(std::string_view context) {
    return std::ranges::any_of(remote_prefixes,
                               [&](std::string_view prefix) { return context.starts_with(prefix); });
}

bool says_something(const Value& value) {
    return value.kind != Value::Kind::null && value.text != "false" &&
           (!value.text.empty() || !value.items.empty() || !value.pairs.empty());
}

class BuildReader {
  public:
    BuildReader(const Value& build, const std::string& where, const ComposeLoader& loader,
                const Context& context)
        : build_(build), where_(where), loader_(loader), context_(context) {}

    ImageBuild read();

  private:
    std::string text(std::string_view key) const {
        const ValuePtr value = value_of(build_, key);
        return value && value->kind == Value::Kind::scalar ? value->text : std::string();
    }
    bool flag(std::string_view key) const { return text(key) == "true"; }
    std::vector<std::string> texts(std::string_view key) const;
    void read_context(ImageBuild& made) const;
    void read_platforms(ImageBuild& made) const;

    const Value& build_;
    const std::string& where_;
    const ComposeLoader& loader_;
    const Context& context_;
};

std::vector<std::string> BuildReader::texts(std::string_view key) const {
    std::vector<std::string> found;
    const ValuePtr value = value_of(build_, key);
    if (!value) return found;
    if (value->kind == Value::Kind::scalar) found.push_back(value->text);
    for (const ValuePtr& item : value->items) found.push_back(item->text);
    return found;
}

void BuildReader::read_context(ImageBuild& made) const {
    const ValuePtr value = value_of(build_, "context");
    made.shown = value && !value->text.empty() ? value->text : ".";
    made.is_remote = is_remote(made.shown);
    const Place place = value ? value->place : build_.place;
    made.context = made.is_remote ? made.shown : path_in(loader_.context_of(place).folder, made.shown);
    if (made.context.size() > 1 && made.context.ends_with('/')) made.context.pop_back();
}

// Other platforms than the engine's own are built to be published.
void BuildReader::read_platforms(ImageBuild& made) const {
    const std::vector<std::string> platforms = texts("platforms");
    if (platforms.size() == 1) made.platform = platforms.front();
}

ImageBuild BuildReader::read() {
    check_form(build_, forms::build, fmt::format("'build' of {}", where_), context_);
    ImageBuild made;
    read_context(made);
    made.dockerfile = text("dockerfile");
    made.inline_dockerfile = text("dockerfile_inline");
    if (!made.dockerfile.empty() && !made.inline_dockerfile.empty())
        context_.problem(
            *value_of(build_, "dockerfile_inline"),
            fmt::format("'build' of {} has both 'dockerfile' and 'dockerfile_inline'; keep one of the "
                        "two",
                        where_));
    made.target = text("target");
    made.network = text("network");
    if (const ValuePtr labels = value_of(build_, "labels"))
        for (const auto& [name, value] : labels->pairs) made.labels.insert_or_assign(name->text, value->text);
    for (std::string host : texts("extra_hosts")) {
        const std::size_t separator = host.find_first_of("=:");
        if (separator != std::string::npos) host.replace(separator, 1, ":");
        made.extra_hosts.push_back(std::move(host));
    }
    // BuildKit's "type=registry,ref=…" is another thing than an image.
    for (std::string& from : texts("cache_from"))
        if (from.find('=') == std::string::npos) made.cache_from.push_back(std::move(from));
    if (const ValuePtr size = value_of(build_, "shm_size"))
        made.shm_size =
            read_notation(*size, fmt::format("'shm_size' of 'build' of {}", where_), context_, parse_size);
    made.pull = flag("pull");
    made.no_cache = flag("no_cache");
    read_platforms(made);
    for (const auto& [key, value] : build_.pairs)
        if (std::ranges::find(beyond_the_api, key->text) != std::end(beyond_the_api) &&
            says_something(*value))
            made.beyond_the_api.emplace_back(key->text, context_.declared(key->place));
    if (made.is_remote && !made.inline_dockerfile.empty())
        made.beyond_the_api.emplace_back("dockerfile_inline",
                                         context_.declared(value_of(build_, "dockerfile_inline")->place));
    made.project = loader_.project_name();
    made.project_folder = loader_.project_folder();
    made.files = loader_.files();
    made.env_files = loader_.env_files();
    return made;
}

}  // namespace

ImageBuild read_compose_build(const Value& build, const std::string& where, const ComposeLoader& loader,
                              const Context& context) {
    return BuildReader(build, where, loader, context).read();
}

std::map<std::string, std::string> read_build_args(const Value& build, const ComposeLoader& loader) {
    std::map<std::string, std::string> found;
    const ValuePtr args = value_of(build, "args");
    if (!args) return found;
    for (const auto& [name, value] : args->pairs) {
        const auto given = value->kind == Value::Kind::null ? loader.variable(name->text)
                                                            : std::optional<std::string>(value->text);
        if (given) found.insert_or_assign(name->text, *given);
    }
    return found;
}

}  // namespace rogate::spec
