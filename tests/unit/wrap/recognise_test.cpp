// Containers from run to run.
#include "wrap/recognise.hpp"

#include <gmock/gmock.h>

namespace rogate::wrap::test {
namespace {

Asked asked(const std::string& image, const std::string& name = "",
            std::vector<std::string> environment = {}) {
    Asked made;
    made.image = image;
    made.name = name;
    made.environment = std::move(environment);
    return made;
}

Asked service(const std::string& project, const std::string& name, const std::string& number = "1") {
    Asked made = asked("shop/" + name, project + "-" + name + "-" + number);
    made.labels = {{"com.docker.compose.project", project},
                   {"com.docker.compose.service", name},
                   {"com.docker.compose.container-number", number}};
    return made;
}

std::string found(Roll& roll, const Asked& asked) {
    const Known* known = roll.find(asked);
    return known == nullptr ? "-" : known->key;
}

TEST(WrapRecognise, KeysAreShortAndOfOneOnly) {
    Roster roster;
    EXPECT_EQ(roster.add(service("shop", "web")).key, "web");
    EXPECT_EQ(roster.add(service("shop", "web", "2")).key, "web-2");
    EXPECT_EQ(roster.add(asked("registry:5000/library/redis:7@sha256:1")).key, "redis");
    EXPECT_EQ(roster.add(asked("redis:7")).key, "redis-2");
    EXPECT_EQ(roster.add(asked("redis:7", "my/../cache")).key, "my-..-cache");
    EXPECT_EQ(roster.add(asked("", "../..")).key, "container");
}

TEST(WrapRecognise, ComposeServicesWhateverTheProjectIsCalled) {
    Roster roster;
    for (const char* name : {"web", "db"}) roster.add(service("test-1", name));
    roster.add(service("test-1", "web", "2"));
    Roll same(roster.all());
    EXPECT_EQ(found(same, service("test-1", "db")), "db");
    EXPECT_EQ(found(same, service("test-1", "web", "2")), "web-2");
    EXPECT_EQ(found(same, service("test-1", "web", "3")), "-");
    Roll other(roster.all());
    EXPECT_EQ(found(other, service("test-2", "web")), "web");
    EXPECT_EQ(found(other, service("test-2", "web")), "-");
}

TEST(WrapRecognise, ANameCountsOnlyWithItsImage) {
    Roster roster;
    roster.add(asked("redis:7", "cache"));
    roster.add(asked("redis:7", "sessions"));
    Roll roll(roster.all());
    EXPECT_EQ(found(roll, asked("redis:7", "sessions")), "sessions");
    EXPECT_EQ(found(roll, asked("postgres", "cache")), "-");
    // A name that is new each time.
    EXPECT_EQ(found(roll, asked("redis:7", "random-5f3a")), "cache");
}

TEST(WrapRecognise, ImageCommandAndMountsThenTheirOrder) {
    Roster roster;
    Asked with_command = asked("app");
    with_command.command = {"migrate"};
    Asked with_mount = asked("app");
    with_mount.targets = {"/data"};
    roster.add(with_command);
    roster.add(with_mount);
    roster.add(asked("app", "", {"PORT=1", "ROLE=a"}));
    roster.add(asked("app", "", {"PORT=2", "ROLE=b"}));
    EXPECT_THAT(roster.all()[3].how, testing::HasSubstr("number 2 of those alike"));
    Roll roll(roster.all());
    EXPECT_EQ(found(roll, with_mount), "app-2");
    // The environment tells those that are alike apart, wherever they come.
    EXPECT_EQ(found(roll, asked("app", "", {"PORT=2", "ROLE=b"})), "app-4");
    // One that is new each time does not hinder.
    EXPECT_EQ(found(roll, asked("app", "", {"PORT=77", "ROLE=a"})), "app-3");
    EXPECT_EQ(found(roll, asked("app")), "-");
    EXPECT_EQ(found(roll, with_command), "app");
}

TEST(WrapRecognise, TestcontainersAreNotTakenForOthers) {
    Roster roster;
    Asked theirs = asked("redis:7", "testcontainers-1b2c");
    theirs.labels = {{"org.testcontainers", "true"}, {"org.testcontainers.session-id", "1b2c"}};
    roster.add(asked("redis:7"));
    EXPECT_EQ(roster.add(theirs).key, "redis-2");
    EXPECT_THAT(roster.all()[1].how, testing::HasSubstr("testcontainers"));
    Roll roll(roster.all());
    theirs.labels["org.testcontainers.session-id"] = "9f9f";
    theirs.name = "testcontainers-9f9f";
    EXPECT_EQ(found(roll, theirs), "redis-2");
}

TEST(WrapRecognise, WhatWasNotCreatedIsGivenBack) {
    Roster roster;
    roster.add(asked("redis:7"));
    Roll roll(roster.all());
    const Known* first = roll.find(asked("redis:7"));
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(roll.find(asked("redis:7")), nullptr);
    roll.give_back(first);
    EXPECT_EQ(roll.find(asked("redis:7")), first);
}

}  // namespace
}  // namespace rogate::wrap::test
