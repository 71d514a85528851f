#include "scenario/observation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace rogate::scenario {

namespace {

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

std::set<std::string> asked_headers(const Step& step) {
    std::set<std::string> names;
    for (const auto& [name, pattern] : step.expect.headers) names.insert(lower(name));
    for (const Capture& capture : step.captures)
        if (capture.from == Capture::From::header) names.insert(lower(capture.what));
    return names;
}

// The first line that differs, of each.
std::pair<std::string, std::string> first_difference(const std::string& a, const std::string& b) {
    const auto at = std::mismatch(
        a.begin(), a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())), b.begin());
    const auto offset = static_cast<std::size_t>(at.first - a.begin());
    std::size_t start = offset == 0 ? std::string::npos : a.rfind('\n', offset - 1);
    start = start == std::string::npos ? 0 : start + 1;
    // A long line is shown from a little before the place on.
    if (offset - start > 60) start = offset - 60;
    const auto line = [&](const std::string& text) {
        return std::string(
            excerpt(text.substr(start, std::min(text.find('\n', offset), text.size()) - start), {}, 120));
    };
    return {line(a), line(b)};
}

template <class T>
std::string of(const std::optional<T>& value) {
    return value ? fmt::format("{}", *value) : "none";
}

}  // namespace

Observed comparable(const Step& step, Observed observed) {
    const auto asked = asked_headers(step);
    std::erase_if(observed.headers, [&](const auto& header) { return !asked.contains(header.first); });
    for (auto& [name, value] : observed.headers) value = without(step.ignore, value);
    observed.text = without(step.ignore, observed.text);
    return observed;
}

Observed showable(const Step& step, Observed observed, const Masker& masker) {
    masker.mask(observed.text);
    for (auto& [name, value] : observed.headers) masker.mask(value);
    return comparable(step, std::move(observed));
}

std::string difference(const Step& step, const Observed& control, const Observed& here,
                       const Masker& masker) {
    const std::string told = difference(comparable(step, control), comparable(step, here));
    if (told.empty() || masker.idle()) return told;
    const std::string shown = difference(showable(step, control, masker), showable(step, here, masker));
    return shown.empty() ? "what differs is a secret, and not shown" : shown;
}

std::string difference(const Observed& control, const Observed& here) {
    if (control.status != here.status)
        return fmt::format("status {} in the control run, {} here", of(control.status), of(here.status));
    if (control.exit_code != here.exit_code)
        return fmt::format("exit code {} in the control run, {} here", of(control.exit_code),
                           of(here.exit_code));
    if (control.exists != here.exists)
        return control.exists.value_or(false) ? "there in the control run, missing here"
                                              : "missing in the control run, there here";
    if (control.mode != here.mode)
        return fmt::format("mode {:04o} in the control run, {:04o} here", control.mode.value_or(0),
                           here.mode.value_or(0));
    for (const auto& [name, value] : control.headers) {
        const auto found = here.headers.find(name);
        if (found == here.headers.end()) return fmt::format("header '{}' is missing here", name);
        if (found->second != value)
            return fmt::format("header '{}' is \"{}\" in the control run, \"{}\" here", name,
                               excerpt(value, {}), excerpt(found->second, {}));
    }
    for (const auto& [name, value] : here.headers)
        if (!control.headers.contains(name))
            return fmt::format("header '{}' is missing in the control run", name);
    if (control.text != here.text) {
        const auto [there, now] = first_difference(control.text, here.text);
        return fmt::format("\"{}\" in the control run, \"{}\" here", there, now);
    }
    if (control.size != here.size)
        return fmt::format("{} bytes in the control run, {} here", of(control.size), of(here.size));
    return {};
}

}  // namespace rogate::scenario
