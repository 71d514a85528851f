#include "engine/credentials.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/write.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/masker.hpp"
#include "engine/base64.hpp"
#include "engine/child.hpp"
#include "engine/client_impl.hpp"

namespace rogate::engine {

namespace {

using nlohmann::json;

constexpr const char* hub = "index.docker.io";
constexpr const char* hub_server = "https://index.docker.io/v1/";
const std::string program_prefix = "docker-credential-";

// "https://index.docker.io/v1/" -> "index.docker.io": config.json has had keys of either kind.
std::string_view host_of_key(std::string_view key) {
    if (const auto mark = key.find("://"); mark != std::string_view::npos) key.remove_prefix(mark + 3);
    return key.substr(0, key.find('/'));
}

std::string text_at(const json& object, const char* key) {
    const auto at = object.find(key);
    return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::optional<json> to_auth_config(const json& entry, const std::string& server) {
    if (!entry.is_object()) return std::nullopt;
    std::string user = text_at(entry, "username"), password = text_at(entry, "password");
    if (const auto decoded = base64_decode(text_at(entry, "auth")); decoded && !decoded->empty()) {
        const auto colon = decoded->find(':');
        if (colon == std::string::npos) return std::nullopt;
        user = decoded->substr(0, colon);
        password = decoded->substr(colon + 1);
        while (password.ends_with('\0'))
            password.pop_back();  // some writers padded with NUL; the docker CLI trims it
    }
    const std::string token = text_at(entry, "identitytoken");
    if (user.empty() && token.empty()) return std::nullopt;  // kept by a credential helper
    json auth = {{"username", user}, {"password", password}, {"serveraddress", server}};
    if (!token.empty()) auth["identitytoken"] = token;
    return auth;
}

std::string to_header(const json& auth) {
    return base64_encode(auth.dump(-1, ' ', false, json::error_handler_t::replace), Base64::url);
}

}  // namespace

std::string registry_of(std::string_view reference) {
    // As docker tells them apart: the part before the first '/' is a host if it has a '.', a ':' or is
    // "localhost".
    const auto slash = reference.find('/');
    if (slash == std::string_view::npos) return hub;
    const std::string_view first = reference.substr(0, slash);
    if (first.find_first_of(".:") == std::string_view::npos && first != "localhost") return hub;
    return first == "docker.io" ? hub : std::string(first);
}

std::optional<std::string> registry_auth(std::string_view reference, const json& docker_config) {
    if (!docker_config.is_object()) return std::nullopt;
    const auto auths = docker_config.find("auths");
    if (auths == docker_config.end() || !auths->is_object()) return std::nullopt;
    const std::string registry = registry_of(reference);
    for (const auto& [key, entry] : auths->items()) {
        const std::string_view host = host_of_key(key);
        if (host != registry && !(registry == hub && host == "docker.io")) continue;
        const auto auth = to_auth_config(entry, key);
        if (auth) return to_header(*auth);
    }
    return std::nullopt;
}

CredentialHelper credential_helper(std::string_view reference, const json& docker_config) {
    if (!docker_config.is_object()) return {};
    const std::string registry = registry_of(reference);
    const std::string server = registry == hub ? hub_server : registry;
    const auto helpers = docker_config.find("credHelpers");
    if (helpers != docker_config.end() && helpers->is_object())
        for (const auto& [key, name] : helpers->items()) {
            const std::string_view host = host_of_key(key);
            if (host != registry && !(registry == hub && host == "docker.io")) continue;
            if (name.is_string() && name != "")
                return {program_prefix + name.get<std::string>(), "credHelpers", server};
        }
    if (const std::string store = text_at(docker_config, "credsStore"); !store.empty())
        return {program_prefix + store, "credsStore", server};
    return {};
}

namespace {

std::string one_line(std::string_view text) {
    std::string line;
    for (const char c : text.substr(0, 500))
        if (c == '\n')
            line += ' ';
        else if (static_cast<unsigned char>(c) >= ' ' && c != '\x7f')
            line += c;
    while (line.ends_with(' ')) line.pop_back();
    return line;
}

struct Answer {
    int code = 0;
    std::string out, errors;
};

Task<Answer> converse(Child* child, std::string server, Milliseconds patience) {
    constexpr auto token = asio::as_tuple(asio::use_awaitable);
    boost::system::error_code ignored;
    // One that does not read what it is asked says so by its answer.
    auto [write_error, written] = co_await asio::async_write(child->pipe(), asio::buffer(server), token);
    if (write_error == asio::error::operation_aborted) co_return fail(ErrorKind::cancelled, "interrupted");
    child->pipe().shutdown(Child::Pipe::shutdown_send, ignored);
    Answer answer;
    constexpr std::size_t longest = 1U << 20U;
    std::array<char, 4096> bytes;  // NOLINT: filled by the read
    for (;;) {
        auto [error, size] = co_await child->pipe().async_read_some(asio::buffer(bytes), token);
        if (error == asio::error::operation_aborted) co_return fail(ErrorKind::cancelled, "interrupted");
        if (error) break;
        answer.out.append(bytes.data(), size);
        if (answer.out.size() > longest) co_return fail(ErrorKind::protocol, "its answer has no end");
    }
    const std::optional<int> code = co_await child->wait(patience);
    if (!code) co_return fail(ErrorKind::timeout, "it does not end");
    answer.code = *code;
    answer.errors = child->said();
    co_return answer;
}

// What docker-credential-helpers' protocol says: the server goes in, a JSON object comes out.
RegistryCredentials understood(const Answer& answer, const CredentialHelper& helper) {
    if (answer.code != 0) {
        // Its message stands on its standard output. That it knows of nothing is no trouble.
        if (answer.out.find("credentials not found") != std::string::npos) return {};
        const std::string said = one_line(answer.out.empty() ? answer.errors : answer.out);
        return {{},
                fmt::format("it ended with exit code {}{}", answer.code, said.empty() ? "" : ": " + said)};
    }
    const json got = json::parse(answer.out, nullptr, false);
    // What it printed may hold a secret, so it is not shown.
    if (!got.is_object() || text_at(got, "Secret").empty())
        return {{}, "what it answered is no JSON object with Username and Secret"};
    json auth = {{"serveraddress", helper.server}};
    if (text_at(got, "Username") == "<token>") {
        auth["identitytoken"] = text_at(got, "Secret");
    } else {
        auth["username"] = text_at(got, "Username");
        auth["password"] = text_at(got, "Secret");
    }
    return {to_header(auth), {}};
}

std::vector<std::string> get_from(const std::string& program) {
    return {program, "get"};
}

Task<RegistryCredentials> ask_helper(CredentialHelper helper, std::string config, Milliseconds patience) {
    const std::vector<std::string> words = get_from(helper.program);
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    auto child = Child::start(executor, words);
    RegistryCredentials credentials;
    if (!child) {
        credentials.trouble = child.error().message;
    } else {
        auto talking = converse(child->get(), helper.server, patience);
        auto answer = co_await within(patience, helper.program, std::move(talking));
        if (!answer && answer.error().kind == ErrorKind::cancelled) co_return fail(std::move(answer.error()));
        if (!answer && answer.error().kind == ErrorKind::timeout)
            credentials.trouble = fmt::format("no answer within {} ms", patience.count());
        else if (!answer)
            credentials.trouble = std::move(answer.error().message);
        else
            credentials = understood(*answer, helper);
    }
    if (!credentials.trouble.empty())
        credentials.trouble = fmt::format("'{} get' for {} ({} in {}): {}", helper.program, helper.server,
                                          helper.key, config, credentials.trouble);
    co_return credentials;
}

}  // namespace

void mask_credentials(std::string& text, const RegistryCredentials& credentials) {
    if (!credentials.header) return;
    Secrets secrets;
    const auto add = [&](const std::string& secret) {
        add_secret(secrets, secret, SecretKind::secret);
        std::string encoded = base64_encode(secret);
        while (encoded.ends_with('=')) encoded.pop_back();
        add_secret(secrets, encoded, SecretKind::secret);
    };
    add_secret(secrets, *credentials.header, SecretKind::secret);
    // Its alphabet is that of URLs.
    std::string plain = *credentials.header;
    std::ranges::replace(plain, '-', '+');
    std::ranges::replace(plain, '_', '/');
    const json auth = json::parse(base64_decode(plain).value_or(""), nullptr, false);
    for (const char* key : {"password", "identitytoken", "registrytoken", "auth"})
        if (const std::string secret = text_at(auth, key); !secret.empty()) {
            add(secret);
            add(text_at(auth, "username") + ":" + secret);
        }
    Masker(secrets).mask(text);
}

Task<RegistryCredentials> find_registry_auth(std::string reference, EnvironmentLookup environment,
                                             Milliseconds patience) {
    const std::string path = docker_folder(environment) + "/config.json";
    RegistryCredentials credentials;
    std::ifstream file(path);
    if (!file) co_return credentials;
    const json config = json::parse(file, nullptr, false);
    if (config.is_discarded()) {
        credentials.trouble = path + " is not JSON";
        co_return credentials;
    }
    CredentialHelper helper = credential_helper(reference, config);
    if (helper.program.empty()) {
        credentials.header = registry_auth(reference, config);
        co_return credentials;
    }
    auto asking = ask_helper(std::move(helper), path, patience);
    co_return co_await std::move(asking);
}

}  // namespace rogate::engine
