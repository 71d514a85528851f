// What the client sends, held against the published Engine API specifications
// (tests/engine-api/engine-api.json).
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "unit/engine/fake_engine.hpp"

namespace rogate::engine {
namespace {

using nlohmann::json;

const json& specifications() {
    static const json read = [] {
        std::ifstream file(ROGATE_SOURCE_DIR "/tests/engine-api/engine-api.json");
        return json::parse(file).at("versions");
    }();
    return read;
}

// Empty if `value` is of the shape that the specification gives, else where and how it is not.
std::string misfit(const json& value, const json& shape, const std::string& where) {
    if (shape == "any") return {};
    if (shape.is_string()) {
        const std::string& type = shape.get_ref<const std::string&>();
        const bool fits = type == "string"    ? value.is_string()
                          : type == "boolean" ? value.is_boolean()
                          : type == "integer" ? value.is_number_integer()
                          : type == "number"  ? value.is_number()
                                              : type == "object" && value.is_object();
        return fits ? "" : where + " should be of type " + type;
    }
    if (shape.is_array()) {
        if (!value.is_array()) return where + " should be an array";
        for (const json& each : value)
            if (auto wrong = misfit(each, shape[0], where + "[]"); !wrong.empty()) return wrong;
        return {};
    }
    if (!value.is_object()) return where + " should be an object";
    for (const auto& [name, each] : value.items()) {
        const auto known = shape.contains(name) ? shape.find(name) : shape.find("*");
        if (known == shape.end()) return where + "." + name + " is not in the specification";
        if (auto wrong = misfit(each, *known, where + "." + name); !wrong.empty()) return wrong;
    }
    return {};
}

ContainerSpec everything() {
    ContainerSpec spec;
    spec.name = "n";
    spec.image = "i";
    spec.entrypoint = spec.cmd = std::vector<std::string>{"a"};
    spec.user = spec.working_dir = spec.hostname = spec.stop_signal = "x";
    spec.env = {"A=b"};
    spec.labels = {{"l", "v"}};
    spec.mounts = {{.type = MountSpec::Type::bind,
                    .source = "/s",
                    .target = "/t",
                    .read_only = true,
                    .no_copy = false,
                    .propagation = "rslave"},
                   {.type = MountSpec::Type::volume,
                    .source = "v",
                    .target = "/v",
                    .read_only = false,
                    .no_copy = true,
                    .propagation = {}}};
    spec.tmpfs = {{"/run", "size=1m"}};
    spec.publish = {{}};
    spec.publish[0].container_port = 80;
    spec.cap_add = spec.cap_drop = spec.security_opt = {"x"};
    spec.health = HealthSpec{
        .test = {"CMD", "true"}, .interval_ms = 1, .timeout_ms = 1, .start_period_ms = 1, .retries = 1};
    spec.ulimits = {{"nofile", 10}};
    spec.sysctls = {{"a", "b"}};
    spec.shm_size = spec.memory = 1 << 20;
    spec.network_mode = "net";
    spec.network_aliases = {"alias"};
    spec.pid_mode = "host";
    spec.restart = "on-failure";
    spec.restart_tries = 3;
    spec.init = spec.privileged = spec.read_only_rootfs = spec.auto_remove = spec.open_stdin = true;
    return spec;
}

BuildSpec whole_build() {
    BuildSpec spec;
    spec.name = spec.dockerfile = spec.target = spec.network = spec.platform = "x";
    spec.args = spec.labels = {{"a", "b"}};
    spec.extra_hosts = spec.cache_from = {"h:1"};
    spec.shm_size = 1;
    spec.pull = spec.no_cache = true;
    return spec;
}

class Conformity : public ::testing::TestWithParam<std::string> {
  protected:
    // Makes one call against an engine of this version that answers with `reply`, and checks all that was
    // sent.
    template <class Call>
    void check(const std::string& reply, Call call) {
        asio::io_context context;
        fake::Engine engine;
        engine.exchanges.push_back(
            {fake::reply(200, R"({"ApiVersion":")" + GetParam() + R"(","MinAPIVersion":"1.24"})"),
             false,
             {}});
        for (int i = 0; i < 3; ++i) engine.exchanges.push_back({reply, false, {}});
        Client client(context.get_executor(), std::make_unique<fake::FakeTransport>(engine), Endpoint{});
        ASSERT_TRUE(fake::run(context, client.negotiate()).has_value());
        (void)fake::run(context, call(client));
        ASSERT_GT(engine.next, 1U);
        for (std::size_t i = 1; i < engine.next; ++i) check_request(engine.request_line(i), engine.body(i));
    }

    void check_request(const std::string& line, const std::string& body) {
        const json& spec = specifications().at(GetParam());
        std::istringstream words(line);
        std::string method, target;
        words >> method >> target;
        const std::string prefix = "/v" + GetParam();
        ASSERT_TRUE(target.starts_with(prefix)) << line;
        target.erase(0, prefix.size());
        const auto mark = target.find('?');
        const std::string path = target.substr(0, mark),
                          query = mark == std::string::npos ? "" : target.substr(mark + 1);
        const std::string call = find_call(spec.at("calls"), method, path);
        ASSERT_FALSE(call.empty()) << line << " is no call of API " << GetParam();
        std::istringstream pairs(query);
        for (std::string pair; std::getline(pairs, pair, '&');) {
            const std::string name = pair.substr(0, pair.find('='));
            const json& known = spec.at("calls").at(call);
            EXPECT_NE(std::find(known.begin(), known.end(), name), known.end())
                << line << ": no parameter " << name;
        }
        const std::string bare = call.substr(call.find(' ') + 1);
        if (method == "POST" && spec.at("bodies").contains(bare)) {
            const std::string wrong = misfit(json::parse(body), spec.at("bodies").at(bare), call);
            EXPECT_EQ(wrong, "") << "API " << GetParam();
        }
    }

