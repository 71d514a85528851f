// Which calls are looked at.
#include "proxy/call.hpp"

#include <gmock/gmock.h>

namespace rogate::proxy::test {
namespace {

struct Case {
    const char *method, *target;
    CallKind kind;
    const char* object;
};

TEST(WrapCall, KindsAndObjects) {
    const Case cases[] = {
        {"POST", "/v1.41/containers/create?name=web", CallKind::create, "create"},
        {"POST", "/containers/create", CallKind::create, "create"},
        {"POST", "http://docker/v1.44/containers/create", CallKind::create, "create"},
        {"POST", "//v1.41//containers/create", CallKind::create, "create"},
        {"GET", "/v1.41/containers/create", CallKind::other, "create"},
        {"POST", "/v1.41/containers/abc/start", CallKind::start, "abc"},
        {"POST", "/v1.41/containers/my%2Dweb/start", CallKind::start, "my-web"},
        {"POST", "/v1.41/containers/abc/stop?t=5", CallKind::stop, "abc"},
        {"POST", "/v1.41/containers/abc/kill?signal=HUP", CallKind::stop, "abc"},
        {"POST", "/v1.41/containers/abc/restart", CallKind::restart, "abc"},
        {"DELETE", "/v1.41/containers/abc?v=1&force=1", CallKind::remove, "abc"},
        {"POST", "/v1.41/containers/prune", CallKind::prune, "prune"},
        {"POST", "/v1.41/containers/abc/exec", CallKind::exec, "abc"},
        {"POST", "/v1.41/containers/abc/attach?stream=1", CallKind::other, "abc"},
        {"POST", "/v1.41/containers/abc/wait", CallKind::other, "abc"},
        {"GET", "/v1.41/containers/abc/json", CallKind::other, "abc"},
        {"PUT", "/v1.41/containers/abc/archive?path=/data", CallKind::copy_in, "abc"},
        {"GET", "/v1.41/containers/abc/archive?path=/data", CallKind::other, "abc"},
        {"POST", "/v1.41/networks/create", CallKind::network_create, ""},
        {"POST", "/v1.41/volumes/create", CallKind::volume_create, ""},
        {"POST", "/v1.41/services/create", CallKind::foreign, ""},
        {"POST", "/v4.3.1/libpod/containers/create", CallKind::foreign, ""},
        {"POST", "/v4.3.1/libpod/images/pull", CallKind::other, ""},
        {"POST", "/session", CallKind::other, ""},
        {"POST", "/grpc", CallKind::other, ""},
        {"POST", "/v1.41/build?t=x", CallKind::other, ""},
        {"HEAD", "/_ping", CallKind::other, ""},
        {"OPTIONS", "*", CallKind::other, ""},
        {"POST", "", CallKind::other, ""},
    };
    for (const Case& each : cases) {
        const Call call = call_of(each.method, each.target);
        EXPECT_EQ(call.kind, each.kind) << each.method << ' ' << each.target;
        EXPECT_EQ(call.object, each.object) << each.method << ' ' << each.target;
    }
}

TEST(WrapCall, QueriesAreDecoded) {
    const Call call = call_of("POST", "/v1.41/containers/create?name=a%20b+c&platform=&x&%zz=1%4");
    EXPECT_EQ(call.query.at("name"), "a b c");
    EXPECT_EQ(call.query.at("platform"), "");
    EXPECT_EQ(call.query.at("x"), "");
    EXPECT_EQ(call.query.at("%zz"), "1%4");
    EXPECT_EQ(call.name, "POST /containers/create");
}

}  // namespace
}  // namespace rogate::proxy::test
