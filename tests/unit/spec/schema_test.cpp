// The published schema and the loader know the same keys, and the shipped scenarios load.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "spec/keys.hpp"
#include "unit/spec/support.hpp"

namespace rogate::spec::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path scenarios = fs::path(ROGATE_SOURCE_DIR) / "scenarios";

json schema() {
    std::ifstream file(scenarios / "scenario.schema.json");
    return json::parse(file);
}

TEST(Schema, NamesTheKeysOfTheLoader) {
    const json root = schema();
    for (const KeySet& set : keys::all) {
        const json::json_pointer pointer{std::string(set.schema)};
        ASSERT_TRUE(root.contains(pointer)) << set.schema;
        const json& object = root[pointer];
        std::set<std::string> published;
        for (const auto& [name, unused] : object.at("properties").items()) published.insert(name);
        EXPECT_EQ(published, std::set<std::string>(set.names().begin(), set.names().end())) << set.schema;
        EXPECT_EQ(object.at("additionalProperties"), false) << set.schema;
    }
}

// Every object of the schema with properties is one that the loader reads: the other direction.
void collect_objects(const json& node, const std::string& pointer, std::set<std::string>& found) {
    if (node.is_object()) {
        if (node.contains("properties") && node.contains("additionalProperties")) found.insert(pointer);
        for (const auto& [name, child] : node.items()) collect_objects(child, pointer + "/" + name, found);
    }
}

TEST(Schema, HasNoObjectsThatTheLoaderDoesNotKnow) {
    std::set<std::string> published, known;
    collect_objects(schema(), "", published);
    for (const KeySet& set : keys::all) known.emplace(set.schema);
    EXPECT_EQ(published, known);
}

void collect_references(const json& node, std::set<std::string>& found) {
    if (node.is_object() && node.contains("$ref")) found.insert(node["$ref"].get<std::string>());
    if (node.is_structured())
        for (const json& child : node) collect_references(child, found);
}

TEST(Schema, RefersOnlyToWhatIsThere) {
    const json root = schema();
    std::set<std::string> references;
    collect_references(root, references);
    for (const std::string& reference : references)
        EXPECT_TRUE(root.contains(json::json_pointer(reference.substr(1)))) << reference;
}

TEST(ShippedScenarios, Load) {
    Surroundings any = surroundings();
    any.folder.clear();
    any.environment = [](const std::string&) { return "/set"; };
    int loaded = 0;
    for (const auto& entry : fs::recursive_directory_iterator(scenarios)) {
        if (entry.path().filename() != "scenario.yaml") continue;
        const auto scenario = load_scenario(entry.path().string(), any);
        EXPECT_TRUE(scenario.has_value()) << scenario.error().message;
        ++loaded;
    }
    EXPECT_GE(loaded, 23);  // three of the sample images, and the gallery
}

}  // namespace
}  // namespace rogate::spec::test
