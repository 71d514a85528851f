// Commands on this machine, and what they start.
#include "scenario/host_process.hpp"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>

using namespace rogate;
using namespace rogate::scenario;
using engine::Milliseconds;
using testing::HasSubstr;

namespace {

struct Ran {
    Result<std::optional<int>> code = fail(ErrorKind::internal, "it did not run");
    std::string output;
};

Ran run(HostCommand command, int patience_ms = 20'000) {
    boost::asio::io_context context;
    Ran ran;
    auto process = HostProcess::start(context.get_executor(), command);
    EXPECT_TRUE(process);
    const auto whole = [&]() -> boost::asio::awaitable<void> {
        HostProcess::Output take = [&](std::string_view bytes) { ran.output += bytes; };
        auto waiting = (*process)->wait(Milliseconds(patience_ms), std::move(take));
        ran.code = co_await std::move(waiting);
    };
    boost::asio::co_spawn(context, whole(), [](const std::exception_ptr&) {});
    context.run();
    return ran;
}

bool is_gone(pid_t pid) {
    return kill(pid, 0) != 0;
}

}  // namespace

TEST(HostProcess, HasItsDirectoryEnvironmentAndOutput) {
    const Ran ran =
        run({{"sh", "-c", "pwd; echo $GIVEN $HOME; echo wrong >&2; read x || echo no input; exit 7"},
             "/usr",
             {{"GIVEN", "text"}, {"HOME", "/mine"}}});
    EXPECT_EQ(*ran.code, 7);
    EXPECT_EQ(ran.output, "/usr\ntext /mine\nwrong\nno input\n");
}

TEST(HostProcess, ASignalIsNoExitCode) {
    EXPECT_EQ(*run({{"sh", "-c", "kill -9 $$"}, "/", {}}).code, 128 + SIGKILL);
}

TEST(HostProcess, SaysWhyItCannotBeRun) {
    EXPECT_THAT(run({{"rogate-no-such-program"}, "/", {}}).code.error().message,
                HasSubstr("'rogate-no-such-program' cannot be run: No such file or directory"));
    EXPECT_THAT(run({{"true"}, "/nowhere", {}}).code.error().message,
                HasSubstr("'true' cannot be run in /nowhere: No such file"));
}

TEST(HostProcess, NothingOfItIsLeft) {
    // A child that ignores SIGTERM, and one in a session of its own, whose parent has ended.
    const Ran ran =
        run({{"sh", "-c",
              "(trap '' TERM; echo $$; exec sleep 60) & (setsid sh -c 'echo $$; exec sleep 60' &); "
              "sleep 0.3; echo done"},
             "/",
             {}});
    EXPECT_EQ(*ran.code, 0);
    EXPECT_THAT(ran.output, HasSubstr("done"));
    std::istringstream numbers(ran.output);
    int found = 0;
    for (pid_t pid = 0; numbers >> pid; ++found) EXPECT_TRUE(is_gone(pid));
    EXPECT_EQ(found, 2);
}

TEST(HostProcess, IsEndedWhenItsTimeIsOver) {
    const auto start = std::chrono::steady_clock::now();
    const Ran ran = run({{"sh", "-c", "echo begun; sleep 60"}, "/", {}}, 300);
    ASSERT_TRUE(ran.code);
    EXPECT_EQ(*ran.code, std::nullopt);
    EXPECT_EQ(ran.output, "begun\n");
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(HostProcess, EndsWithItsOwner) {
    boost::asio::io_context context;
    const auto file = std::filesystem::temp_directory_path() / "rogate-unit-host-process";
    std::filesystem::remove(file);
    auto process = HostProcess::start(context.get_executor(),
                                      {{"sh", "-c", "echo $$ >" + file.string() + "; sleep 60"}, "/", {}});
    ASSERT_TRUE(process);
    pid_t pid = 0;
    while (!(std::ifstream(file) >> pid)) usleep(1000);
    process->reset();
    EXPECT_TRUE(is_gone(pid));
    std::filesystem::remove(file);
}
