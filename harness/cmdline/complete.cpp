#include "cmdline/complete.hpp"

#include <algorithm>
#include <string_view>

namespace rogate::cmdline {

namespace {

const CLI::App* command_named(const CLI::App& app, const std::string& word) {
    const auto found = app.get_subcommands(
        [&](const CLI::App* each) { return !each->get_group().empty() && each->get_name() == word; });
    return found.empty() ? nullptr : found.front();
}

// The option that `word` names, in its long or short form; nullptr: none.
const CLI::Option* option_named(const CLI::App& app, const std::string& word) {
    for (const CLI::Option* each : app.get_options()) {
        for (const std::string& name : each->get_lnames())
            if (word == "--" + name) return each;
        for (const std::string& name : each->get_snames())
            if (word == "-" + name) return each;
    }
    return nullptr;
}

bool takes_a_value(const CLI::Option& option) {
    return option.get_items_expected_max() > 0;
}

// "TEXT:{auto,always,never}" -> its three.
std::vector<std::string> choices_of(const CLI::Option& option) {
    const std::string type = option.get_type_name();
    const std::size_t begin = type.find(":{");
    if (begin == std::string::npos || !type.ends_with('}')) return {};
    std::vector<std::string> found;
    std::string_view rest = std::string_view(type).substr(begin + 2, type.size() - begin - 3);
    while (!rest.empty()) {
        const std::size_t comma = rest.find(',');
        found.emplace_back(rest.substr(0, comma));
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
    return found;
}

struct Line {
    const CLI::App* command = nullptr;      // nullptr: none yet
    const CLI::Option* awaiting = nullptr;  // the option whose value is under the cursor
    std::vector<std::string> arguments;     // of the command, without options
};

Line read_line(const CLI::App& app, const std::vector<std::string>& words) {
    Line line;
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        if (line.awaiting != nullptr) {
            line.awaiting = nullptr;
            continue;
        }
        const std::string& word = words[i];
        if (word.starts_with('-') && word.find('=') == std::string::npos) {
            const CLI::Option* option = line.command ? option_named(*line.command, word) : nullptr;
            if (option == nullptr) option = option_named(app, word);
            if (option != nullptr && takes_a_value(*option)) line.awaiting = option;
        } else if (line.command == nullptr) {
            line.command = command_named(app, word);
        } else if (!word.starts_with('-')) {
            line.arguments.push_back(word);
        }
    }
    return line;
}

void add_options(const CLI::App& app, std::vector<std::string>& words) {
    for (const CLI::Option* each : app.get_options()) {
        if (each->get_group().empty()) continue;
        for (const std::string& name : each->get_lnames()) words.push_back("--" + name);
    }
}

std::vector<std::string> ask(const std::function<std::vector<std::string>()>& source) {
    return source ? source() : std::vector<std::string>();
}

// Values for an option, or for an argument by its name.
Completion values_of(const CLI::Option& option, const Line& line, const Sources& sources) {
    const std::string name = option.get_name();
    Completion found{choices_of(option), false};
    if (!found.words.empty()) return found;
    const bool of_a_pod = line.command != nullptr && line.command->get_name() == "patch";
    if (name == "CONTAINER" || (name == "--container" && !of_a_pod))
        found.words = ask(sources.containers);
    else if (name == "--service")
        found.words = sources.services ? sources.services(line.arguments) : std::vector<std::string>();
    else if (name == "TOPIC")
        found.words = ask(sources.topics);
    else
        found.files = true;
    return found;
}

Completion candidates(const CLI::App& app, const std::vector<std::string>& words, const Sources& sources) {
    const Line line = read_line(app, words);
    if (line.awaiting != nullptr) return values_of(*line.awaiting, line, sources);
    Completion found;
    if (words.back().starts_with('-')) {
        if (line.command != nullptr) add_options(*line.command, found.words);
        if (line.command == nullptr) add_options(app, found.words);
        return found;
    }
    if (line.command == nullptr) {
        for (const CLI::App* each :
             app.get_subcommands([](const CLI::App* each) { return !each->get_group().empty(); }))
            found.words.push_back(each->get_name());
        return found;
    }
    std::size_t place = line.arguments.size();
    for (const CLI::Option* each : line.command->get_options()) {
        if (!each->get_positional() || each->nonpositional()) continue;
        if (place == 0 || each->get_items_expected_max() > 1) return values_of(*each, line, sources);
        --place;
    }
    return found;
}

}  // namespace

Completion complete(const CLI::App& app, const std::vector<std::string>& words, const Sources& sources) {
    if (words.empty()) return {};
    Completion found = candidates(app, words, sources);
    std::erase_if(found.words, [&](const std::string& each) { return !each.starts_with(words.back()); });
    std::sort(found.words.begin(), found.words.end());
    return found;
}

}  // namespace rogate::cmdline
