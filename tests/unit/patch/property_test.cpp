// Random Compose files in random styles: what comes of a patch is read again by yaml-cpp itself, must mount
// what is recommended and must be the old text in every line that is about something else. And no text makes
// it crash.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "unit/patch/support.hpp"

namespace rogate::patch {
namespace {

class Random {
  public:
    explicit Random(unsigned seed) : engine_(seed) {}
    unsigned below(unsigned n) { return static_cast<unsigned>(engine_() % n); }
    bool chance(unsigned percent) { return below(100) < percent; }
    std::string one_of(std::vector<std::string> words) {
        return words[below(static_cast<unsigned>(words.size()))];
    }

  private:
    std::mt19937 engine_;
};

struct Made {
    std::string text;
    std::vector<std::string> targets;
};

std::string in_some_quotes(Random& random, const std::string& entry, bool flow) {
    const bool needs = flow && entry.find_first_of(",{") != std::string::npos;
    switch (random.below(3) + (needs ? 1 : 0)) {
        case 1:
            return "'" + entry + "'";
        case 2:
            return '"' + entry + '"';
        default:
            return needs ? '"' + entry + '"' : entry;
    }
}

// Lines with "keep" in them are about something else.
class Writer {
  public:
    explicit Writer(Random& random)
        : random_(random), newline_(random.chance(25) ? "\r\n" : "\n"), step_(random.below(3) + 2) {}

    Made make() {
        line(0, "# keep: head");
        if (random_.chance(30)) line(0, "x-keep: &keep {a: [1, 2], b: 'it''s keep'}");
        line(0, "services:" + comment());
        const unsigned before = random_.below(3);
        for (unsigned i = 0; i < before; ++i) other(i);
        service();
        if (random_.chance(50)) other(7);
        if (random_.chance(50)) {
            line(0, "");
            line(0, "volumes:");
            line(step_, "v0:");
        }
        if (random_.chance(40)) line(0, "networks: {keep: {}}");
        if (random_.chance(30)) made_.text.resize(made_.text.size() - newline_.size());
        return made_;
    }

  private:
    void line(std::size_t indent, const std::string& text) {
        made_.text += std::string(indent, ' ') + text + newline_;
    }
    std::string comment() { return random_.chance(30) ? "   # keep, 'really': [x" : ""; }
    void gap() {
        if (random_.chance(20)) made_.text += newline_;
        if (random_.chance(20)) line(random_.below(9), "# keep: \"between");
    }

    void other(unsigned i) {
        line(step_, fmt::format("keep{}:", i));
        line(2 * step_, "image: keep:1" + comment());
        line(2 * step_, "volumes: [ 'v0:/t0', keep:/t1 ]" + comment());
        gap();
    }

    std::string entry(unsigned i) {
        const std::string target = fmt::format("/t{}", i);
        made_.targets.push_back(target);
        return random_.one_of({fmt::format("v{}x", i), "./dir", "/abs/dir", "${X:-./d}"}) + ":" + target +
               random_.one_of({"", "", ":rw", ":z", ":ro", ":rw,Z", "/"});
    }

    void volumes() {
        const unsigned count = random_.below(4) + 1;
        if (random_.chance(25)) {
            std::string list;
            for (unsigned i = 0; i < count; ++i)
                list += (i > 0 ? ", " : "") + in_some_quotes(random_, entry(i), true);
            line(2 * step_, random_.chance(50) ? "volumes: [" + list + "]" + comment()
                                               : "volumes: [ " + list + " , ]" + comment());
            return;
        }
        line(2 * step_, "volumes:" + comment());
        const std::size_t indent = 2 * step_ + (random_.chance(50) ? step_ : 0);
        for (unsigned i = 0; i < count; ++i) {
            gap();
            if (random_.chance(30)) {
                const std::string target = fmt::format("/t{}", i);
                made_.targets.push_back(target);
                if (random_.chance(50)) {
                    line(indent, "- {type: bind, source: ./x, target: " + target +
                                     random_.one_of({"", ", read_only: false", " "}) + "}" + comment());
                } else {
                    line(indent, "- type: volume" + comment());
                    line(indent + 2, "source: v" + std::to_string(i));
                    line(indent + 2, "target: " + target);
                    if (random_.chance(30)) line(indent + 2, "volume: {nocopy: true}" + comment());
                }
            } else {
                line(indent, "- " + in_some_quotes(random_, entry(i), false) + comment());
            }
        }
    }

