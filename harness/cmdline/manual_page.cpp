#include "cmdline/manual_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace rogate::cmdline {

namespace {

// What roff would take for its own: backslashes, a dot or quote that begins a line, hyphens that are meant as
// such.
std::string roff(std::string_view text) {
    std::string out;
    for (const char each : text) {
        if (each == '\\')
            out += "\\e";
        else if (each == '-')
            out += "\\-";
        else if ((each == '.' || each == '\'') && (out.empty() || out.back() == '\n'))
            out += std::string("\\&") + each;
        else
            out += each;
    }
    return out;
}

std::vector<std::string_view> paragraphs(std::string_view text) {
    std::vector<std::string_view> found;
    while (!text.empty()) {
        const std::size_t end = text.find("\n\n");
        found.push_back(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 2);
    }
    return found;
}

struct Entry {
    std::string_view term, text;  // no term: a paragraph
};

Entry entry_of(std::string_view paragraph) {
    const std::size_t colon = paragraph.find(": ");
    if (colon == std::string_view::npos || paragraph.substr(0, colon).find(' ') != std::string_view::npos)
        return {{}, paragraph};
    return {paragraph.substr(0, colon), paragraph.substr(colon + 2)};
}

bool shown(const CLI::Option& option) {
    return !option.get_group().empty();
}

// "-o, --out TEXT", or "SCENARIO …".
std::string heading(const CLI::Option& option) {
    if (option.get_positional() && !option.nonpositional())
        return fmt::format("\\fI{}\\fR{}", roff(option.get_name()),
                           option.get_items_expected_max() > 1 ? " ..." : "");
    std::string names;
    for (const std::string& each : option.get_snames()) names += fmt::format(", \\fB\\-{}\\fR", roff(each));
    for (const std::string& each : option.get_lnames())
        names += fmt::format(", \\fB\\-\\-{}\\fR", roff(each));
    names = names.substr(std::min<std::size_t>(2, names.size()));
    if (option.get_items_expected_max() == 0) return names;
    // "TEXT:{auto,always,never}": the choices say more than the type.
    std::string type = option.get_type_name();
    if (const std::size_t choices = type.find(":{"); choices != std::string::npos)
        type = type.substr(choices + 2, type.size() - choices - 3);
    else
        type = type.substr(0, type.find(':'));
    std::replace(type.begin(), type.end(), ',', '|');
    return fmt::format("{} \\fI{}\\fR", names, roff(type));
}

std::string options_of(const CLI::App& app, bool positional) {
    std::string out;
    for (const CLI::Option* each : app.get_options())
        if (shown(*each) && (each->get_positional() && !each->nonpositional()) == positional)
            out += fmt::format(".TP\n{}\n{}\n", heading(*each), roff(each->get_description()));
    return out;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App* each) { return !each->get_group().empty(); });
}

std::string topic_section(const Topic& topic, std::string title) {
    std::string out = fmt::format(".SH {}\n", title);
    for (const std::string_view paragraph : paragraphs(topic.text)) {
        const auto [term, text] = entry_of(paragraph);
        out += term.empty() ? fmt::format(".PP\n{}\n", roff(text))
                            : fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(term), roff(text));
    }
    return out;
}

std::string upper(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char each) {
        return each == '-' ? ' ' : static_cast<char>(std::toupper(each));
    });
    return out;
}

std::string without_final_dot(std::string text) {
    if (text.ends_with('.')) text.pop_back();
    return text;
}

std::string synopsis(const CLI::App& command) {
    std::string out =
        fmt::format(".SH SYNOPSIS\n\\fBrogate {}\\fR [\\fIOPTIONS\\fR]", roff(command.get_name()));
    for (const CLI::Option* each : command.get_options()) {
        if (!shown(*each) || !each->get_positional() || each->nonpositional()) continue;
        const std::string name = fmt::format("\\fI{}\\fR{}", roff(each->get_name()),
                                             each->get_items_expected_max() > 1 ? " ..." : "");
        out += each->get_required() ? fmt::format(" {}", name) : fmt::format(" [{}]", name);
    }
    return out + "\n";
}

std::string page_of_command(const CLI::App& app, const CLI::App& command, const PageFacts& facts) {
    const std::string& name = command.get_name();
    std::string out = fmt::format(".TH ROGATE-{} 1 \"{}\" \"rogate {}\"\n.SH NAME\nrogate\\-{} \\- {}\n",
                                  upper(name), facts.date, facts.version, roff(name),
                                  roff(without_final_dot(command.get_description())));
    out += synopsis(command);
    const std::string arguments = options_of(command, true), options = options_of(command, false);
    if (!arguments.empty()) out += ".SH ARGUMENTS\n" + arguments;
    if (!options.empty()) out += ".SH OPTIONS\n" + options;
    out += ".SH GLOBAL OPTIONS\nThey stand before the command.\n" + options_of(app, false);
    return out + ".SH SEE ALSO\n\\fBrogate\\fR(1)\n";
}

std::string page_of_all(const CLI::App& app, const PageFacts& facts) {
    std::string out = fmt::format(
        ".TH ROGATE 1 \"{}\" \"rogate {}\"\n.SH NAME\nrogate \\- ask an application which of its mounts it "
        "has to write\n.SH SYNOPSIS\n\\fBrogate\\fR [\\fIOPTIONS\\fR] \\fICOMMAND\\fR ...\n",
        facts.date, facts.version);
    out +=
        ".SH DESCRIPTION\nrogate starts an application through the Docker Engine API with its mounts "
        "read\\-only, "
        "drives it through a scenario, and watches every write. Then it answers for each mount: can it be "
        "mounted "
        "read\\-only, what is the evidence, and what is the smallest change that makes it so.\n.SH "
        "COMMANDS\n";
    std::string see;
    for (const CLI::App* each : commands_of(app)) {
        out += fmt::format(".TP\n\\fBrogate {}\\fR\n{}\n", roff(each->get_name()),
                           roff(each->get_description()));
        see += fmt::format("{}\\fBrogate\\-{}\\fR(1)", see.empty() ? "" : ", ", roff(each->get_name()));
    }
    out += ".SH OPTIONS\n" + options_of(app, false);
    for (const Topic& each : topics()) out += topic_section(each, upper(each.name));
    return out + fmt::format(".SH SEE ALSO\n{}, \\fBdocker\\fR(1)\n", see);
}

// `text` in lines of at most `width` characters, each after `indent` blanks.
std::string filled(std::string_view text, std::size_t width, std::size_t indent) {
    std::string out, line(indent, ' ');
    while (!text.empty()) {
        const std::size_t blank = text.find_first_of(" \n");
        const std::string_view word = text.substr(0, blank);
        text = blank == std::string_view::npos ? std::string_view() : text.substr(blank + 1);
        if (line.size() > indent && line.size() + 1 + word.size() > width) {
            out += line + '\n';
            line.assign(indent, ' ');
        }
        if (line.size() > indent) line += ' ';
        line += word;
    }
    return out + line + '\n';
}

}  // namespace

std::string manual_page(const CLI::App& app, const CLI::App* command, const PageFacts& facts) {
    return command == nullptr ? page_of_all(app, facts) : page_of_command(app, *command, facts);
}

std::string topic_text(const Topic& topic, std::size_t width) {
    std::string out = fmt::format("{}\n", topic.summary);
    for (const std::string_view paragraph : paragraphs(topic.text)) {
        const auto [term, text] = entry_of(paragraph);
        out += '\n';
        out += term.empty() ? filled(text, width, 0) : fmt::format("{}\n{}", term, filled(text, width, 4));
    }
    return out;
}

}  // namespace rogate::cmdline
