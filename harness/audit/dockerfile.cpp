#include <nlohmann/json.hpp>

#include "audit/readers.hpp"

namespace rogate::audit {

namespace {

bool is_instruction(std::string_view line, std::string_view name) {
    if (line.size() <= name.size() || (line[name.size()] != ' ' && line[name.size()] != '\t')) return false;
    for (std::size_t i = 0; i < name.size(); ++i)
        if ((line[i] & ~0x20) != name[i]) return false;
    return true;
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    bool inside = false;
    for (const char c : text) {
        const bool space = c == ' ' || c == '\t' || c == '\r';
        if (!space && !inside) words.emplace_back();
        if (!space) words.back() += c;
        inside = !space;
    }
    return words;
}

}  // namespace

// VOLUME /a /b, or VOLUME ["/a", "/b"]; of the last stage, which is what the image is.
void read_dockerfile(std::string_view text, const std::string& file, Audit& audit) {
    std::vector<Found> volumes;
    std::string logical;
    int line = 0, first = 1;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view part = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        ++line;
        while (part.ends_with('\r') || part.ends_with(' ')) part.remove_suffix(1);
        const std::size_t begin = std::min(part.find_first_not_of(" \t"), part.size());
        if (part.substr(begin).starts_with('#')) continue;
        if (logical.empty()) first = line;
        const bool goes_on = part.ends_with('\\') && !text.empty();
        logical += part.substr(begin, part.size() - begin - (goes_on ? 1 : 0));
        if (goes_on) {
            logical += ' ';
            continue;
        }
        if (is_instruction(logical, "FROM")) volumes.clear();
        if (is_instruction(logical, "VOLUME")) {
            const std::string rest = logical.substr(7);
            const auto list = nlohmann::json::parse(rest, nullptr, false);
            std::vector<std::string> targets;
            if (list.is_array())
                for (const auto& each : list)
                    targets.push_back(each.is_string() ? each.get<std::string>() : "");
            else
                targets = words_of(rest);
            for (std::string& target : targets) {
                if (!target.starts_with('/') && !target.starts_with('$')) continue;
                Found found;
                found.kind = "dockerfile";
                found.name = file.substr(file.rfind('/') + 1);
                found.mount.type = MountType::anonymous;
                found.mount.target = std::move(target);
                found.mount.declared = {file, first, 1};
                volumes.push_back(std::move(found));
            }
        }
        logical.clear();
    }
    for (Found& each : volumes) audit.mounts.push_back(std::move(each));
}

}  // namespace rogate::audit
