#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

extern "C" {
#include "observe/protocol.h"
// Its last member has no size, which C++ does not know.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#include "observe/ptrace_agent/account.h"
#pragma GCC diagnostic pop
}

namespace {

struct Free {
    void operator()(account* made) const { std::free(made); }
};

std::unique_ptr<account, Free> make(std::uint64_t ring_bytes) {
    auto* made = static_cast<account*>(std::calloc(1, sizeof(account) + ring_bytes));
    made->ring_bytes = ring_bytes;
    return std::unique_ptr<account, Free>(made);
}

bool put(account& to, const std::string& text, std::uint32_t fixed = 7) {
    const char* texts[] = {text.c_str()};
    return account_put(&to, FRAME_ATTEMPT, &fixed, sizeof fixed, texts, 1) != 0;
}

// The text of the next frame; "-": there is none.
std::string take(account& from) {
    std::vector<unsigned char> frame(PROTOCOL_MAX_FRAME + sizeof(frame_header));
    const std::size_t size = account_take(&from, frame.data());
    if (!size) return "-";
    return std::string(frame.begin() + sizeof(frame_header) + 4 + 2, frame.begin() + static_cast<long>(size));
}

TEST(PtraceAccount, GivesWhatWasPutThereInItsOrder) {
    const auto account = make(4096);
    EXPECT_EQ(take(*account), "-");
    EXPECT_TRUE(put(*account, "one"));
    EXPECT_TRUE(put(*account, "two"));
    EXPECT_EQ(take(*account), "one");
    EXPECT_EQ(take(*account), "two");
    EXPECT_EQ(take(*account), "-");
}

TEST(PtraceAccount, GoesRoundManyTimes) {
    const auto account = make(256);
    for (int i = 0; i < 1000; ++i) {
        const std::string text = std::string(static_cast<std::size_t>(i % 150), 'x') + std::to_string(i);
        ASSERT_TRUE(put(*account, text));
        ASSERT_EQ(take(*account), text);
    }
}

TEST(PtraceAccount, SaysWhenItIsFullAndLosesNothingOfWhatIsThere) {
    const auto account = make(128);
    int held = 0;
    while (put(*account, "0123456789")) ++held;
    EXPECT_EQ(held, 128 / (8 + 4 + 2 + 10));
    for (int i = 0; i < held; ++i) EXPECT_EQ(take(*account), "0123456789");
    EXPECT_EQ(take(*account), "-");
    EXPECT_TRUE(put(*account, "again"));
}

TEST(PtraceAccount, DoesNotBelieveWhatTheOtherSideWrote) {
    const auto account = make(256);
    put(*account, "one");
    const frame_header huge = {0xffffffff, FRAME_ATTEMPT, 0};
    std::memcpy(account->ring, &huge, sizeof huge);
    EXPECT_EQ(take(*account), "-");
    account->head = account->tail + 100000;
    EXPECT_EQ(take(*account), "-");
}

TEST(PtraceAccount, TheFirstProblemStays) {
    const auto account = make(64);
    account_problem(account.get(), "first");
    account_problem(account.get(), "second");
    EXPECT_STREQ(account->problem, "first");
}

}  // namespace
