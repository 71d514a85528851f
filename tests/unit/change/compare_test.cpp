#include "change/compare.hpp"

#include <gtest/gtest.h>

namespace rogate::change {
namespace {

struct File {
    std::string name, before, now;  // empty: there is none
};

std::vector<std::string> made(const std::vector<File>& files) {
    audit::Audit before, now;
    for (const File& file : files) {
        if (!file.before.empty()) audit::read_text(file.before, file.name, before);
        if (!file.now.empty()) audit::read_text(file.now, file.name, now);
    }
    EXPECT_TRUE(before.troubles.empty() && now.troubles.empty());
    std::vector<std::string> list;
    for (const Change& change : made_read_only(before, now))
        list.push_back(change.declared.file + ":" + std::to_string(change.declared.line) + " " + change.name +
                       " " + change.container + " " + change.target);
    return list;
}

std::string compose(const std::string& volumes, const std::string& more = "") {
    return "services:\n  web:\n    image: x\n    volumes: [" + volumes + "]\n" + more;
}

using List = std::vector<std::string>;

TEST(Since, OnlyWhatWasWritableBefore) {
    EXPECT_EQ(made({{"compose.yaml", compose("a:/a, b:/b, c:/c:ro, d:/d:ro"),
                     compose("a:/a:ro, b:/b, c:/c:ro, d:/d, e:/e:ro")}}),
              (List{"compose.yaml:4 web  /a"}));
    EXPECT_EQ(made({{"compose.yaml", compose("a:/a"), compose("a:/a", "    read_only: true\n")}}),
              (List{"compose.yaml:5 web  /"}));
    EXPECT_EQ(made({{"compose.yaml", compose("a:/a"),
                     compose("{type: volume, source: a, target: /a, read_only: true}")}}),
              (List{"compose.yaml:4 web  /a"}));
}

TEST(Since, ARenamedFileIsTheSame) {
    EXPECT_EQ(made({{"old.yaml", compose("a:/a"), ""}, {"new.yaml", "", compose("a:/a:ro")}}),
              (List{"new.yaml:4 web  /a"}));
    // The old one is still there, so the new one is another.
    EXPECT_EQ(made({{"old.yaml", compose("a:/a"), compose("a:/a")}, {"new.yaml", "", compose("a:/a:ro")}}),
              List{});
}

TEST(Since, AnOverrideIsReadWithWhatItIsMergedOver) {
    const std::string base = compose("a:/a, b:/b:ro"),
                      over = "services:\n  web:\n    volumes: [a:/a:ro, b:/b:ro]\n";
    // New, or it said nothing of the mount before.
    for (const char* before : {"", "services:\n  web:\n    environment: {A: b}\n"})
        for (const char* name : {"compose.override.yaml", "prod.yml"})
            EXPECT_EQ(made({{"compose.yaml", base, base}, {name, before, over}}),
                      (List{std::string(name) + ":3 web  /a"}))
                << name;
    EXPECT_EQ(made({{"compose.yaml", base, base},
                    {"compose.override.yml", "", compose("a:/a:ro", "    read_only: true\n")}}),
              (List{"compose.override.yml:4 web  /a", "compose.override.yml:5 web  /"}));
    // Of another folder, or of another service.
    EXPECT_EQ(made({{"x/compose.yaml", base, base}, {"compose.override.yaml", "", over}}), List{});
    EXPECT_EQ(made({{"compose.yaml", base, base}, {"prod.yml", "", compose("a:/a:ro")}}), List{});
    EXPECT_EQ(made({{"compose.yaml", base, base},
                    {"compose.override.yaml", "", "services:\n  db:\n    volumes: [a:/a:ro]\n"}}),
              List{});
}

// docker compose -f compose.yaml -f deploy/prod.yml: nothing in the second one says so.
TEST(Since, AnOverrideInAnotherFolderIsReadWithTheNearest) {
    const std::string writable = compose("a:/a"), read_only = compose("a:/a:ro"),
                      over = "services:\n  web:\n    volumes: [a:/a:ro]\n";
    const List change = {"deploy/prod.yml:3 web  /a"};
    EXPECT_EQ(made({{"compose.yaml", writable, writable}, {"deploy/prod.yml", "", over}}), change);
    EXPECT_EQ(made({{"base/compose.yaml", writable, writable}, {"deploy/prod.yml", "", over}}), change);
    EXPECT_EQ(made({{"compose.yaml", read_only, read_only},
                    {"deploy/prod.yml", "", over},
                    {"other/x/compose.yaml", writable, writable}}),
              List{});
    EXPECT_EQ(made({{"deploy/compose.yaml", read_only, read_only},
                    {"compose.yaml", writable, writable},
                    {"deploy/prod.yml", "", over}}),
              List{});
    // As near as each other: one that it would be a change to.
    EXPECT_EQ(made({{"a/compose.yaml", read_only, read_only},
                    {"b/compose.yaml", writable, writable},
                    {"deploy/prod.yml", "", over}}),
              change);
}

std::string deployment(const std::string& mount, const std::string& space) {
    return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop, namespace: " + space +
           "}\nspec:\n  template:\n    spec:\n      containers:\n        - name: app\n          image: x\n"
           "          volumeMounts:\n            - {name: data, mountPath: /data" +
           mount + "}\n      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]\n";
}

TEST(Since, OfSeveralEqualOnesEachHasItsTurn) {
    const std::string writable = deployment("", "a") + "---\n" + deployment("", "b");
    EXPECT_EQ(
        made({{"k.yaml", writable, deployment("", "a") + "---\n" + deployment(", readOnly: true", "b")}}),
        (List{"k.yaml:24 Deployment/shop app /data"}));
    EXPECT_EQ(made({{"k.yaml", writable, writable}}), List{});
}

}  // namespace
}  // namespace rogate::change