    // "/containers/c1/start" is "POST /containers/{id}/start".
    static std::string find_call(const json& calls, const std::string& method, const std::string& path) {
        for (const auto& [call, parameters] : calls.items()) {
            if (!call.starts_with(method + " ")) continue;
            std::istringstream wanted(call.substr(method.size() + 1)), given(path);
            std::string a, b;
            bool same = true;
            while (same) {
                const bool more = static_cast<bool>(std::getline(wanted, a, '/'));
                if (more != static_cast<bool>(std::getline(given, b, '/'))) same = false;
                if (!more) break;
                same = same && (a == b || a.starts_with('{'));
            }
            if (same) return call;
        }
        return {};
    }
};

TEST_P(Conformity, EveryCallIsInTheSpecification) {
    const std::string ok = fake::reply(200, R"({"Id":"x","Running":false})"), list = fake::reply(200, "[]");
    check(ok, [](Client& c) { return c.info(); });
    check(ok, [](Client& c) { return c.image_inspect("a:b"); });
    check(ok, [](Client& c) { return c.image_import("r", "t", "tar", {"CMD x"}); });
    check(ok, [](Client& c) { return c.image_pull("r:t"); });
    check(ok, [](Client& c) {
        return c.image_build(
            whole_build(), []() -> Task<std::string> { co_return std::string(); }, [](const std::string&) {});
    });
    check(ok, [](Client& c) { return c.image_remove("i", true); });
    check(list, [](Client& c) { return c.image_list("l"); });
    check(ok, [](Client& c) { return c.container_create(everything()); });
    check(ok, [](Client& c) { return c.container_start("c"); });
    check(ok, [](Client& c) { return c.container_inspect("c"); });
    check(ok, [](Client& c) { return c.container_wait("c", Milliseconds(1000)); });
    check(ok, [](Client& c) { return c.container_stop("c", 3); });
    check(ok, [](Client& c) { return c.container_kill("c", "HUP"); });
    check(ok, [](Client& c) { return c.container_remove("c"); });
    check(list, [](Client& c) { return c.container_list("l"); });
    check(fake::reply(200, ""), [](Client& c) { return c.container_logs("c", 100, 5); });
    check(ok, [](Client& c) { return c.container_attach("c", true); });
    check(fake::reply(200, R"({"Id":"x","Running":false})"), [](Client& c) {
        ExecSpec spec;
        spec.command = {"a"};
        spec.env = {"A=b"};
        spec.user = spec.working_dir = "x";
        spec.stdin_text = "in";
        return c.exec("c", spec, Milliseconds(1000));
    });
    check(ok, [](Client& c) { return c.archive_put("c", "/", "tar"); });
    check(ok, [](Client& c) {
        return c.archive_get("c", "/", [](std::string_view) -> Result<bool> { return true; });
    });
    check(ok, [](Client& c) { return c.archive_stat("c", "/"); });
    check(ok, [](Client& c) {
        return c.volume_create(
            {.name = "v", .driver = "local", .options = {{"type", "overlay"}}, .labels = {{"l", "v"}}});
    });
    check(ok, [](Client& c) { return c.volume_inspect("v"); });
    check(ok, [](Client& c) { return c.volume_remove("v"); });
    check(ok, [](Client& c) { return c.volume_list("l"); });
    check(ok, [](Client& c) { return c.network_create("n", {{"l", "v"}}); });
    check(ok, [](Client& c) { return c.network_remove("n"); });
    check(list, [](Client& c) { return c.network_list("l"); });
    check(ok, [](Client& c) {
        return c.events(json{{"type", {"container"}}}, [](const json&) { return false; });
    });
}

TEST(ConformityCheck, NoticesWhatIsWrong) {
    const json shape = {
        {"Name", "string"}, {"Labels", {{"*", "string"}}}, {"List", json::array({"integer"})}};
    EXPECT_EQ(misfit({{"Name", "x"}, {"Labels", {{"a", "b"}}}, {"List", {1}}}, shape, "b"), "");
    EXPECT_EQ(misfit({{"name", "x"}}, shape, "b"), "b.name is not in the specification");
    EXPECT_EQ(misfit({{"Name", 1}}, shape, "b"), "b.Name should be of type string");
    EXPECT_EQ(misfit({{"List", {"x"}}}, shape, "b"), "b.List[] should be of type integer");
}

INSTANTIATE_TEST_SUITE_P(Versions, Conformity, ::testing::Values("1.41", "1.44", "1.47", "1.51", "1.55"),
                         [](const auto& each) {
                             std::string name = each.param;
                             name[1] = '_';
                             return name;
                         });

}  // namespace
}  // namespace rogate::engine
