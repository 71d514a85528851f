// POST /build: what is asked, and how a context is sent that nobody has in memory.
#include <gmock/gmock.h>

#include "unit/engine/fake_engine.hpp"

namespace rogate::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(BuildTarget, HasWhatIsSaidAndNothingElse) {
    BuildSpec spec;
    spec.name = "rogate/a:1";
    EXPECT_EQ(to_build_target(spec), "/build?rm=1&forcerm=1&t=rogate%2Fa%3A1");
    spec.remote = "https://x/y.git#main:sub";
    spec.dockerfile = "a b";
    spec.target = "t";
    spec.network = "none";
    spec.platform = "linux/arm64";
    spec.args = {{"A", "1&2"}};
    spec.labels = {{"l", "v"}};
    spec.cache_from = {"c"};
    spec.extra_hosts = {"h:1.2.3.4", "i:::1"};
    spec.shm_size = 64;
    spec.pull = spec.no_cache = true;
    EXPECT_EQ(to_build_target(spec),
              "/build?rm=1&forcerm=1&t=rogate%2Fa%3A1&remote=https%3A%2F%2Fx%2Fy.git%23main%3Asub"
              "&dockerfile=a%20b&target=t&networkmode=none&platform=linux%2Farm64"
              "&buildargs=%7B%22A%22%3A%221%262%22%7D&labels=%7B%22l%22%3A%22v%22%7D&cachefrom=%5B%22c%22%5D"
              "&extrahosts=h%3A1.2.3.4&extrahosts=i%3A%3A%3A1&shmsize=64&pull=1&nocache=1");
}

class Build : public testing::Test {
  protected:
    Result<> build(std::vector<Result<std::string>> pieces, const std::string& said) {
        engine.exchanges.push_back(
            {fake::reply(200, R"({"ApiVersion":"1.41","MinAPIVersion":"1.12"})"), false, {}});
        engine.exchanges.push_back({fake::reply(200, said), false, {}, writes});
        Client client(context.get_executor(), std::make_unique<fake::FakeTransport>(engine), Endpoint{});
        EXPECT_TRUE(fake::run(context, client.negotiate()).has_value());
        client.set_registry_auth([this](const std::string& reference) {
            bases.push_back(reference);
            return reference == "reg.io/a"
                       ? std::optional<std::string>("eyJzZXJ2ZXJhZGRyZXNzIjoicmVnLmlvIn0=")
                       : std::nullopt;
        });
        std::size_t next = 0;
        ByteSource source = [&]() -> Task<std::string> {
            co_return next < pieces.size() ? pieces[next++] : Result<std::string>(std::string());
        };
        BuildSpec spec;
        spec.name = "a";
        spec.bases = {"reg.io/a", "b"};
        return fake::run(context, client.image_build(spec, source, [this](const std::string& line) {
            lines.push_back(line);
        }));
    }
    asio::io_context context;
    fake::Engine engine;
    std::optional<int> writes;
    std::vector<std::string> lines, bases;
};

TEST_F(Build, SendsTheContextPieceByPieceAndCredentialsOfItsBases) {
    ASSERT_TRUE(build({std::string("0123456789abcdef"), std::string("end")},
                      "{\"stream\":\"Step 1\\n\"}\n{\"stream\":\"a\"}\n{\"stream\":\"b\\r\\nc\"}\n"
                      "{\"status\":\"Pulling\"}\n{\"status\":\"x\",\"progress\":\"=>\"}\n"));
    const std::string& sent = engine.exchanges[1].sent;
    EXPECT_THAT(sent, HasSubstr("Transfer-Encoding: chunked\r\n"));
    EXPECT_THAT(sent, testing::Not(HasSubstr("Content-Length")));
    EXPECT_THAT(sent,
                HasSubstr("X-Registry-Config: eyJyZWcuaW8iOnsic2VydmVyYWRkcmVzcyI6InJlZy5pbyJ9fQ==\r\n"));
    EXPECT_TRUE(sent.ends_with("\r\n\r\n10\r\n0123456789abcdef\r\n3\r\nend\r\n0\r\n\r\n")) << sent;
    EXPECT_THAT(lines, ElementsAre("Step 1", "ab", "Pulling", "c"));
    EXPECT_THAT(bases, ElementsAre("reg.io/a", "b"));
}

TEST_F(Build, FailsWithWhatTheEngineSays) {
    const auto failed = build({}, "{\"stream\":\"Step 1\\n\"}\n{\"error\":\"code: 1\"}\n");
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().message, "engine: POST /build: code: 1");
    EXPECT_THAT(lines, ElementsAre("Step 1"));
}

TEST_F(Build, OfAContextThatCannotBeReadIsGivenUp) {
    const auto failed = build({std::string("a"), fail(ErrorKind::io, "/c/a changed")}, "");
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message, HasSubstr("/c/a changed"));
    EXPECT_EQ(failed.error().kind, ErrorKind::io);
}

// It has said why before the context was whole.
TEST_F(Build, OfAnEngineThatRefusesEarlySaysWhy) {
    writes = 2;
    const auto failed =
        build({std::string("a"), std::string("b"), std::string("c")}, "{\"error\":\"too big\"}\n");
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().message, "engine: POST /build: too big");
}

}  // namespace
}  // namespace rogate::engine
