#include <gtest/gtest.h>

#include <latch>
#include <rogate/shared_text.hpp>
#include <thread>
#include <vector>

namespace rogate {
namespace {

TEST(SharedText, IsTheTextThatItWasMadeOf) {
    const SharedText text = "/data/x";
    EXPECT_EQ(text, "/data/x");
    EXPECT_EQ(text.str(), "/data/x");
    EXPECT_EQ(text.size(), 7U);
    EXPECT_NE(text, std::string("/data"));
    EXPECT_EQ(SharedText(std::string("a\0b", 3)).str(), std::string("a\0b", 3));
    EXPECT_EQ(SharedText(std::string(100'000, 'x')).size(), 100'000U);
}

TEST(SharedText, EmptyOnesAreTheEmptyText) {
    EXPECT_TRUE(SharedText().empty());
    EXPECT_TRUE(SharedText("").empty());
    EXPECT_EQ(SharedText(), SharedText(""));
    EXPECT_EQ(SharedText().view(), "");
    EXPECT_FALSE(SharedText("x").empty());
}

TEST(SharedText, ACopyIsTheSameInMemoryAndOutlivesTheFirst) {
    SharedText copy;
    {
        const SharedText first = "/data/a path that is long enough to be allocated";
        copy = first;
        EXPECT_TRUE(copy.is_copy_of(first));
        EXPECT_FALSE(SharedText(first.view()).is_copy_of(first)) << "made of the same text, and equal";
        EXPECT_EQ(SharedText(first.view()), first);
    }
    EXPECT_EQ(copy, "/data/a path that is long enough to be allocated");
    SharedText& same = copy;
    copy = same;
    EXPECT_EQ(copy.size(), 48U);
    const SharedText moved = std::move(copy);
    EXPECT_EQ(moved.size(), 48U);
}

TEST(SharedText, AreSortedByTheirBytes) {
    EXPECT_LT(SharedText("/a"), SharedText("/b"));
    EXPECT_LT(SharedText(), SharedText("/"));
    EXPECT_LT(SharedText("a"), SharedText("\xff"));
}

TEST(SharedText, CanBeCopiedByThreadsAtTheSameTime) {
    // An owner that is not counted gives the text back too early, which the allocator sees sooner or later.
    std::vector<SharedText> texts(1000);
    for (std::size_t i = 0; i < texts.size(); ++i) texts[i] = "/data/a path of its own " + std::to_string(i);
    std::latch together(4);
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                together.arrive_and_wait();
                for (int n = 0; n < 2'000; ++n) std::vector<SharedText>(texts).clear();
            });
    }
    for (std::size_t i = 0; i < texts.size(); ++i)
        EXPECT_EQ(texts[i], "/data/a path of its own " + std::to_string(i));
}

}  // namespace
}  // namespace rogate