    void service() {
        line(step_, "web:" + comment());
        line(2 * step_, "image: keep:2");
        if (random_.chance(30)) volumes();
        gap();
        if (random_.chance(40)) {
            line(2 * step_, "command: " + random_.one_of({"|", ">-", "|-"}));
            line(3 * step_, "keep this  line");
            line(3 * step_, "keep that");
        }
        if (random_.chance(30))
            line(2 * step_, random_.one_of({"tmpfs: /keep", "tmpfs: [/keep]", "read_only: false"}));
        if (made_.targets.empty()) volumes();
        if (random_.chance(30)) line(2 * step_, "environment: {KEEP: \"a: b # c\"}" + comment());
    }

    Random& random_;
    std::string newline_;
    std::size_t step_;
    Made made_;
};

struct Mounted {
    bool read_only = false;
    std::string rest;
};

std::map<std::string, Mounted> mounted(const YAML::Node& service) {
    std::map<std::string, Mounted> all;
    for (const auto& item : service["volumes"]) {
        if (item.IsMap()) {
            all[item["target"].as<std::string>()] = {item["read_only"] && item["read_only"].as<bool>(), ""};
            continue;
        }
        std::string text = item.as<std::string>();
        // The only variable here.
        if (text.starts_with("${X:-./d}")) text.replace(0, 9, "./d");
        std::vector<std::string> parts;
        std::stringstream stream(text);
        for (std::string part; std::getline(stream, part, ':');) parts.push_back(part);
        while (parts.at(1).size() > 1 && parts[1].ends_with('/')) parts[1].pop_back();
        const std::string options = parts.size() > 2 ? "," + parts[2] + "," : "";
        all[parts[1]] = {
            options.find(",ro,") != std::string::npos && options.find(",rw,") == std::string::npos, parts[0]};
    }
    return all;
}

std::vector<std::string> kept_lines(const std::string& text) {
    std::vector<std::string> kept;
    std::stringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        if (line.ends_with('\r')) line.pop_back();
        if (line.find("keep") != std::string::npos && line.find(":/t") == std::string::npos &&
            line.find("target") == std::string::npos && line.find("tmpfs") == std::string::npos &&
            line.find("- /keep") == std::string::npos)
            kept.push_back(line);
    }
    return kept;
}

TEST(Property, APatchedFileMountsWhatIsRecommendedAndNothingElseChanges) {
    for (unsigned seed = 0; seed < 700; ++seed) {
        Random random(seed);
        const Made made = Writer(random).make();
        const auto declared = mounted(YAML::Load(made.text)["services"]["web"]);
        std::vector<Mount> mounts;
        std::vector<std::string> read_only;
        for (const std::string& target : made.targets) {
            mounts.push_back(test::mount(MountType::bind, target));
            if (random.chance(60)) read_only.push_back(target);
        }
        if (random.chance(30)) read_only.push_back("/");
        std::vector<WritablePath> writable;
        if (random.chance(50))
            writable.push_back({.path = "/t0/run",
                                .as = WritableAs::tmpfs,
                                .mount = "/t0",
                                .tmpfs_options = "uid=1,mode=0700",
                                .reason = {}});
        // Below a volume the data would have to be moved, which a patch does not do.
        const bool is_folder = declared.at("/t0").rest.find('/') != std::string::npos;
        if (random.chance(30) && is_folder)
            writable.push_back({.path = "/t0/lib",
                                .as = WritableAs::volume,
                                .mount = "/t0",
                                .tmpfs_options = {},
                                .reason = {},
                                .needs_mount_point = true});  // it has no data yet
        if (read_only.empty() && writable.empty()) continue;

        const auto patch = make_patch(test::result_with(mounts, read_only, writable),
                                      {.format = Format::compose,
                                       .files = {{"f.yaml", made.text, true}},
                                       .name = "web",
                                       .container = {},
                                       .command = {}});
        ASSERT_TRUE(patch) << "seed " << seed << "\n" << patch.error().message << "\n" << made.text;
        const std::string after = patch->files.empty() ? made.text : patch->files[0].after;
        SCOPED_TRACE(fmt::format("seed {}\n{}\n->\n{}", seed, made.text, after));
        const YAML::Node old_root = YAML::Load(made.text), root = YAML::Load(after);
        const auto before = mounted(old_root["services"]["web"]), now = mounted(root["services"]["web"]);
        for (const auto& [target, mount] : before) {
            const bool wanted = std::ranges::find(read_only, target) != read_only.end();
            ASSERT_TRUE(now.contains(target));
            EXPECT_EQ(now.at(target).read_only, wanted || mount.read_only) << target;
            EXPECT_EQ(now.at(target).rest, mount.rest) << target;
        }
        if (std::ranges::find(read_only, "/") != read_only.end()) {
            EXPECT_TRUE(root["services"]["web"]["read_only"].as<bool>());
        }
        for (const WritablePath& path : writable) {
            if (path.as == WritableAs::volume) {
                ASSERT_TRUE(now.contains(path.path));
                EXPECT_FALSE(now.at(path.path).read_only);
                const std::string source = now.at(path.path).rest;
                if (source.find('/') == std::string::npos) {
                    EXPECT_TRUE(root["volumes"][source].IsDefined()) << source;
                }
            } else {
                bool found = false;
                for (const auto& item : root["services"]["web"]["tmpfs"])
                    found = found || item.as<std::string>() == path.path + ":" + path.tmpfs_options;
                EXPECT_TRUE(found) << path.path;
            }
        }
        ASSERT_EQ(kept_lines(after), kept_lines(made.text));
        EXPECT_EQ(after.ends_with('\n'), made.text.ends_with('\n'));
        EXPECT_EQ(after.find("\r\n") == std::string::npos, made.text.find("\r\n") == std::string::npos);
        for (const auto& pair : old_root["services"])
            if (const auto name = pair.first.as<std::string>(); name != "web") {
                EXPECT_EQ(YAML::Dump(root["services"][name]), YAML::Dump(pair.second));
            }
        if (HasFailure()) return;
    }
}

std::vector<std::string> corpus() {
    std::vector<std::string> texts;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(
             std::filesystem::path(ROGATE_SOURCE_DIR) / "tests/unit/patch/cases")) {
        if (entry.path().filename() != "before") continue;
        std::ostringstream text;
        text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
        texts.push_back(text.str());
    }
    std::ranges::sort(texts);  // a folder has no order of its own
    return texts;
}

