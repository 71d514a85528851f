// Modes that come from elsewhere than a mount's own line.
#include "change/modes.hpp"

#include <gtest/gtest.h>

namespace rogate::change {
namespace {

using Files = std::map<std::string, std::string>;

std::optional<ProjectModes> modes(const Files& files) {
    return modes_of({"compose.yaml", "/p/compose.yaml", [&](const std::string& path) -> Result<std::string> {
                         const auto found = files.find(path.substr(3));
                         if (found == files.end()) return fail(ErrorKind::not_found, "not there");
                         return found->second;
                     }});
}

// "change web /data" or "not known web /data", each on a line.
std::string compared(const Files& was, const Files& now, bool changed = false) {
    const auto today = modes(now);
    if (!today) return "unreadable";
    const ProjectChanges found = compare_modes(modes(was), *today, changed);
    std::string text;
    for (const Change& each : found.changes) text += "change " + each.name + " " + each.target + "\n";
    for (const std::string& each : found.not_known)
        text += "not known " + each.substr(0, each.find(" (")) + "\n";
    return text;
}

std::string web(const std::string& volume, const std::string& more = "") {
    return "services:\n  web:\n    image: x\n    volumes: [" + volume + "]\n" + more;
}

TEST(Modes, ComeFromEverywhere) {
    const std::string variable = web("\"./data:/data:${ROGATE_TEST_MODE}\"");
    const std::string braces =
        web("{type: bind, source: ., target: /data, read_only: \"${ROGATE_TEST_RO-false}\"}");
    const std::string base = "services:\n  base: {image: x, volumes: [\"d:/data%\"]}\n";
    const auto based = [&](const std::string& mode) {
        std::string text = base;
        return text.replace(text.find('%'), 1, mode);
    };
    const std::string extends = "services:\n  web:\n    extends: {file: base.yaml, service: base}\n";
    const std::string both =
        "services:\n  rw: {image: x, volumes: [\"d:/data\"]}\n  ro: {image: x, volumes: [\"d:/data:ro\"]}\n";
    const auto of = [](const std::string& name) {
        return "services:\n  web:\n    extends: {file: base.yaml, service: " + name + "}\n";
    };
    const auto driver = [](const std::string& options) {
        return web("\"d:/data\"",
                   "volumes:\n  d:\n    driver_opts: {type: none, device: /d, o: \"" + options + "\"}\n");
    };
    struct {
        const char* what;
        Files was, now;
        std::string found;
    } const table[] = {
        {".env",
         {{"compose.yaml", variable}, {".env", "ROGATE_TEST_MODE=rw\n"}},
         {{"compose.yaml", variable}, {".env", "ROGATE_TEST_MODE=ro\n"}},
         "change web /data\n"},
        {".env, back",
         {{"compose.yaml", variable}, {".env", "ROGATE_TEST_MODE=ro\n"}},
         {{"compose.yaml", variable}, {".env", "ROGATE_TEST_MODE=rw\n"}},
         ""},
        {".env, options",
         {{"compose.yaml", variable}, {".env", "ROGATE_TEST_MODE=z\n"}},
         {{"compose.yaml", variable}, {".env", "ROGATE_TEST_MODE=z,ro\n"}},
         "change web /data\n"},
        {"a new .env beside a default",
         {{"compose.yaml", braces}},
         {{"compose.yaml", braces}, {".env", "ROGATE_TEST_RO=true\n"}},
         "change web /data\n"},
        {"another default",
         {{"compose.yaml", web("\"d:/data:${ROGATE_TEST_MODE:-rw}\"")}},
         {{"compose.yaml", web("\"d:/data:${ROGATE_TEST_MODE:-ro}\"")}},
         "change web /data\n"},
        {"nothing said before",
         {{"compose.yaml", variable}},
         {{"compose.yaml", variable}, {".env", "ROGATE_TEST_MODE=ro\n"}},
         "not known web /data\n"},
        {"nothing says now",
         {{"compose.yaml", variable}, {".env", "ROGATE_TEST_MODE=rw\n"}},
         {{"compose.yaml", variable}},
         "not known web /data\n"},
        {"never said", {{"compose.yaml", variable}}, {{"compose.yaml", variable}}, ""},
        {"an extended file",
         {{"compose.yaml", extends}, {"base.yaml", based("")}},
         {{"compose.yaml", extends}, {"base.yaml", based(":ro")}},
         "change web /data\n"},
        {"another extended service",
         {{"compose.yaml", of("rw")}, {"base.yaml", both}},
         {{"compose.yaml", of("ro")}, {"base.yaml", both}},
         "change web /data\n"},
        {"an included file",
         {{"compose.yaml", "include: [web.yaml]\nservices: {}\n"},
          {"web.yaml", web("\"d:/data\"", "volumes: {d: {}}\n")}},
         {{"compose.yaml", "include: [web.yaml]\nservices: {}\n"},
          {"web.yaml", web("\"d:/data:ro\"", "volumes: {d: {}}\n")}},
         "change web /data\n"},
        {"driver_opts",
         {{"compose.yaml", driver("bind")}},
         {{"compose.yaml", driver("bind,ro")}},
         "change web /data\n"},
        {"driver_opts from .env",
         {{"compose.yaml", driver("${ROGATE_TEST_O}")}, {".env", "ROGATE_TEST_O=addr=h,rw\n"}},
         {{"compose.yaml", driver("${ROGATE_TEST_O}")}, {".env", "ROGATE_TEST_O=addr=h,ro\n"}},
         "change web /data\n"},
        {"the root",
         {{"compose.yaml", web("", "    read_only: ${ROGATE_TEST_RO:-false}\n")}},
         {{"compose.yaml", web("", "    read_only: ${ROGATE_TEST_RO:-false}\n")},
          {".env", "ROGATE_TEST_RO=true\n"}},
         "change web /\n"},
        {"another variable",
         {{"compose.yaml", web("\"d:/data:ro\"", "    user: ${ROGATE_TEST_USER}\n")}},
         {{"compose.yaml", web("\"d:/data:ro\"", "    user: ${ROGATE_TEST_USER}\n")}},
         ""},
        {"a new service",
         {{"compose.yaml", "services: {other: {image: x}}\n"}},
         {{"compose.yaml", web("\"d:/data:ro\"")}},
         ""},
    };
    for (const auto& each : table) EXPECT_EQ(compared(each.was, each.now), each.found) << each.what;
}

TEST(Modes, OfARevisionThatCannotBeReadAreNotKnown) {
    const Files now = {{"compose.yaml", web("\"d:/data:ro\"")}};
    EXPECT_EQ(compared({}, now, true), "not known web /data\n");
    EXPECT_EQ(compared({}, now, false), "");
}

}  // namespace
}  // namespace rogate::change
