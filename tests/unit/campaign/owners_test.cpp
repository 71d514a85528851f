#include "campaign/owners.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>

#include <cstring>

#include "campaign/tar.hpp"

namespace rogate::campaign {
namespace {

using testing::HasSubstr;

// "path uid:gid mode content" of each entry.
std::vector<std::string> listed(const std::string& tar) {
    std::vector<std::string> lines;
    archive* reader = archive_read_new();
    archive_read_support_format_tar(reader);
    archive_read_open_memory(reader, tar.data(), tar.size());
    archive_entry* entry = nullptr;
    while (archive_read_next_header(reader, &entry) == ARCHIVE_OK) {
        std::string content(static_cast<std::size_t>(archive_entry_size(entry)), ' ');
        if (!content.empty()) archive_read_data(reader, content.data(), content.size());
        lines.push_back(std::string(archive_entry_pathname(entry)) + " " +
                        std::to_string(archive_entry_uid(entry)) + ":" +
                        std::to_string(archive_entry_gid(entry)) + " " +
                        std::to_string(archive_entry_perm(entry)) + " " + content);
    }
    archive_read_free(reader);
    return lines;
}

std::string tree(const std::vector<TarEntry>& entries) {
    return tar_of(entries).value();
}

TEST(Owners, AreReadWithNamesOfAllBytes) {
    EXPECT_EQ(
        owners_of("0 0 \n33 34 a/b\n4294967294 1 with\\040space\\012and\\134\n1 2 \xff\nend\n").value(),
        (Owners{{"", {0, 0}}, {"a/b", {33, 34}}, {"with space\nand\\", {4294967294, 1}}, {"\xff", {1, 2}}}));
    EXPECT_EQ(owners_of("end\n").value(), Owners{});
}

TEST(Owners, HalfAListIsNone) {
    const std::string said = "0 0 \n33 34 a/b\nend\n";
    for (std::size_t size = 0; size < said.size(); ++size)
        EXPECT_EQ(owners_of(std::string_view(said).substr(0, size)).error().kind, ErrorKind::protocol)
            << size;
    for (const char* broken :
         {"x 0 a\nend\n", "0 a\nend\n", "0 0\nend\n", "99999999999 0 a\nend\n", "-1 0 a\nend\n"})
        EXPECT_THAT(owners_of(broken).error().message, HasSubstr("the list of owners is broken at '"))
            << broken;
}

TEST(Owners, AreGivenToWhatEngineWritesInItsOwnWay) {
    const Owners owners = {{"", {1, 2}}, {"a", {3, 4}}, {"a/b", {5, 6}}};
    for (const char* prefix : {"", "./", "/"}) {
        const std::string before = prefix;
        const std::string tar = tree({{.name = before + "a/", .type = TarEntry::Type::folder, .mode = 0750},
                                      {.name = before + "a/b", .mode = 0640, .content = "text"}});
        const auto after = with_owners(tar, owners);
        ASSERT_TRUE(after) << after.error().message;
        EXPECT_EQ(listed(*after),
                  (std::vector<std::string>{before + "a/ 3:4 488 ", before + "a/b 5:6 416 text"}));
    }
    EXPECT_EQ(listed(with_owners(tree({{.name = "./", .type = TarEntry::Type::folder, .mode = 0700}}), owners)
                         .value()),
              std::vector<std::string>{"./ 1:2 448 "});
}

TEST(Owners, OfASingleFileAreThoseOfTheWhole) {
    EXPECT_EQ(listed(with_owners(tree({{.name = "one.conf", .mode = 0644, .content = "x"}}), {{"", {33, 34}}})
                         .value()),
              std::vector<std::string>{"one.conf 33:34 420 x"});
}

TEST(Owners, WhatCameOrWentMeanwhileIsNoCopy) {
    const auto changed = with_owners(tree({{.name = "new", .mode = 0644}}), {{"", {0, 0}}, {"old", {0, 0}}});
    EXPECT_EQ(changed.error().kind, ErrorKind::engine);
    EXPECT_THAT(changed.error().message, HasSubstr("'new' changed while it was copied"));
}

// Podman's reader goes away at the end, and what is still to be written then is a failure to it.
TEST(Owners, NothingFollowsTheEndOfATar) {
    const std::string tar = tree({{.name = "a", .mode = 0644, .content = "x"}});
    EXPECT_EQ(tar.size(), 512U + 512U + 1024U);
    EXPECT_EQ(with_owners(tar, {{"", {0, 0}}}).value().size(), tar.size());
}

std::string header(char type, const char* size) {
    std::string block(512, '\0');
    block[0] = 'x';
    block[156] = type;
    block.replace(124, std::strlen(size), size);
    return block;
}

TEST(Tar, AFileWithoutContentCountsWhereItIsAskedFor) {
    const std::string folder = header('5', "00000000000"), end(1024, '\0');
    const std::string left_over = folder + header('0', "00000000000") + end;
    EXPECT_EQ(tar_holds_files(folder + end), false);
    EXPECT_EQ(tar_holds_files(left_over), true);
    EXPECT_EQ(tar_holds_files(left_over, false), false);
    EXPECT_EQ(tar_holds_files(folder + header('0', "00000000001") + end, false), true);
    EXPECT_EQ(tar_holds_files(folder + header('0', "\x80") + end, false), true) << "eight gigabytes";
    EXPECT_EQ(tar_holds_files(folder + header('2', "00000000000") + end, false), true) << "a link";
}

}  // namespace
}  // namespace rogate::campaign
