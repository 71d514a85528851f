#include "patch/diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace rogate::patch {

namespace {

constexpr std::size_t context_lines = 3;

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::size_t length = end == std::string_view::npos ? text.size() : end + 1;
        lines.push_back(text.substr(0, length));
        text.remove_prefix(length);
    }
    return lines;
}

// A run of lines: kept, or taken out and put in.
struct Step {
    char sign = ' ';
    std::size_t before = 0, after = 0;  // index of the line
};

// E. Myers, "An O(ND) Difference Algorithm and Its Variations"; the ends that are equal are cut off first. D
// is small here: a patch changes a few lines.
std::vector<Step> steps_between(const std::vector<std::string_view>& a,
                                const std::vector<std::string_view>& b) {
    std::size_t head = 0, tail = 0;
    while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
    while (tail < a.size() - head && tail < b.size() - head &&
           a[a.size() - 1 - tail] == b[b.size() - 1 - tail])
        ++tail;
    const auto n = static_cast<std::ptrdiff_t>(a.size() - head - tail),
               m = static_cast<std::ptrdiff_t>(b.size() - head - tail);
    const auto same = [&](std::ptrdiff_t x, std::ptrdiff_t y) {
        return a[head + static_cast<std::size_t>(x)] == b[head + static_cast<std::size_t>(y)];
    };
    const std::ptrdiff_t most = n + m;
    std::vector<std::ptrdiff_t> reached(static_cast<std::size_t>(2 * most + 3), 0);
    std::vector<std::vector<std::ptrdiff_t>> trace;
    const auto at = [&](std::vector<std::ptrdiff_t>& v, std::ptrdiff_t k) -> std::ptrdiff_t& {
        return v[static_cast<std::size_t>(k + most + 1)];
    };
    for (std::ptrdiff_t d = 0; d <= most; ++d) {
        trace.push_back(reached);
        bool done = false;
        for (std::ptrdiff_t k = -d; k <= d && !done; k += 2) {
            const bool down = k == -d || (k != d && at(reached, k - 1) < at(reached, k + 1));
            std::ptrdiff_t x = down ? at(reached, k + 1) : at(reached, k - 1) + 1;
            while (x < n && x - k < m && same(x, x - k)) ++x;
            at(reached, k) = x;
            done = x >= n && x - k >= m;
        }
        if (done) break;
    }
    std::vector<Step> middle;
    std::ptrdiff_t x = n, y = m;
    for (auto d = static_cast<std::ptrdiff_t>(trace.size()) - 1; d >= 0; --d) {
        auto& v = trace[static_cast<std::size_t>(d)];
        const std::ptrdiff_t k = x - y;
        const bool down = k == -d || (k != d && at(v, k - 1) < at(v, k + 1));
        const std::ptrdiff_t from_k = down ? k + 1 : k - 1;
        const std::ptrdiff_t from_x = d == 0 ? 0 : at(v, from_k), from_y = d == 0 ? 0 : from_x - from_k;
        const auto step = [&](char sign) {
            middle.push_back({sign, head + static_cast<std::size_t>(x), head + static_cast<std::size_t>(y)});
        };
        while (x > from_x && y > from_y) --x, --y, step(' ');
        if (d > 0 && down) --y, step('+');
        if (d > 0 && !down) --x, step('-');
    }
    std::vector<Step> steps;
    for (std::size_t i = 0; i < head; ++i) steps.push_back({' ', i, i});
    steps.insert(steps.end(), middle.rbegin(), middle.rend());
    for (std::size_t i = tail; i > 0; --i) steps.push_back({' ', a.size() - i, b.size() - i});
    return steps;
}

// As git writes it: in C's quotes when it has to be, and with a tab behind it if it has a space, where
// `patch` would end the name.
std::string header_name(char side, std::string_view path) {
    const std::string name = fmt::format("{}/{}", side, path);
    const bool odd = std::ranges::any_of(name, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7f || c == '"' || c == '\\';
    });
    if (!odd) return name.find(' ') == std::string::npos ? name : name + "\t";
    std::string out = "\"";
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            out += {'\\', c};
        else if (byte < 0x20 || byte == 0x7f)
            out += fmt::format("\\{:03o}", byte);
        else
            out += c;
    }
    return out + "\"";
}

std::string range(std::size_t first, std::size_t count) {
    // An empty range is said to be behind the line before it.
    if (count == 0) return fmt::format("{},0", first);
    return count == 1 ? fmt::format("{}", first + 1) : fmt::format("{},{}", first + 1, count);
}

}  // namespace

std::string unified_diff(std::string_view path, std::string_view before, std::string_view after) {
    if (before == after) return "";
    const auto a = lines_of(before), b = lines_of(after);
    const auto steps = steps_between(a, b);
    std::string out = fmt::format("--- {}\n+++ {}\n", header_name('a', path), header_name('b', path));
    for (std::size_t i = 0; i < steps.size();) {
        if (steps[i].sign == ' ') {
            ++i;
            continue;
        }
        const std::size_t begin = i - std::min(i, context_lines);
        // A hunk goes on while the next change is near enough that their contexts would meet.
        std::size_t last = i;
        for (std::size_t j = i; j < steps.size() && j <= last + 2 * context_lines; ++j)
            if (steps[j].sign != ' ') last = j;
        const std::size_t end = std::min(steps.size(), last + 1 + context_lines);
        std::size_t taken = 0, put = 0;
        std::string body;
        for (std::size_t j = begin; j < end; ++j) {
            const Step& step = steps[j];
            taken += step.sign != '+' ? 1 : 0;
            put += step.sign != '-' ? 1 : 0;
            const std::string_view line = step.sign == '+' ? b[step.after] : a[step.before];
            body += step.sign;
            body += line;
            if (!line.ends_with('\n')) body += "\n\\ No newline at end of file\n";
        }
        out +=
            fmt::format("@@ -{} +{} @@\n", range(steps[begin].before, taken), range(steps[begin].after, put));
        out += body;
        i = end;
    }
    return out;
}

}  // namespace rogate::patch
