#include "campaign/base_images.hpp"

#include <algorithm>
#include <set>
#include <sstream>

namespace rogate::campaign {

namespace {

std::string in_lower_case(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

}  // namespace

std::vector<std::string> base_images(std::string_view dockerfile) {
    std::vector<std::string> found;
    std::set<std::string> stages{"scratch"};
    std::istringstream lines{std::string(dockerfile)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string word;
        words >> word;
        if (in_lower_case(word) != "from") continue;
        std::string reference;
        while (words >> reference && reference.starts_with("--")) {
        }
        std::string as, stage;
        if (words >> as >> stage && in_lower_case(as) == "as") stages.insert(in_lower_case(stage));
        if (reference.empty() || reference.find('$') != std::string::npos) continue;
        if (stages.contains(in_lower_case(reference)) || std::ranges::find(found, reference) != found.end())
            continue;
        found.push_back(reference);
    }
    return found;
}

}  // namespace rogate::campaign
