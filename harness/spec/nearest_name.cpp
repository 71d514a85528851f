#include "spec/nearest_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace rogate::spec {

namespace {

// Case, and '-' for '_', are not what a person means to tell apart.
std::string folded(std::string_view name) {
    std::string out(name);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (c == '-') c = '_';
    }
    return out;
}

// Edits from one to the other; swapping two neighbours is one edit (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({replace, last[j] + 1, row[j - 1] + 1});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        std::swap(before, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

}  // namespace

std::string_view nearest_name(std::string_view name, std::span<const std::string_view> known) {
    constexpr std::size_t longest_worth_comparing = 64;
    if (name.size() > longest_worth_comparing) return {};
    const std::string wanted = folded(name);
    std::string_view best;
    // One slip in three characters is still the same word; more is another one.
    std::size_t best_distance = std::max<std::size_t>(1, name.size() / 3) + 1;
    for (const std::string_view candidate : known) {
        const std::size_t found = distance(wanted, folded(candidate));
        // Replacing every character would "correct" any word of the same length into any other.
        if (found < best_distance && found < candidate.size()) {
            best = candidate;
            best_distance = found;
        }
    }
    return best;
}

std::string suggestion(std::string_view name, std::span<const std::string_view> known) {
    if (known.empty()) return "nothing is known here";
    const std::string_view nearest = nearest_name(name, known);
    if (!nearest.empty()) return fmt::format("did you mean '{}'?", nearest);
    return fmt::format("known here: {}", fmt::join(known, ", "));
}

}  // namespace rogate::spec
