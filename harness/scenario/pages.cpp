// What rogate asks an application for by itself: the pages of its ports.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <set>

#include "scenario/links.hpp"
#include "scenario/outcome.hpp"

namespace rogate::scenario {

using engine::Milliseconds;
using engine::Task;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::int64_t one_page_ms = 5000;
// Of what the control run asked for within its time.
constexpr int more_time = 6;

// "200 text/html": without the type's parameters.
std::string told(const Observed& answer) {
    const auto type = answer.headers.find("content-type");
    std::string text = std::to_string(answer.status.value_or(0));
    if (type == answer.headers.end()) return text;
    return text + " " + type->second.substr(0, type->second.find(';'));
}

// The server's own trouble, which may be gone the next time.
bool is_trouble(const std::string& told) {
    return told.starts_with('5');
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// What a page says and where it leads to, without what is another one each time: numbers, and words that have
// some in them or are too long to be words.
std::size_t content_of(const Observed& answer) {
    constexpr std::size_t longest_word = 20;
    std::string said, whole;
    // A redirect often has no text.
    if (const auto to = answer.headers.find("location"); to != answer.headers.end())
        whole = to->second + '\n';
    whole += answer.text;
    std::string_view text = whole;
    while (!text.empty()) {
        const auto end = static_cast<std::size_t>(
            std::ranges::find_if(text, [](char c) { return !is_letter(c) && (c < '0' || c > '9'); }) -
            text.begin());
        const std::string_view word = text.substr(0, end);
        if (end <= longest_word && std::ranges::all_of(word, is_letter)) said += word;
        if (end < text.size()) said += text[end];
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return std::hash<std::string>()(said);
}

Step get(std::uint16_t port, const std::string& path) {
    Step step;
    HttpAction action;
    action.port = port;
    action.path = path;
    step.action = std::move(action);
    step.expect.status = -1000;  // any
    step.timeout_ms = one_page_ms;
    return step;
}

std::string key_of(std::uint16_t port, const std::string& path) {
    return fmt::format("{}{}", port, path);
}

}  // namespace

Task<StepOutcome> StepRunner::pages(const Step& step, const std::string& key) {
    const auto& action = std::get<PagesAction>(step.action);
    const std::map<std::string, std::string>* control = nullptr;
    if (memory_.control != nullptr)
        if (const auto there = memory_.control->find(key); there != memory_.control->end())
            control = &there->second.answers;
    // Not with `?:` around co_await: g++ 12 destroys its answer twice.
    if (control != nullptr) co_return co_await ask_again(*control, action, memory_.observed[key]);
    co_return co_await look_around(action, memory_.observed[key]);
}

Task<StepOutcome> StepRunner::look_around(const PagesAction& action, Observed& seen) {
    std::map<std::string, std::string>& answers = seen.answers;
    const auto until = Clock::now() + Milliseconds(action.time_ms);
    for (const std::uint16_t port : action.ports) {
        std::deque<std::string> open{"/"};
        std::set<std::string> known{"/"};
        while (!open.empty() && Clock::now() < until &&
               answers.size() < static_cast<std::size_t>(action.most)) {
            const std::string path = std::move(open.front());
            open.pop_front();
            const Step asked = get(port, path);
            auto outcome = co_await attempt(asked);
            if (!outcome) co_return fail(std::move(outcome.error()));
            if (!outcome->observed) {
                if (path == "/") break;  // HTTP is not spoken there
                continue;
            }
            const Observed& answer = *outcome->observed;
            answers.emplace(key_of(port, path), told(answer));
            seen.contents.emplace(key_of(port, path), content_of(answer));
            std::vector<std::string> links;
            if (const auto to = answer.headers.find("location"); to != answer.headers.end())
                links.push_back(followed(to->second, path, port));
            if (told(answer).find("html") != std::string::npos) links = links_in(answer.text, path, port);
            for (std::string& link : links)
                if (!link.empty() && known.insert(link).second) open.push_back(std::move(link));
        }
    }
    co_return pass();
}

Task<StepOutcome> StepRunner::ask_again(const std::map<std::string, std::string>& control,
                                        const PagesAction& action, Observed& seen) {
    const auto until = Clock::now() + Milliseconds(more_time * action.time_ms);
    for (const auto& [where, there] : control) {
        if (is_trouble(there)) continue;
        const std::size_t slash = where.find('/');
        const std::string path = where.substr(slash);
        const auto port = static_cast<std::uint16_t>(std::stoi(where.substr(0, slash)));
        const std::string page = fmt::format("GET {} of port {}", path, port);
        if (Clock::now() >= until) co_return miss(fmt::format("{}: the time for all pages was over", page));
        const Step asked = get(port, path);
        auto outcome = co_await attempt(asked);
        if (!outcome) co_return fail(std::move(outcome.error()));
        if (!outcome->observed)
            co_return miss(fmt::format("{}: {} in the control run, here: {}", page, there, outcome->message));
        const std::string here = told(*outcome->observed);
        seen.contents.insert_or_assign(where, content_of(*outcome->observed));
        if (here == there) continue;
        co_return miss(fmt::format("{}: {} in the control run, {} here (\"{}\")", page, there, here,
                                   excerpt(outcome->observed->text, memory_.masker)));
    }
    co_return pass();
}

}  // namespace rogate::scenario
