#include "base/masker.hpp"

#include <gmock/gmock.h>

#include <random>

namespace rogate {
namespace {

using In = Masker::In;

Masker masker(std::initializer_list<const char*> secrets, SecretKind kind = SecretKind::secret) {
    Secrets all;
    for (const char* each : secrets) add_secret(all, each, kind);
    return Masker(all);
}

TEST(Masker, PutsAMarkInPlaceOfEachStretch) {
    struct Case {
        std::initializer_list<const char*> secrets;
        const char *text, *masked;
    };
    for (const Case& each : std::vector<Case>{
             {{"pass", "password123", "password", "abc"}, "password123 password pass1234", "*** *** ***1234"},
             {{"abcd", "cdef"}, "xabcdefx", "x***x"},
             {{"abcd"}, "abcdabcd", "***"},
             {{"aaaa"}, "aaaaaaa", "***"},
             {{"line1\nline2"}, "a line1\nline2 b", "a *** b"},
             {{"abc"}, "abc", "abc"},
             {{}, "text", "text"}})
        EXPECT_EQ(masker(each.secrets).masked(each.text), each.masked) << each.text;
}

TEST(Masker, LeavesWhatIsNoSecretInPaths) {
    const Masker plain = masker({"/data/pg", "C.UTF-8"}, SecretKind::environment);
    EXPECT_EQ(plain.masked("/data/pg/x", In::path), "/data/pg/x");
    EXPECT_EQ(plain.masked("/data/pg/x", In::text), "***/x");
    EXPECT_FALSE(plain.covers("/data/pg", In::path));
    EXPECT_EQ(masker({"hunter22"}).masked("/data/hunter22/x", In::path), "/data/***/x");
}

TEST(Masker, TakesTheRestOfASecretAtACut) {
    const Masker it = masker({"secret-token"});
    EXPECT_EQ(it.masked("token and more", In::text, {.front = true}), "*** and more");
    EXPECT_EQ(it.masked("more and sec", In::text, {.back = true}), "more and ***");
    EXPECT_EQ(it.masked("ret-tok", In::text, {.front = true, .back = true}), "***");
    EXPECT_EQ(it.masked("token and sec"), "token and sec");
    std::string text = "token, secret-token, sec";
    it.mask_cut(text, {.front = true, .back = true});
    EXPECT_EQ(text, "***, secret-token, ***");
}

TEST(Masker, ShowsNoPartOfASecretWhereverALogIsCut) {
    const std::string secret = "abcdefghijklmnop\nqrstuvwxyzab";
    const Masker it = masker({secret.c_str()});
    const std::string log = "12345\n" + secret + "67890\n" + secret + "\n";
    const auto letters = [](const std::string& text) {
        return text.find_first_of("abcdefghijklmnopqrstuvwxyz");
    };
    for (std::size_t kept = 0; kept <= log.size(); ++kept)
        for (std::size_t limit = 0; limit <= 40; limit += 3)
            for (const std::size_t lines : {1U, 2U, 9U}) {
                const std::string shown =
                    masked_end(it, log.substr(log.size() - kept), kept < log.size(), limit, lines);
                EXPECT_EQ(letters(shown), std::string::npos) << kept << " " << limit << ": " << shown;
                EXPECT_LE(shown.size(), limit);
            }
    for (std::size_t limit = 0; limit <= log.size(); ++limit)
        EXPECT_EQ(letters(masked_beginning(it, log, limit)), std::string::npos) << limit;
}

TEST(Masker, KeepsTheLastLines) {
    EXPECT_EQ(masked_end({}, "a\nb\nc\n", false, 100, 2), "b\nc\n");
    EXPECT_EQ(masked_end({}, "a\nb\nc", false, 100, 1), "c");
    EXPECT_EQ(masked_end({}, "a\nb\n", false, 100, 9), "a\nb\n");
    EXPECT_EQ(masked_end({}, "", false, 100, 9), "");
    EXPECT_EQ(masked_end({}, "xäy", false, 2, 1), "y");
    EXPECT_EQ(masked_beginning({}, "äöü", 3), "ä…");
}

// Whatever the secrets and the text: none is left, and nothing else is gone.
TEST(Masker, LeavesNoSecretAndNothingElseOut) {
    std::mt19937 random(4711);
    const auto some = [&](std::size_t least, std::size_t most) {
        std::string text;
        const std::size_t size = least + random() % (most - least + 1);
        while (text.size() < size) text += static_cast<char>('a' + random() % 3);
        return text;
    };
    for (int time = 0; time < 3000; ++time) {
        Secrets secrets;
        for (std::size_t i = 1 + random() % 4; i > 0; --i)
            add_secret(secrets, some(4, 7), SecretKind::secret);
        const std::string text = some(0, 40);
        const std::string masked = Masker(secrets).masked(text);
        std::vector<bool> covered(text.size());
        for (const auto& [secret, kind] : secrets) {
            ASSERT_EQ(masked.find(secret), std::string::npos) << text;
            for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 1))
                std::fill_n(covered.begin() + static_cast<std::ptrdiff_t>(at), secret.size(), true);
        }
        std::string wanted;
        for (std::size_t i = 0; i < text.size(); ++i)
            if (!covered[i])
                wanted += text[i];
            else if (i == 0 || !covered[i - 1])
                wanted += "***";
        ASSERT_EQ(masked, wanted) << text;
    }
}

}  // namespace
}  // namespace rogate
