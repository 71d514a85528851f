// Each folder in cases/ is one case: spec.yaml says what a result recommends, `before` (and `before2`, …) are
// the files, `after` (`after2`, …) what becomes of them; one without `after` is expected to be refused with
// the texts under `error`.
#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "patch/diff.hpp"
#include "unit/patch/support.hpp"

namespace rogate::patch {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string text(const YAML::Node& node, const char* key, const std::string& otherwise = "") {
    return node[key] ? node[key].as<std::string>() : otherwise;
}

MountType type_named(const std::string& name) {
    for (const MountType type :
         {MountType::bind, MountType::volume, MountType::anonymous, MountType::tmpfs, MountType::rootfs})
        if (name ==
            std::array{"bind", "volume", "anonymous", "tmpfs", "rootfs"}[static_cast<std::size_t>(type)])
            return type;
    ADD_FAILURE() << "no type " << name;
    return MountType::bind;
}

struct Case {
    CampaignResult result;
    Request request;
    std::vector<std::string> after, notes, errors;
    bool refused = false;
};

Format format_named(const std::string& name) {
    return name == "kubernetes"   ? Format::kubernetes
           : name == "scenario"   ? Format::scenario
           : name == "docker-run" ? Format::docker_run
                                  : Format::compose;
}

Case load(const fs::path& folder) {
    const YAML::Node spec = YAML::LoadFile((folder / "spec.yaml").string());
    Case out;
    out.request.format = format_named(text(spec, "format"));
    out.request.name = text(spec, "name", "web");
    if (out.request.format == Format::scenario) out.result.scenario.name = text(spec, "name", "shop");
    out.request.container = text(spec, "container");
    out.request.change_shared = text(spec, "shared") == "true";
    for (const auto& each : spec["mounts"])
        out.result.mounts.emplace_back().mount = test::mount(
            type_named(text(each, "type", "bind")), text(each, "target"), text(each, "source"),
            {text(each, "file"), std::stoi(text(each, "line", "0")), std::stoi(text(each, "column", "0"))});
    for (const auto& target : spec["opened"])
        for (MountResult& each : out.result.mounts)
            if (each.mount.target == target.as<std::string>()) {
                each.opened_up = true;
                each.verdict = Verdict::required;
            }
    for (const auto& each : spec["read_only"])
        out.result.recommendation.read_only.push_back(each.as<std::string>());
    for (const auto& each : spec["writable"]) {
        WritablePath path{.path = text(each, "path"),
                          .as = text(each, "as", "tmpfs") == "tmpfs" ? WritableAs::tmpfs
                                : text(each, "as") == "subpath"      ? WritableAs::subpath
                                                                     : WritableAs::volume,
                          .mount = text(each, "mount"),
                          .tmpfs_options = text(each, "options"),
                          .reason = {}};
        path.needs_mount_point = text(each, "needs_mount_point") == "true";
        path.from_image = text(each, "from_image") == "true";
        out.result.recommendation.writable.push_back(path);
    }
    for (const auto& each : spec["environment"])
        out.result.recommendation.environment[each.first.as<std::string>()] = each.second.as<std::string>();
    if (spec["capabilities"]) {
        out.result.recommendation.capabilities.emplace();
        for (const auto& each : spec["capabilities"])
            out.result.recommendation.capabilities->push_back(each.as<std::string>());
    }
    out.result.recommendation.no_new_privileges = text(spec, "no_new_privileges") == "true";
    out.result.recommendation.verified_by_run = 7;
    out.result.engine.api_version = text(spec, "api");
    out.result.scenario.subject.image = "shop";
    for (const auto& each : spec["notes"]) out.notes.push_back(each.as<std::string>());
    for (const auto& each : spec["error"]) out.errors.push_back(each.as<std::string>());
    out.refused = !out.errors.empty();
    for (const std::string number : {"", "2", "3"}) {
        if (!fs::exists(folder / ("before" + number))) break;
        const std::size_t index = out.request.files.size();
        const std::string name =
            spec["names"] ? spec["names"][index].as<std::string>() : "file" + number + ".yaml";
        out.request.files.push_back({name, read(folder / ("before" + number)), true});
        out.after.push_back(
            read(folder / ((fs::exists(folder / ("after" + number)) ? "after" : "before") + number)));
    }
    const auto context = spec["looked_at"];
    for (const auto& each : context) out.request.files.at(each.as<std::size_t>()).primary = false;
    return out;
}

class PatchCase : public testing::TestWithParam<std::string> {};

TEST_P(PatchCase, MakesTheChangeAndNoOther) {
    const Case each = load(fs::path(ROGATE_SOURCE_DIR) / "tests/unit/patch/cases" / GetParam());
    ASSERT_FALSE(each.request.files.empty());
    const auto patch = make_patch(each.result, each.request);
    if (each.refused) {
        ASSERT_FALSE(patch) << (patch->files.empty() ? "no change" : patch->files[0].after);
        EXPECT_EQ(patch.error().kind, ErrorKind::usage) << patch.error().message;
        for (const std::string& error : each.errors) EXPECT_THAT(patch.error().message, HasSubstr(error));
        return;
    }
    ASSERT_TRUE(patch) << patch.error().message;
    Request again = each.request;
    for (std::size_t i = 0; i < each.request.files.size(); ++i) {
        std::string now = each.request.files[i].text;
        for (const FileChange& change : patch->files)
            if (change.name == each.request.files[i].name) now = change.after;
        EXPECT_EQ(now, each.after[i])
            << unified_diff(each.request.files[i].name, each.request.files[i].text, now);
        again.files[i].text = now;
    }
    std::string notes;
    for (const std::string& note : patch->notes) notes += note + "\n";
    for (const std::string& note : each.notes) EXPECT_THAT(notes, HasSubstr(note));
    EXPECT_EQ(each.notes.empty(), notes.empty()) << notes;

    // Where only its place told the entry, a change above it can have moved it.
    const auto second = make_patch(each.result, again);
    if (!second) {
        EXPECT_THAT(second.error().message, HasSubstr("variable"));
        return;
    }
    EXPECT_TRUE(second->changes_nothing()) << second->files[0].after;
}

std::vector<std::string> cases() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(fs::path(ROGATE_SOURCE_DIR) / "tests/unit/patch/cases"))
        names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
}

INSTANTIATE_TEST_SUITE_P(Files, PatchCase, testing::ValuesIn(cases()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace rogate::patch
