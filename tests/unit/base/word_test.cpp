#include <gtest/gtest.h>

#include <latch>
#include <rogate/word.hpp>
#include <thread>
#include <vector>

namespace rogate {
namespace {

TEST(Word, IsTheTextThatItWasMadeOf) {
    const Word word = "openat";
    EXPECT_EQ(word.str(), "openat");
    EXPECT_EQ(word, "openat");
    EXPECT_EQ("openat", word);
    EXPECT_NE(word, std::string("open"));
    EXPECT_EQ(std::string(word), "openat");
    EXPECT_EQ(Word(std::string("a\0b", 3)).str().size(), 3U);
}

TEST(Word, EqualTextsAreKeptOnce) {
    const std::string one = "step upload", other = "step upload";
    EXPECT_EQ(Word(one), Word(other));
    EXPECT_EQ(&Word(one).str(), &Word(other).str());
    EXPECT_NE(Word(one), Word("step download"));
}

TEST(Word, EmptyOnesAreOne) {
    EXPECT_TRUE(Word().empty());
    EXPECT_EQ(Word(), Word(""));
    EXPECT_EQ(Word().str(), "");
    EXPECT_FALSE(Word("x").empty());
}

TEST(Word, AreSortedAsTheirTexts) {
    const Word last = "b", first = "a";  // in this order, so that their places in memory say nothing
    EXPECT_LT(first, last);
    EXPECT_LT(Word(), first);
    EXPECT_FALSE(first < first);
}

TEST(Word, CanBeMadeByThreadsAtTheSameTime) {
    std::vector<std::vector<Word>> made(4);
    std::latch together(4);
    {
        std::vector<std::jthread> threads;
        for (auto& mine : made)
            threads.emplace_back([&] {
                together.arrive_and_wait();
                for (int i = 0; i < 20'000; ++i) mine.emplace_back("thread word " + std::to_string(i));
            });
    }
    for (const auto& mine : made) EXPECT_EQ(mine, made.front());
    for (int i = 0; i < 20'000; ++i)
        EXPECT_EQ(made.front()[static_cast<std::size_t>(i)], "thread word " + std::to_string(i));
}

}  // namespace
}  // namespace rogate
