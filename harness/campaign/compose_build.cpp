#include "campaign/compose_build.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <nlohmann/json.hpp>

#include "engine/child.hpp"

namespace rogate::campaign {

namespace asio = boost::asio;
using engine::Child;
using engine::Task;

namespace {

// Its standard error goes where its output goes: that is where builders write their log.
std::vector<std::string> with_one_output(std::vector<std::string> command) {
    std::vector<std::string> words{"/bin/sh", "-c", "exec \"$@\" 2>&1", "sh"};
    words.insert(words.end(), command.begin(), command.end());
    return words;
}

// Its exit code, once its output has ended.
Task<int> converse(Child* child, std::string input, std::function<void(const std::string&)> line) {
    constexpr auto token = asio::as_tuple(asio::use_awaitable);
    boost::system::error_code ignored;
    auto [write_error, written] = co_await asio::async_write(child->pipe(), asio::buffer(input), token);
    if (write_error == asio::error::operation_aborted) co_return fail(ErrorKind::cancelled, "interrupted");
    child->pipe().shutdown(Child::Pipe::shutdown_send, ignored);
    std::string pending;
    std::array<char, 16384> bytes;  // NOLINT: filled by the read
    for (;;) {
        auto [error, size] = co_await child->pipe().async_read_some(asio::buffer(bytes), token);
        if (error == asio::error::operation_aborted) co_return fail(ErrorKind::cancelled, "interrupted");
        for (std::size_t i = 0; i < size; ++i) {
            if (bytes[i] != '\n' && bytes[i] != '\r' && pending.size() < 16384) {
                pending += bytes[i];
                continue;
            }
            if (!pending.empty()) line(pending);
            pending.clear();
        }
        if (error) break;
    }
    if (!pending.empty()) line(pending);
    const std::optional<int> code = co_await child->wait(engine::Milliseconds(10'000));
    if (!code) co_return fail(ErrorKind::timeout, "docker closed its output, and does not end");
    co_return *code;
}

Task<int> run(std::vector<std::string> command, std::string input,
              std::function<void(const std::string&)> line) {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const std::vector<std::string> words = with_one_output(std::move(command));
    auto child = Child::start(executor, words);
    if (!child) co_return fail(std::move(child.error()));
    auto talking = converse(child->get(), std::move(input), std::move(line));
    co_return co_await std::move(talking);
}

}  // namespace

Task<bool> has_docker_compose() {
    std::vector<std::string> command;
    for (const char* word : {"docker", "compose", "version"}) command.emplace_back(word);
    auto running = run(std::move(command), {}, [](const std::string&) {});
    auto code = co_await std::move(running);
    if (!code && code.error().kind == ErrorKind::cancelled) co_return fail(std::move(code.error()));
    co_return code.has_value() && *code == 0;
}

std::vector<std::string> compose_command(const engine::Endpoint& endpoint, const BuiltImage& built,
                                         bool pull) {
    // -H, so that neither DOCKER_HOST nor a context leads elsewhere.
    std::vector<std::string> words{"docker", "-H", endpoint.to_string()};
    if (endpoint.kind == engine::Endpoint::Kind::tls) {
        words.emplace_back(endpoint.tls_verify ? "--tlsverify" : "--tls");
        if (!endpoint.cert_path.empty())
            for (const auto& [flag, file] :
                 {std::pair("--tlscacert", "ca.pem"), {"--tlscert", "cert.pem"}, {"--tlskey", "key.pem"}}) {
                words.emplace_back(flag);
                words.push_back(endpoint.cert_path + "/" + file);
            }
    }
    const ImageBuild& build = built.build;
    for (const std::string& word : {std::string("compose"), std::string("--project-name"), build.project,
                                    std::string("--project-directory"), build.project_folder})
        words.push_back(word);
    for (const std::string& file : build.env_files) {
        words.emplace_back("--env-file");
        words.push_back(file);
    }
    for (const std::string& file : build.files) {
        words.emplace_back("-f");
        words.push_back(file);
    }
    for (const char* word : {"-f", "-", "build"}) words.emplace_back(word);
    if (pull) words.emplace_back("--pull");
    words.push_back(built.service);
    return words;
}

std::string compose_override(const BuiltImage& built, const std::string& name,
                             const std::map<std::string, std::string>& labels) {
    // JSON is YAML, but for the tags.
    const auto quoted = [](const std::string& text) { return nlohmann::json(text).dump(); };
    std::string text = fmt::format("services:\n  {}:\n    image: {}\n    build:\n      labels:\n",
                                   quoted(built.service), quoted(name));
    for (const auto& [label, value] : labels)
        text += fmt::format("        {}: {}\n", quoted(label), quoted(value));
    for (const char* key : {"tags", "cache_to", "platforms"})
        text += fmt::format("      {}: !reset []\n", key);
    return text;
}

Task<> build_with_compose(const engine::Endpoint& endpoint, const BuiltImage& built, std::string name,
                          std::map<std::string, std::string> labels, bool pull,
                          std::function<void(const std::string&)> progress) {
    std::vector<std::string> command = compose_command(endpoint, built, pull);
    auto running = run(std::move(command), compose_override(built, name, labels), std::move(progress));
    auto code = co_await std::move(running);
    if (!code) co_return fail(std::move(code.error()));
    if (*code != 0)
        co_return fail(ErrorKind::refused,
                       fmt::format("docker compose build {} ended with exit code {}", built.service, *code));
    co_return Result<>{};
}

}  // namespace rogate::campaign