// Damaged files are refused or patched, but never by an error of rogate's own that the text could provoke.
TEST(Property, DamagedFilesDoNotCrash) {
    const auto texts = corpus();
    ASSERT_FALSE(texts.empty());
    const std::string alphabet = "[]{}:,-&*!|>'\"#%@`~ \n\r\t\\/a0$\x04\xff?<";
    for (unsigned seed = 0; seed < 1500; ++seed) {
        Random random(seed);
        std::string text = texts[random.below(static_cast<unsigned>(texts.size()))];
        for (unsigned i = random.below(4) + 1; i > 0 && !text.empty(); --i) {
            const std::size_t at = random.below(static_cast<unsigned>(text.size()));
            if (random.chance(40))
                text.erase(at, random.below(5) + 1);
            else if (random.chance(70))
                text.insert(at, 1, alphabet[random.below(static_cast<unsigned>(alphabet.size()))]);
            else
                text.insert(at,
                            text.substr(random.below(static_cast<unsigned>(text.size())), random.below(60)));
        }
        const auto result =
            test::result_with({test::mount(MountType::anonymous, "/data")}, {"/a", "/data", "/"},
                              {{.path = "/a/run",
                                .as = WritableAs::tmpfs,
                                .mount = "/a",
                                .tmpfs_options = "uid=1,gid=2",
                                .reason = {}}});
        for (const Format format :
             {Format::compose, Format::kubernetes, Format::docker_run, Format::scenario}) {
            const auto patch = make_patch(result, {.format = format,
                                                   .files = {{"f.yaml", text, true}},
                                                   .name = format == Format::compose ? "web" : "",
                                                   .container = {},
                                                   .command = {}});
            if (!patch) {
                EXPECT_NE(patch.error().kind, ErrorKind::internal)
                    << "seed " << seed << ": " << patch.error().message << "\n"
                    << text;
            }
        }
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace rogate::patch
